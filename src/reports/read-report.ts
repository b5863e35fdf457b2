import { z } from "zod";
import { Problem } from "../domain/problem.ts";
import type { Report } from "../domain/report.ts";
import { reportSchema, SCHEMA_VERSION } from "./report-schema.ts";

/** A report of a trial of hundreds of images stays far below this. */
const MOST_BYTES = 100_000_000;

/** `schemaVersion` of a file that has one; a file without is no report at all. */
function versionOf(raw: unknown): number | null {
  const parsed = z.looseObject({ schemaVersion: z.number() }).safeParse(raw);
  return parsed.success ? parsed.data.schemaVersion : null;
}

/** Problem `arguments` where a file is no report of this version, with every fault. */
export function readReport(path: string, bytes: Buffer): Report {
  const refuse = (why: string, details: string[]) =>
    new Problem(
      "arguments",
      `${path} is no report of this version of Tare: ${why}.`,
      "Name a file that `tare trial --report` wrote.",
      details,
    );
  if (bytes.length > MOST_BYTES) throw refuse(`it is larger than ${MOST_BYTES} bytes`, []);
  let raw: unknown;
  try {
    raw = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw refuse("it is no JSON", [error instanceof Error ? error.message : String(error)]);
  }
  const version = versionOf(raw);
  if (version !== null && version !== SCHEMA_VERSION)
    throw refuse(`its schemaVersion is ${version}, and this one reads ${SCHEMA_VERSION}`, []);
  const parsed = reportSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const faults = z.prettifyError(parsed.error).split("\n").slice(0, 10);
  throw refuse("it does not fit docs/report.schema.json", faults);
}

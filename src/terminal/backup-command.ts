import { existsSync } from "node:fs";
import { formatCount } from "../domain/quantities.ts";
import { Problem } from "../domain/problem.ts";
import { backUp } from "../queue/backup.ts";
import { restore } from "../queue/restore.ts";
import type { ExitCode } from "./exit-code.ts";
import { configured, refuseNone, withDatabase } from "./service-database.ts";

/** `tare backup`: requests, reports and replies into a file. The service may run, and need not. */
export async function backupCommand(file: string): Promise<ExitCode> {
  const config = configured();
  refuseNone(config);
  const rows = await withDatabase(config, async (address) => backUp(address, file));
  process.stdout.write(`${file}: ${inWords(rows)}.\n`);
  return 0;
}

/** `tare restore`: fills an empty database from such a file. */
export async function restoreCommand(file: string): Promise<ExitCode> {
  if (!existsSync(file))
    throw new Problem("arguments", `No file is at ${file}.`, "Name one that `tare backup` wrote.");
  const rows = await withDatabase(configured(), async (address) => restore(address, file));
  process.stdout.write(`Restored: ${inWords(rows)}.\n`);
  return 0;
}

function inWords({ requests = 0, reports = 0, replies = 0, deliveries = 0 }: Record<string, number>): string {
  return [
    formatCount(requests, "request"),
    formatCount(reports, "report"),
    replies === 1 ? "1 reply" : `${replies} replies`,
    deliveries === 1 ? "1 delivery" : `${deliveries} deliveries`,
  ].join(", ");
}

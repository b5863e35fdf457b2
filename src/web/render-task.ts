import { parentPort, workerData } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { createSecrets } from "../lib/secrets.ts";
import { renderJson } from "../reports/json.ts";
import { reportSchema } from "../reports/report-schema.ts";
import type { PageTask, Rendered } from "./page-renderer.ts";

/** The program of a page's thread: one report in, one page out. */
const MOST_BYTES = 100_000_000;

async function render({ kind, id, text, secrets: values }: PageTask): Promise<Rendered> {
  const secrets = createSecrets(values);
  // Looked at as a whole first: going through each text takes a second for a large report.
  const raw: unknown = JSON.parse(text);
  const report = reportSchema.parse(secrets.redact(text) === text ? raw : secrets.redactTexts(raw));
  const page = kind === "json" ? renderJson(report) : await pageOf(report, id);
  const bytes = Buffer.byteLength(page);
  if (bytes > MOST_BYTES) return { refused: `The page has ${bytes} bytes, which is too much to show.` };
  return { gzip: gzipSync(page, { level: 6 }) };
}

async function pageOf(report: ReturnType<typeof reportSchema.parse>, id: string): Promise<string> {
  const { renderPage } = await import("../reports/page.ts");
  return renderPage(report, { json: `/requests/${id}/report.json` });
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(await render(workerData as PageTask));

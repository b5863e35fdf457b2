import type { Report } from "../domain/report.ts";
import { reportSchema } from "./report-schema.ts";

/** report.json: checked against its schema, keys in the schema's order, nothing in it that draws on a terminal. */
export function renderJson(report: Report): string {
  const text = JSON.stringify(reportSchema.parse(report), null, 2);
  return `${text.replaceAll(/[\u007f-\u009f\u2028\u2029]|\p{Cf}/gu, escaped)}\n`;
}

/** The same character as JSON escapes it. */
function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, at) => String.raw`\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`,
  ).join("");
}

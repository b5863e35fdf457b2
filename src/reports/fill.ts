import { readFileSync } from "node:fs";
import Mustache from "mustache";

/** Templates of the answers; dist/reports lies as deep as src/reports. */
const DIRECTORY = new URL("../../templates/", import.meta.url);

const loaded = new Map<string, string>();

/** Fills a template's slots. Values are put in as they are: what comes from outside must be clean before. */
export function fill(template: string, slots: Record<string, unknown>): string {
  const text = loaded.get(template) ?? readFileSync(new URL(template, DIRECTORY), "utf8");
  loaded.set(template, text);
  const filled = Mustache.render(text, slots, {}, { escape: String });
  return `${filled.replaceAll(/\n{3,}/gu, "\n\n").trim()}\n`;
}

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import Mustache from "mustache";
import { htmlText } from "./sanitise.ts";

/** Templates of the answers; dist/reports lies as deep as src/reports. */
const DIRECTORY = new URL("../../templates/", import.meta.url);

const loaded = new Map<string, string>();

function load(name: string): string {
  const text = loaded.get(name) ?? readFileSync(new URL(name, DIRECTORY), "utf8");
  loaded.set(name, text);
  return text;
}

/** Fills a template's slots. Values are put in as they are: what comes from outside must be clean before. */
export function fill(template: string, slots: Record<string, unknown>): string {
  const filled = Mustache.render(load(template), slots, {}, { escape: String });
  return `${filled.replaceAll(/\n{3,}/gu, "\n\n").trim()}\n`;
}

/**
 * Fills a page. Values are escaped, but those in three braces: what Tare draws itself. The style sheet and the policy stand
 * inside, so that a page is one file.
 */
export function fillPage(template: string, slots: Record<string, unknown>): string {
  const page = { ...slots, style: load("page.css"), policy: pagePolicy() };
  const escape = (value: unknown) => htmlText(String(value));
  return Mustache.render(load(template), page, (name) => load(`${name}.html`), { escape });
}

/** The Content-Security-Policy of every page, for a header as for the page itself: its own style sheet and nothing else. */
export function pagePolicy(): string {
  const digest = createHash("sha256").update(load("page.css")).digest("base64");
  return `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`;
}

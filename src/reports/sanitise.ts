import { escapeHtml } from "../lib/html-text.ts";

/**
 * Whatever comes from a change, a log or a tree passes through here before it enters an answer: it must not
 * give orders to a forge, call people, look like a mark of Tare's own, or draw on a terminal.
 */

const ELLIPSIS = "...";
/** Zero width: parts a word for a forge, not for a reader. */
const GAP = "\u200b";
const MAXIMUM_LINE = 500;
/** A command that lost its end would repeat something else, so it has more room. */
export const MAXIMUM_COMMAND = 3_000;
const MAXIMUM_ADDRESS = 2_000;

/** Text without control characters, escape sequences, invisible and direction-changing characters; one entry a line. */
export function plainLines(text: string): string[] {
  return text
    .toWellFormed()
    .split(/\r\n|[\n\r\u0085\u2028\u2029]/u)
    .map(plainCharacters);
}

function plainCharacters(line: string): string {
  return (
    line
      .replaceAll("\t", "  ")
      // Terminal sequences: an operating system command up to its end, then control sequences.
      .replaceAll(/(?:\p{Cc}\]|\u009d)[^\p{Cc}]*/gu, "")
      .replaceAll(/(?:\p{Cc}\[|\u009b)[0-?]*[ -/]*[@-~]/gu, "")
      .replaceAll(/\p{Cc}/gu, "")
      // Bidi overrides, zero-width and tag characters: what is read must be what is there.
      .replaceAll(/\p{Cf}/gu, "")
      .replaceAll("\u00a0", " ")
  );
}

/** One line of plain text, for mails and terminals; longer ones are cut. */
export function plainLine(text: string, maximum = MAXIMUM_LINE): string {
  return unsigned(cut(plainLines(text).join(" ").trim(), maximum));
}

/** Lines of a log for mails and terminals: the last ones, each cut, none of which ends the mail. */
export function plainLog(lines: readonly string[], options: { lines: number; width: number }): string[] {
  return lines
    .flatMap(plainLines)
    .slice(-options.lines)
    .map((line) => unsigned(cut(line.trimEnd(), options.width)));
}

/** A line of `--` begins a signature, and mail programs drop what follows. */
function unsigned(line: string): string {
  return /^--\s*$/u.test(line) ? "- -" : line;
}

/** Cuts in characters, never through a surrogate pair. */
export function cut(line: string, maximum: number): string {
  if (line.length <= maximum) return line;
  return (
    line
      .slice(0, maximum - ELLIPSIS.length)
      .toWellFormed()
      .replace(/\ufffd$/u, "") + ELLIPSIS
  );
}

/** One line of Markdown that shows the text as it is and does nothing else, also inside a table. */
export function markdownLine(text: string, maximum = MAXIMUM_LINE): string {
  const shown = cut(plainLines(text).join(" ").trim(), maximum)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll(/[\\`*_[\]{}|~$^]/gu, String.raw`\$&`)
    .replaceAll("@", `@${GAP}`)
    // References to issues, requests, milestones, labels, snippets and the like would leave a trace in those, also where
    // a forge looks for them behind the backslash.
    .replaceAll(/(?:(?:[#!%~^]|&amp;)(?=[\w"])|\$(?=\d))/gu, `$&${GAP}`)
    .replaceAll(/\b(GH|GL)-(?=\d)/giu, `$1${GAP}-`)
    .replaceAll(/(?<=\\\[[\w.-]+):(?=[\w./-]+\\\])/gu, `:${GAP}`)
    .replaceAll(/:(?=\/\/)/gu, `:${GAP}`)
    .replaceAll(/\bwww\./giu, `www${GAP}.`)
    .replaceAll(/\bmailto:/giu, `mailto${GAP}:`);
  return atLineStart(shown);
}

/** What means something only at the start of a line: quick actions, headings, lists, rules. */
function atLineStart(line: string): string {
  if (line.startsWith("/")) return `\\${line}`;
  // Headings, list items, rules and underlines.
  if (/^(?:#|[-+](?=\s|$)|[-=]+\s*$|\d+[.)](?=\s|$))/u.test(line))
    return line.replace(/^(\d*)(.)/u, String.raw`$1\$2`);
  return line;
}

/** A fenced block that its content cannot leave; lines that a forge might take for orders get a bar before them. */
export function markdownFence(lines: readonly string[], options: { lines: number; width?: number }): string {
  const shown = lines
    .flatMap(plainLines)
    .slice(-options.lines)
    .map((line) => cut(line.trimEnd(), options.width ?? MAXIMUM_LINE).replaceAll("<!--", "<! --"))
    .map((line) => (/^\s*\/\w/u.test(line) ? `| ${line}` : line));
  const longest = shown.reduce((most, line) => Math.max(most, longestRun(line)), 0);
  const fence = "`".repeat(Math.max(3, longest + 1));
  return [`${fence}text`, ...shown, fence].join("\n");
}

function longestRun(line: string): number {
  return [...line.matchAll(/`+/gu)].reduce((most, [run]) => Math.max(most, run.length), 0);
}

/** Text that HTML shows as it is, in an element or in a quoted attribute; lines stay lines. */
export function htmlText(text: string): string {
  return escapeHtml(plainLines(text).join("\n"));
}

/** An address that a page may link to: of the page's own site or of the web; null for any other, `javascript:` first. */
export function linkAddress(href: string | null): string | null {
  if (href === null) return null;
  const address = plainLine(href, MAXIMUM_ADDRESS);
  const isForeign = /^[^/?#]*:/u.test(address);
  return isForeign && !/^https?:\/\//iu.test(address) ? null : address;
}

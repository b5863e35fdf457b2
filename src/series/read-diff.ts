import { filesOf, type DiffFile, type FileHead } from "./diff-files.ts";

/** A diff found in a text: where it starts and ends, what it touches, and which of its hunks do not add up. */
export type Diff = { start: number; end: number; files: DiffFile[]; damage: string[]; patches: number };

const HEAD_NEXT =
  "(?=index |old mode |new mode |deleted |new file |copy |rename |similarity |dissimilarity |--- |GIT binary|Binary files|diff --git |$(?![^]))";
const STARTS = [
  `diff --git [^\\n]+\\n${HEAD_NEXT}`,
  "diff --(?:cc|combined) [^\\n]+\\n(?:index |mode |new file|deleted |--- )",
  "diff (?:-\\S+ )[^\\n]*\\n(?:--- |\\*\\*\\* |new file|old mode|Binary files)",
  "Index: [^\\n]+\\n(?:=+\\n|--- )",
  "=== (?:modified|added|removed|renamed) (?:file|directory) [^\\n]+\\n",
  "--- (?!\\n)[^\\n]+\\n\\+\\+\\+ [^\\n]+\\n@@+ -",
  "\\*\\*\\* [^\\n]+\\n--- [^\\n]+\\n\\*{10,}",
  "GIT binary patch\\n",
];
const START = new RegExp(`^(?:${STARTS.join("|")})`, "gm");
const HUNK = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/;
/** Between two patches of one text, the first line of the next. */
const NEXT_PATCH = /^From [0-9a-f]{40,64} |^# HG changeset patch|^commit [0-9a-f]{40}/m;

/** Where the first diff of a text (line feeds alone) starts; null where it holds none. Quoted ones do not count. */
export function diffStart(text: string, from = 0): number | null {
  START.lastIndex = from;
  return START.exec(text)?.index ?? null;
}

/** Reads the diff of a text (line feeds alone, bytes as Latin-1). It ends where its last hunk has all its lines. */
export function readDiff(text: string): Diff | null {
  const start = diffStart(text);
  if (start === null) return null;
  const heads: FileHead[] = [];
  const damage: string[] = [];
  let end = start;
  let patches = 1;
  for (let next: number | null = start; next !== null;) {
    const reached = readRun(text, next, heads, damage);
    end = reached;
    next = diffStart(text, reached);
    if (next === null) break;
    const gap = text.slice(reached, next);
    const goesOn = NEXT_PATCH.test(gap);
    if (goesOn) patches += 1;
    // What follows the signature is no part of the patch, but for the next patch of a file.
    else if (/^-- $/m.test(gap)) break;
  }
  // git tells best what is wrong with a patch that is not whole: it gets all of it.
  return { start, end: damage.length > 0 ? text.length : end, files: filesOf(heads), damage, patches };
}

/** Lines that belong together without a gap; returns where they end. */
function readRun(text: string, start: number, heads: FileHead[], damage: string[]): number {
  let at = start;
  let end = start;
  const reader = { text, heads, damage };
  while (at < text.length) {
    const line = lineAt(text, at);
    const after = at + line.length + 1;
    const hunk = HUNK.exec(line);
    if (hunk) at = readHunk(reader, line, after, [Number(hunk[1] ?? 1), Number(hunk[2] ?? 1)]);
    else if (/^@@@+ -\d/.test(line)) at = skipCombined(text, after);
    else if (/^\*{10,}/.test(line)) at = skipContextDiff(text, after);
    else if (line.startsWith("GIT binary patch")) at = skipBinary(text, after);
    else if (line === "") {
      at = after;
      continue;
    } else if (isHead(line, heads, lineAt(text, after))) at = after;
    else break;
    end = Math.min(at, text.length);
  }
  return Math.max(end, start + lineAt(text, start).length);
}

function lineAt(text: string, at: number): string {
  const end = text.indexOf("\n", at);
  return text.slice(at, end === -1 ? text.length : end);
}

type Reader = { text: string; heads: FileHead[]; damage: string[] };

function readHunk(
  { text, heads, damage }: Reader,
  head: string,
  start: number,
  counts: [number, number],
): number {
  let [before, after] = counts;
  let at = start;
  const where = () => `${heads.at(-1)?.name ?? "?"}: ${head.slice(0, 60)}`;
  while (before > 0 || after > 0) {
    if (at >= text.length) {
      damage.push(`${where()} is cut short`);
      return at;
    }
    const line = lineAt(text, at);
    const sign = line[0] ?? " ";
    // Some programs take the space from an empty line.
    if (sign === " " || (sign === "\r" && line.length === 1)) before -= 1;
    if (sign === " " || sign === "+" || (sign === "\r" && line.length === 1)) after -= 1;
    if (sign === "-") before -= 1;
    if (before < 0 || after < 0 || !" +-\\\r".includes(sign)) {
      damage.push(`${where()} does not have the lines that it counts`);
      return resume(text, at);
    }
    at += line.length + 1;
  }
  const next = lineAt(text, at);
  return next.startsWith("\\ ") ? at + next.length + 1 : at;
}

/** Behind a damaged hunk: the next hunk or file. */
function resume(text: string, at: number): number {
  const next = /^(?:@@ -\d|diff --git )/gm;
  next.lastIndex = at;
  return next.exec(text)?.index ?? text.length;
}

/** Base-85 lines; each of the two blocks ends with an empty line. */
function skipBinary(text: string, start: number): number {
  let at = start;
  for (let blocks = 0; blocks < 2; blocks += 1) {
    if (!/^(?:literal|delta) \d+$/.test(lineAt(text, at))) return at;
    at += lineAt(text, at).length + 1;
    while (at < text.length && /^[A-Za-z][!-~]+$/.test(lineAt(text, at))) at += lineAt(text, at).length + 1;
    if (lineAt(text, at) === "") at += 1;
  }
  return Math.min(at, text.length);
}

/** Hunks of a merge count lines for each parent: they are taken as long as they look like lines of a hunk. */
function skipCombined(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    const line = lineAt(text, at);
    if (!/^(?:[ +-]|\\ |$)/.test(line) || line === "-- " || line.startsWith("--- ")) return at;
    at += line.length + 1;
  }
  return at;
}

function skipContextDiff(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    const line = lineAt(text, at);
    if (!/^(?:[ !+-] |\*{3} |--- |\*{10,}|\\ |$)/.test(line) || line === "-- ") return at;
    at += line.length + 1;
  }
  return at;
}

const EXTENDED =
  /^(?:index |old mode |new mode |deleted file mode |new file mode |copy from |copy to |rename from |rename to |similarity index |dissimilarity index |Binary files |={10,}$|RCS file: |retrieving revision |rename old |rename new )/;

/** Takes a line of a file's head into the list; false where it is none. */
function isHead(line: string, heads: FileHead[], next: string): boolean {
  const open = heads.at(-1);
  if (/^(?:diff |Index: |=== )/.test(line)) {
    if (line.startsWith("Index: ") || !(open?.lines.length === 1 && open.lines[0]?.startsWith("Index: ")))
      heads.push({ lines: [line], name: line.slice(0, 200), old: null, new: null });
    else open.lines.push(line);
    return true;
  }
  if (/^(?:--- |\*\*\* )/.test(line) && /^(?:\+\+\+ |--- )/.test(next)) {
    const head =
      open && open.old === null ? open : { lines: [], name: line.slice(0, 200), old: null, new: null };
    if (head !== open) heads.push(head);
    head.old = line.slice(4);
    return true;
  }
  if (open && open.old !== null && open.new === null && /^(?:\+\+\+ |--- )/.test(line)) {
    open.new = line.slice(4);
    open.name = line.slice(4, 204);
    return true;
  }
  if (!open || !EXTENDED.test(line)) return false;
  open.lines.push(line);
  return true;
}

/** What a subject says of a patch. `part` and `total` are null where it counts no parts. */
export type PatchSubject = {
  title: string;
  /** `1.1` and the like are versions of their own. */
  version: number;
  /** It says a version itself. */
  hasVersion: boolean;
  /** Parts between two others (`2.5/7`) exist. */
  part: number | null;
  total: number | null;
  isReply: boolean;
  isForward: boolean;
  isPullRequest: boolean;
  isResend: boolean;
  isRfc: boolean;
  /** It says by a bracket or a leading word that it is of a patch. */
  isMarked: boolean;
  /** Other words in the brackets, as written: `RFC`, `for-9.0`, `net-next`. */
  tags: string[];
};

type Marks = Omit<PatchSubject, "title" | "isReply" | "isForward">;

const REPLY =
  /^(?:(re|aw|antw|sv|vs|odp|回复|答复|回覆)|(fwd?|wg|转发|轉寄))\s*(?:\[\d{1,4}\]|\(\d{1,4}\)|\^\d{1,4})?\s*[:：]\s*/iu;
const COUNT = /(?<![\d.])(\d{1,5}(?:\.\d{1,3})?)\s*(?:\/|\s+of\s+)\s*(\d{1,5}|[nx](?![a-z]))(?![\d.])/iu;
const MARK = /(?<![a-z])patch(?:es|set|v?\d|[^a-z]|$)|\b(?:rfc|rft|rfr|resend|repost|pull)\b|^\s*v\d+\s*$/iu;
const VERSION_WORD = /^(?:v|ver|version|rev|take|try|round)$/iu;
const VERSION =
  /^(?:patch(?:set|es)?[-_]?|rfc[-_]?)?(?:v|ver|version|rev|take|try|round|#)[-_.]?(\d{1,4}(?:\.\d{1,3})?)$/iu;
const LONGEST = 2000;

/** Reads `Re: [list] [RFC PATCH v2 3/7] title`; brackets that are part of the title stay. */
export function readPatchSubject(subject: string): PatchSubject {
  const whole = subject.slice(0, LONGEST).replaceAll(/\s+/gu, " ").trim();
  const { rest, blocks, isReply, isForward } = readFront(whole);
  const last = blocks.findLastIndex(({ text }) => isMark(text));
  const taken = blocks.slice(0, last + 1).map(({ text }) => text);
  const after = blocks[last]?.after ?? (blocks.length > 0 ? (blocks[0]?.before ?? rest) : rest);
  const marks = last >= 0 ? readMarks(taken) : noMarks();
  return finish(last >= 0 ? after : bare(after, marks), marks, isReply, isForward);
}

type Block = { text: string; before: string; after: string };

/** Reply words and bracketed blocks at the start, in any order until a block tells of a patch. */
function readFront(whole: string) {
  let rest = whole;
  let isReply = false;
  let isForward = false;
  const blocks: Block[] = [];
  for (let turns = 0; turns < 200; turns += 1) {
    const reply = blocks.some(({ text }) => isMark(text)) ? null : REPLY.exec(rest);
    const block = reply ? null : bracketed(rest);
    if (reply) {
      isReply ||= reply[1] !== undefined;
      isForward ||= reply[2] !== undefined;
      rest = rest.slice(reply[0].length);
    } else if (block !== null) {
      const after = rest.slice(block.length).trimStart();
      blocks.push({ text: block.text, before: rest, after });
      rest = after;
    } else break;
  }
  return { rest, blocks, isReply, isForward };
}

/** The block at the start of a text, brackets within it included; one that nothing closes ends with what it says of a patch. */
function bracketed(text: string): { text: string; length: number } | null {
  if (!text.startsWith("[")) return null;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "[") depth += 1;
    else if (text[at] === "]") depth -= 1;
    if (depth === 0) return { text: text.slice(1, at), length: at + 1 };
  }
  const first = text.indexOf("]");
  if (first !== -1) return { text: text.slice(1, first), length: first + 1 };
  const open =
    /^\[((?:patch|rfc)\S*(?:\s+(?:patch\S*|rfc|resend|v\d+|\d+\s*\/\s*\d+)(?=[\s:]|$))*)[:\s]\s*/iu.exec(
      text,
    );
  return open ? { text: open[1] ?? "", length: open[0].length } : null;
}

function isMark(block: string): boolean {
  return MARK.test(block) || (COUNT.test(block) && !/\d\s*\/\s*\d+\s*\/\s*\d/u.test(block));
}

function noMarks(): Marks {
  const flags = { isPullRequest: false, isResend: false, isRfc: false, isMarked: false };
  return { version: 1, part: null, total: null, ...flags, tags: [], hasVersion: false };
}

function readMarks(blocks: readonly string[]): Marks {
  const marks = noMarks();
  marks.isMarked = true;
  for (const block of blocks) readBlock(block, marks, isMark(block));
  settleVersion(marks);
  return marks;
}

function readBlock(block: string, marks: Marks, counts: boolean): void {
  const text = block
    .replaceAll(/[[\](){}]/gu, " ")
    .replaceAll(/\b(patch|rfc|rft|wip|resend)\/(?=[a-z])/giu, "$1 ");
  const count = counts && marks.part === null ? countOf(text) : null;
  if (count) {
    marks.part = count.part;
    marks.total = count.total;
  }
  const words = (count?.rest ?? text).split(/[\s,;:|]+/u).filter((word) => word !== "");
  for (let at = 0; at < words.length; at += 1) {
    const word = (words[at] ?? "").replace(/^[-_.]+|[-_.]+$/gu, "");
    const next = words[at + 1] ?? "";
    if (VERSION_WORD.test(word) && /^\d{1,3}$/u.test(next)) {
      setVersion(marks, Number(next));
      at += 1;
    } else readWord(word, marks);
  }
}

/** `1/8`, `PATCH1/8`, `1 of 8`, `v2-1/8`; in `PATCHv21/8` the version swallowed the part. */
function countOf(text: string): { part: number; total: number | null; rest: string } | null {
  const found = COUNT.exec(text);
  if (!found) return null;
  const [whole, first = "", second = ""] = found;
  const before = text.slice(0, found.index);
  const rest = `${before} ${text.slice(found.index + whole.length)}`;
  if (/v$/iu.test(before) && first.length > 1 && Number(first) > Number(second) && second !== "n")
    return { part: Number(first.slice(1)), total: Number(second), rest: `${before}${first[0]} ` };
  return { part: Number(first), total: /\d/u.test(second) ? Number(second) : null, rest };
}

function readWord(word: string, marks: Marks): void {
  const version = VERSION.exec(word);
  const lower = word.toLowerCase();
  if (lower.startsWith("rfc")) marks.isRfc = true;
  if (version) setVersion(marks, Number(version[1]), word);
  else if (/^(?:re-?sen[dt]|repost(?:ed)?)\d*$/u.test(lower)) {
    marks.isResend = true;
    marks.tags.push(word);
  } else if (lower === "pull") marks.isPullRequest = true;
  else if (word !== "" && !/^patch(?:es|set)?$/u.test(lower)) marks.tags.push(word);
}

/** A plain version wins over one with a dot, which then names a tree: `[PATCH v5.10 v2]`. */
function setVersion(marks: Marks, version: number, word = ""): void {
  const isPlain = Number.isInteger(version);
  if (marks.hasVersion && !isPlain) marks.tags.push(word);
  else {
    if (marks.hasVersion && !Number.isInteger(marks.version)) marks.tags.push(`v${marks.version}`);
    marks.version = version;
    marks.hasVersion = true;
  }
}

/** `v5.10` and `v6.12` are branches of a stable tree; nobody sends the tenth revision of a fifth one. */
function settleVersion(marks: Marks): void {
  if (Number.isInteger(marks.version) || marks.version < 4) return;
  marks.tags.push(`v${marks.version}`);
  marks.version = 1;
  marks.hasVersion = false;
}

/** `PATCH v2 1/3: title` without brackets: only where all of it before the colon tells of a patch. */
function bare(text: string, marks: Marks): string {
  const found = /^\(?((?:patch|rfc)[^:()[\]]{0,60}?)(?:\)\s*:?|\]|:)\s+(?=\S)/iu.exec(text);
  if (!found) return text;
  const read = readMarks([found[1] ?? ""]);
  if (read.tags.some((tag) => !/^(?:rfc|rft|resend|repost|wip)$/iu.test(tag))) return text;
  Object.assign(marks, read);
  return text.slice(found[0].length);
}

function finish(text: string, marks: Marks, isReply: boolean, isForward: boolean): PatchSubject {
  const said = { ...marks };
  let title = text.trim();
  // Some write the count behind the title.
  const behind =
    said.part === null ? /\s*(?:\[(?:patch )?|\()(\d{1,4})\s*\/\s*(\d{1,4})[\])]$/iu.exec(title) : null;
  if (behind && (said.isMarked || title.endsWith("]"))) {
    title = title.slice(0, behind.index);
    said.part = Number(behind[1]);
    said.total = Number(behind[2]);
    said.isMarked = true;
  }
  const version = said.hasVersion ? null : /\(v(\d{1,3})\)/iu.exec(title);
  if (version) Object.assign(said, { version: Number(version[1]), hasVersion: true });
  const isPullRequest = said.isPullRequest || /^git[ _-]pull\b/iu.test(title);
  return { title, ...said, isReply, isForward, isPullRequest };
}

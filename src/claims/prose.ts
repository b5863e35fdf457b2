/** A signature starts here (RFC 3676, 4.3); many programs strip the space. */
const SIGNATURE = /^--\s*$/;
/** Programs that quote below a separator mark nothing: what follows is another's. */
const ORIGINAL = /^(?:-{2,}\s*(?:original|forwarded) message\s*-{2,}|_{20,})\s*$/i;
const DIFF_START = /^(?:diff --git |Index: \S|--- (?:a\/|\/dev\/null)|@@ -\d)/;
const DIFF_LINE =
  /^(?:[-+ @\\]|diff --git |Index: |={10,}|index [0-9a-f]|(?:new|deleted|old) (?:file )?mode |similarity |rename |copy |Binary files |\s*$)/;
const DIFFSTAT = /^ \S.*\|\s+(?:\d+|Bin)\b|^ \d+ files? changed/;
const TRAILER =
  /^(?:[A-Z][A-Za-z]*(?:-[A-Za-z]+)*-by|Cc|Fixes|Closes|Link|Message-Id|Change-Id|Based-on|Supersedes|Reported-at): \S/;
const LIST_ITEM = /^\s{0,3}(?:[-*+]|\d+[.)])\s+/;
const HEADING = /^#{1,6}\s/;
const FENCE = /^\s{0,3}(?:`{3,}|~{3,})/;

/**
 * What the author of a text wrote himself, as paragraphs of one line each: without quotes, attributions, signature,
 * trailers, diffs, code blocks and hidden comments. List items are paragraphs of their own.
 */
export function ownParagraphs(body: string): string[] {
  const lines = bodyLines(body);
  const paragraphs: string[][] = [[]];
  let inFence = false;
  let inDiff = false;
  let before: "blank" | "code" | "prose" = "blank";
  const breakHere = () => {
    if (paragraphs.at(-1)?.length !== 0) paragraphs.push([]);
  };
  for (const [at, line] of lines.entries()) {
    if (FENCE.test(line)) inFence = !inFence;
    inDiff = DIFF_START.test(line) || (inDiff && DIFF_LINE.test(line));
    const isCode: boolean = /^(?: {4}|\t)/.test(line) && before !== "prose";
    const isOther = inFence || FENCE.test(line) || inDiff || isCode || isAnothers(lines, at);
    if (isOther || line.trim() === "") {
      before = isCode ? "code" : "blank";
      breakHere();
      continue;
    }
    if (LIST_ITEM.test(line) || HEADING.test(line)) breakHere();
    before = "prose";
    paragraphs.at(-1)?.push(line.replace(LIST_ITEM, "").replace(HEADING, "").trim());
    if (HEADING.test(line)) breakHere();
  }
  return paragraphs.filter((paragraph) => paragraph.length > 0).map((paragraph) => paragraph.join(" "));
}

/** Lines up to the signature or the patch, without what a reader of the page does not see. */
function bodyLines(body: string): string[] {
  const lines = body
    .replaceAll("\r\n", "\n")
    .replaceAll(/<!--[\s\S]*?(?:-->|$)/g, "")
    .split("\n");
  // `---` below a commit message: notes for the list stand between it and the diffstat or the diff.
  const patch = lines.findLastIndex((line) => DIFFSTAT.test(line) || line.startsWith("diff --git "));
  const end = lines.findIndex(
    (line, at) => SIGNATURE.test(line) || ORIGINAL.test(line) || (at < patch && /^---\s*$/.test(line)),
  );
  return end === -1 ? lines : lines.slice(0, end);
}

function isAnothers(lines: readonly string[], at: number): boolean {
  const line = lines[at] ?? "";
  return /^\s{0,3}>/.test(line) || TRAILER.test(line) || attributionAt(lines, at) !== null;
}

/** `On <date>, <name> wrote:`, on one line or on two; null where the line is not part of one. */
export function attributionAt(lines: readonly string[], at: number): string | null {
  const whole = (...parts: (string | undefined)[]) => {
    const text = parts.map((part) => (part ?? ">").trim()).join(" ");
    return /^On\b(?:(?!\bwrote:).)*\bwrote:$/i.test(text) && text.length < 300 ? text : null;
  };
  const [before, line, next] = [lines[at - 1], lines[at], lines[at + 1]];
  if (line?.startsWith(">") === true) return null;
  return whole(line) ?? (next?.startsWith(">") === true ? null : whole(line, next)) ?? whole(before, line);
}

import type { Person } from "../domain/change.ts";
import { bodyText } from "./body-text.ts";
import { decodeText } from "./decode-text.ts";
import type { DiffFile } from "./diff-files.ts";
import { readInBodyHeaders } from "./in-body-headers.ts";
import { diffStart, readDiff } from "./read-diff.ts";
import type { MailPart } from "./read-mail.ts";
import { belowScissors } from "./scissors.ts";

/** The text of a patch mail taken apart. */
export type PatchBody = {
  from: Person | null;
  subject: string | null;
  /** Commit message with its trailers. */
  message: string;
  /** What is said beside the commit: below `---`, above scissors, behind the diff. */
  notes: string;
  /** The diff in the bytes that the sender's files have. */
  patch: Buffer;
  files: DiffFile[];
  /** Hunks that do not add up. */
  damage: string[];
  /** Commits in this one text. */
  patches: number;
};

type Text = Pick<MailPart, "content" | "charset" | "flowed" | "delSp">;

/** True where bytes hold a diff that starts a line, so that a quoted one (`> diff`) does not count. */
export function holdsPatch(part: Text): boolean {
  return diffStart(bodyText(part)) !== null;
}

/** True where bytes quote a diff as a reply does. */
export function quotesPatch(content: Buffer): boolean {
  return /^(?:> ?)+(?:diff --git |--- a\/|@@ -)/m.test(content.toString("latin1"));
}

/** Splits a text into in-body headers, message, notes and diff; null where it holds no diff. */
export function readPatchBody(part: Text): PatchBody | null {
  const text = bodyText(part);
  const diff = readDiff(text);
  if (diff === null) return null;
  const decode = (from: number, to?: number) =>
    decodeText(Buffer.from(text.slice(from, to), "latin1"), part.charset);
  const above = decode(0, diff.start);
  const below = belowScissors(above);
  const aside = above.slice(0, above.length - below.length);
  const { from, subject, rest } = readInBodyHeaders(below);
  const [message, notes] = splitNotes(rest);
  return {
    from,
    subject,
    message,
    notes: [aside, notes, decode(diff.end)].join("\n"),
    patch: Buffer.from(text.slice(diff.start, diff.end), "latin1"),
    files: diff.files,
    damage: diff.damage,
    patches: diff.patches,
  };
}

/** What is below `---` is for readers of the mail, not for the commit; a bare diffstat is neither. */
export function splitNotes(text: string): [message: string, notes: string] {
  const cut = /^---[ \t]*$/m.exec(text);
  const message = cut ? text.slice(0, cut.index) : withoutDiffstat(text);
  return [message.trim(), text.slice(cut ? cut.index + cut[0].length : message.length)];
}

/** Of a text without `---`; one too long to be a message is left alone. */
function withoutDiffstat(text: string): string {
  return text.length > 100_000 ? text : text.replace(DIFFSTAT, "\n");
}

const DIFFSTAT = /\n(?: ?[^\n|]{1,300}\| +(?:\d+|Bin)[^\n]*\n)+ \d+ files? changed[^\n]*\n[^]*$/;

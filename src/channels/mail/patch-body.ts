import type { Person } from "../../domain/change.ts";
import { decodeText } from "./decode-text.ts";
import { readPeople } from "./read-mail.ts";

/** The text of a patch mail taken apart. Bytes are kept as Latin-1 characters, so that the patch stays as it was. */
export type PatchBody = { from: Person | null; subject: string | null; message: string; patch: Buffer };

const DIFF_START = /^(?:diff --git |Index: .+\n=+\n|--- (?!\n)[^\n]+\n\+\+\+ [^\n]+\n@@ )/m;

/** True where bytes hold a diff that starts a line, so that a quoted one (`> diff`) does not count. */
export function holdsPatch(content: Buffer): boolean {
  return DIFF_START.test(unixLines(content.toString("latin1")));
}

/** True where bytes quote a diff as a reply does. */
export function quotesPatch(content: Buffer): boolean {
  return /^(?:> ?)+(?:diff --git |--- a\/|@@ -)/m.test(content.toString("latin1"));
}

/** Splits a text into in-body headers, message and diff; null where it holds no diff. */
export function readPatchBody(content: Buffer, charset: string | null, flowed: boolean): PatchBody | null {
  const bytes = content.toString("latin1");
  const text = flowed ? unstuff(bytes) : bytes;
  const start = diffStart(text);
  if (start === null) return null;
  const patch = Buffer.from(text.slice(start), "latin1");
  const above = unixLines(decodeText(Buffer.from(text.slice(0, start), "latin1"), charset));
  const { from, subject, rest } = readInBodyHeaders(above);
  return { from, subject, message: withoutNotes(rest), patch };
}

function unixLines(text: string): string {
  return text.replaceAll("\r\n", "\n");
}

/** Where the diff starts, in the text as it is, CRs included. */
function diffStart(text: string): number | null {
  const found = DIFF_START.exec(unixLines(text));
  if (!found) return null;
  const before = unixLines(text).slice(0, found.index).split("\n").length - 1;
  let at = 0;
  for (let line = 0; line < before; line += 1) at = text.indexOf("\n", at) + 1;
  return at;
}

/** RFC 3676: a space that starts a line was put there by the mail program. */
function unstuff(text: string): string {
  return text.replaceAll(/^ /gm, "");
}

/** `From:`, `Subject:` and `Date:` above the message, as `git format-patch --from` puts them. */
function readInBodyHeaders(text: string): { from: Person | null; subject: string | null; rest: string } {
  const lines = text.replace(/^\n+/, "").split("\n");
  let from: Person | null = null;
  let subject: string | null = null;
  let at = 0;
  for (; at < lines.length; at += 1) {
    const [, name, value = ""] = /^>?(From|Subject|Date): (.*)$/.exec(lines[at] ?? "") ?? [];
    if (name === undefined) break;
    if (name === "From") from = readPeople(value)[0] ?? null;
    if (name === "Subject") subject = value.trim();
  }
  const isHeader = at > 0 && (lines[at] ?? "").trim() === "";
  return isHeader
    ? { from, subject, rest: lines.slice(at).join("\n") }
    : { from: null, subject: null, rest: text };
}

/** What is below `---` is for readers of the mail, not for the commit. */
function withoutNotes(text: string): string {
  const cut = /^---\s*$/m.exec(text);
  return (cut ? text.slice(0, cut.index) : text).trim();
}

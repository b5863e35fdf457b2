import { createHash } from "node:crypto";
import { MAX_MAIL_BYTES } from "../domain/mail.ts";
import { decodeText, knowsCharset } from "./decode-text.ts";
import { readBaseHints, readSupersedes } from "./base-hints.ts";
import { findPatch, isPacked, type FoundPatch } from "./find-patch.ts";
import { readInBodyHeaders } from "./in-body-headers.ts";
import { batchOf } from "./batch.ts";
import { readMailCommands } from "./mail-commands.ts";
import { optOutOf } from "./opt-outs.ts";
import { quotesPatch, splitNotes } from "./patch-body.ts";
import { patchIdOf } from "./patch-id.ts";
import { readPatchSubject, type PatchSubject } from "./patch-subject.ts";
import { senderOf } from "./people.ts";
import { readAnyMail } from "./read-any-mail.ts";
import { readDate } from "./read-date.ts";
import type { Mail } from "./read-mail.ts";
import { isReview, robotOf } from "./robots.ts";
import { readTags, readTrailers } from "./trailers.ts";
import type { Flaw, Message, MessageType } from "./types.ts";
import { readBareDiff, withUnixHead } from "./unix-head.ts";
import { unquotedLines, withoutQuotes } from "./unquoted.ts";

/** The oldest date that a mail with a patch can have: there was no git, nor a list of its users, before. */
const OLDEST = Date.UTC(1990, 0, 1);
/** Bytes that are read of a mail that is too large. */
const HEAD_BYTES = 64 * 1024;
const MANY_REFERENCES = 200;

/**
 * Reads any bytes as a mail of a list; where `raw` is only the start of a mail that is too large, `bytes` is how many it has.
 * Never throws: whatever is odd about it is in `flaws`.
 */
export async function readMessage(raw: Buffer, bytes = raw.length): Promise<Message> {
  const isLarge = bytes > MAX_MAIL_BYTES;
  const plain = isLarge ? null : readBareDiff(raw);
  const head = isLarge ? raw.subarray(0, HEAD_BYTES) : raw;
  const { mail, flaws } = plain ? { mail: plain, flaws: [] } : await readAnyMail(withUnixHead(head), bytes);
  const subject = readPatchSubject(mail.subject);
  const found = mail.contentType === "multipart/report" ? null : await findPatch(mail);
  const type = typeOf(mail, subject, found);
  return {
    ...fieldsOf(mail, subject, found, type),
    ...contentOf(mail, subject, found, type, [...flaws, ...oddities(mail, raw)]),
  };
}

function typeOf(mail: Mail, subject: PatchSubject, found: FoundPatch | null): MessageType {
  const isThreaded = mail.inReplyTo !== null || mail.references.length > 0;
  if (mail.contentType === "multipart/report") return "other";
  if (subject.isReply) return "reply";
  if (subject.isForward) return "other";
  if (subject.part === 0 && subject.isMarked) return "cover";
  if (subject.isPullRequest && subject.total === null) return "other";
  if (found) return isThreaded && !subject.isMarked && isReview(mail.text) ? "reply" : "patch";
  const isAnswer =
    !subject.isMarked || /^>/m.test(mail.text) || mail.parts.some((part) => quotesPatch(part.content));
  if (isThreaded && isAnswer) return "reply";
  return "other";
}

type Identity = Omit<Message, ContentField>;
type ContentField =
  | "patch"
  | "message"
  | "base"
  | "trailers"
  | "tags"
  | "supersedes"
  | "commands"
  | "optOut"
  | "flaws"
  | "fingerprint";

function fieldsOf(mail: Mail, subject: PatchSubject, found: FoundPatch | null, type: MessageType): Identity {
  const sender = senderOf(mail);
  const id = mail.messageId ?? derivedId(mail);
  const inBody = type === "cover" || type === "other" ? readInBodyHeaders(mail.text) : null;
  const author = type === "reply" ? sender : (found?.from ?? inBody?.from ?? sender);
  const own =
    type === "patch" && found?.subject != null && found.subject !== ""
      ? readPatchSubject(found.subject).title
      : null;
  return {
    id,
    isDerivedId: mail.messageId === null,
    type,
    subject: mail.subject === "" ? (found?.subject ?? "") : mail.subject,
    title: own ?? subject.title,
    version: subject.version,
    hasVersion: subject.hasVersion,
    part: subject.part,
    total: subject.total,
    isMarked: subject.isMarked,
    isRfc: subject.isRfc,
    isResend: subject.isResend,
    isPullRequest: subject.isPullRequest || isPullText(mail, found),
    date: plausible(mail.date),
    receivedAt: receivedAt(mail),
    author,
    sender: sender.address === "" ? author : sender,
    inReplyTo: mail.inReplyTo === id ? null : mail.inReplyTo,
    references: mail.references.filter((reference) => reference !== id),
    batch: batchOf(mail),
    robot: robotOf(mail),
  };
}

function contentOf(
  mail: Mail,
  subject: PatchSubject,
  found: FoundPatch | null,
  type: MessageType,
  flaws: Flaw[],
): Pick<Message, ContentField> {
  const isPatch = type === "patch" && found !== null;
  const own = unquotedLines(mail.text);
  const said = isPatch ? withoutQuotes(`${found.message}\n${found.notes}`.split("\n")) : own;
  const message = isPatch ? found.message : type === "cover" ? coverText(mail) : "";
  const optOut = optOutOf(mail, subject, own);
  return {
    patch: isPatch ? { content: found.patch, id: patchIdOf(found.patch), files: found.files } : null,
    message,
    base: readBaseHints(said, type === "reply" ? [] : subject.tags),
    trailers: isPatch || type === "cover" ? readTrailers(message) : [],
    tags: type === "reply" ? readTags(own) : [],
    supersedes: readSupersedes(said),
    commands: readMailCommands(own),
    optOut,
    flaws: [...flaws, ...flawsOf(mail, subject, found, type)],
    fingerprint: createHash("sha256")
      .update(fingerprintText(mail, subject, found, type))
      .digest("hex"),
  };
}

/** What the cover says: without its diffstat, list of patches and signature those are its lines up to `-- `. */
function coverText(mail: Mail): string {
  const { rest } = readInBodyHeaders(mail.text);
  const end = rest.search(/^-- $/m);
  return splitNotes(end === -1 ? rest : rest.slice(0, end))[0];
}

function flawsOf(mail: Mail, subject: PatchSubject, found: FoundPatch | null, type: MessageType): Flaw[] {
  const flaws: Flaw[] = type === "patch" ? [...(found?.flaws ?? [])] : [];
  const packed = mail.parts.flatMap((part) => isPacked(part) ?? []);
  if (packed.length > 0)
    flaws.push({
      code: "packed",
      message: `it has an attachment packed with ${packed[0]}, which is not opened`,
    });
  const unknown = mail.parts.find((part) => !knowsCharset(part.charset));
  if (unknown)
    flaws.push({
      code: "charset-unknown",
      message: `it names a charset that nobody knows: ${JSON.stringify(unknown.charset?.slice(0, 60))}`,
    });
  const isHtml = mail.parts.length > 0 && mail.parts.every((part) => part.contentType === "text/html");
  if (isHtml) flaws.push({ code: "html-only", message: "it is HTML only" });
  if (type === "reply" && found)
    flaws.push({ code: "patch-in-reply", message: "it is a reply: its diff is a comment" });
  if (type === "other" && subject.isMarked && !subject.isPullRequest)
    flaws.push({ code: "no-patch", message: "its subject tells of a patch, and it holds none" });
  if (subject.isMarked && subject.total === 0)
    flaws.push({ code: "total-zero", message: "it counts no parts" });
  return flaws;
}

function oddities(mail: Mail, raw: Buffer): Flaw[] {
  const flaws: Flaw[] = [];
  const add = (code: Flaw["code"], message: string) => flaws.push({ code, message });
  const head = raw.subarray(0, 64 * 1024);
  if (raw.toString("latin1", 0, 100).trim() === "") add("empty", "it is empty");
  if (mail.messageId === null)
    add("message-id-missing", "it has no Message-ID: one was made from its content");
  if (head.includes(0)) add("nul-bytes", "it holds NUL bytes");
  if (mail.from === null) add("from-missing", "nobody can be read from its From");
  if (mail.date === null) add("date-missing", "it has no date that can be read");
  else if (plausible(mail.date) === null)
    add("date-implausible", `its date is ${mail.date.toISOString().slice(0, 10)}`);
  if (mail.references.length > MANY_REFERENCES)
    add("references-many", `it names ${mail.references.length} References`);
  for (const name of ["from", "subject", "date", "message-id", "in-reply-to"]) {
    const values = new Set(mail.headers.get(name));
    if (values.size > 1)
      add("header-doubled", `it has ${values.size} different ${name} headers: the first counts`);
  }
  return flaws;
}

function plausible(date: Date | null): Date | null {
  return date !== null && date.getTime() >= OLDEST && date.getUTCFullYear() < 2090 ? date : null;
}

/** The date of the topmost Received header: of all servers, the one that is nearest wrote it. */
function receivedAt(mail: Mail): Date | null {
  const [first = ""] = mail.headers.get("received") ?? [];
  const date = first.lastIndexOf(";");
  return date === -1 ? null : plausible(readDate(first.slice(date + 1)));
}

/** What `git request-pull` writes. */
function isPullText(mail: Mail, found: FoundPatch | null): boolean {
  return found === null && /^The following changes since commit [0-9a-f]{7,}/m.test(mail.text);
}

function derivedId(mail: Mail): string {
  const hash = createHash("sha256").update(
    [mail.from?.address ?? "", mail.date?.toISOString() ?? "", mail.subject].join("\0"),
  );
  for (const part of mail.parts) hash.update(part.content);
  return `<${hash.digest("hex").slice(0, 32)}@derived.tare.invalid>`;
}

function fingerprintText(
  mail: Mail,
  subject: PatchSubject,
  found: FoundPatch | null,
  type: MessageType,
): string {
  const body =
    type === "patch" && found
      ? `${found.message}\n${patchIdOf(found.patch) ?? found.patch.toString("latin1")}`
      : withoutFooters(mail);
  return [type, subject.title, subject.version, subject.part ?? "", body]
    .join("\0")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** Lists append a footer below a line of underscores or dashes, each its own. */
function withoutFooters(mail: Mail): string {
  const text =
    mail.text === ""
      ? mail.parts.map((part) => decodeText(part.content, part.charset)).join("\n")
      : mail.text;
  return text.replace(/\n(?:_{20,}|-{20,}|-- )\n[^]*$/, "");
}

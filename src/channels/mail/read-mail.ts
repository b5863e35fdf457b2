import { MailParser, parseAddressHeader } from "mailparser";
import type { AddressObject, AttachmentStream, HeaderLines, MessageText } from "mailparser";
import type { Person } from "../../domain/change.ts";
import { MAX_MAIL_BYTES } from "../../domain/mail.ts";
import { Problem } from "../../domain/problem.ts";
import { decodeText } from "./decode-text.ts";

/** One leaf of a mail: its bytes as decoded from the transfer encoding, in the charset that the sender used. */
export type MailPart = {
  contentType: string;
  charset: string | null;
  filename: string | null;
  flowed: boolean;
  content: Buffer;
};

/** A mail as it came, before anybody asks what it is for. Ids keep their angle brackets. */
export type Mail = {
  messageId: string | null;
  inReplyTo: string | null;
  references: string[];
  subject: string;
  from: Person | null;
  to: Person[];
  cc: Person[];
  replyTo: Person | null;
  date: Date | null;
  /** Without angle brackets, for example `ci.example.org`. */
  listId: string | null;
  /** Address that posts to the list. */
  listPost: string | null;
  /** Headers that decide whether an answer is wanted, as written; null where there is none. */
  autoSubmitted: string | null;
  precedence: string | null;
  /** Empty for bounces. */
  returnPath: string | null;
  patchworkHint: string | null;
  tareHint: string | null;
  contentType: string;
  /** Text of the first plain part, as its charset says. */
  text: string;
  parts: MailPart[];
};

/** Reads one mail. Problem `mail-unreadable` for one that is too large or too intricate. */
export async function readMail(raw: Buffer): Promise<Mail> {
  checkSize(raw);
  const { lines, subject, addresses, parts } = await parse(raw);
  const field = (name: string) => headerText(lines, name);
  const ids = (name: string) => field(name)?.match(/<[^<>\s]+>/g) ?? [];
  const plain = parts.find((part) => part.contentType === "text/plain");
  const date = Date.parse((field("date") ?? "").slice(0, 100).replace(/\s*\([^)]*\)\s*$/, ""));
  return {
    messageId: ids("message-id")[0] ?? null,
    inReplyTo: ids("in-reply-to")[0] ?? null,
    references: ids("references"),
    subject,
    from: addresses("from")[0] ?? null,
    to: addresses("to"),
    cc: addresses("cc"),
    replyTo: addresses("reply-to")[0] ?? null,
    date: Number.isNaN(date) ? null : new Date(date),
    listId: /<([^<>\s]+)>/.exec(field("list-id") ?? "")?.[1] ?? field("list-id"),
    listPost: /<mailto:([^<>\s?]+)/i.exec(field("list-post") ?? "")?.[1] ?? null,
    autoSubmitted: field("auto-submitted"),
    precedence: field("precedence"),
    returnPath: field("return-path")?.replaceAll(/[<>\s]/g, "") ?? null,
    patchworkHint: field("x-patchwork-hint"),
    tareHint: field("x-tare"),
    contentType: (field("content-type") ?? "text/plain").split(";")[0]?.trim().toLowerCase() ?? "text/plain",
    text: plain ? decodeText(plain.content, plain.charset).replaceAll("\r\n", "\n") : "",
    parts,
  };
}

/** Before anything is parsed: parsing costs ten times the bytes. */
export function checkSize(raw: Buffer): void {
  if (raw.length <= MAX_MAIL_BYTES) return;
  throw new Problem(
    "mail-unreadable",
    `The mail has ${raw.length} bytes; the limit is ${MAX_MAIL_BYTES}.`,
    "Send a smaller patch, or name a revision of the repository.",
  );
}

/** People of an address header's text; groups are flattened, entries without an address left out. */
export function readPeople(text: string): Person[] {
  return people(parseAddressHeader(text, { flatten: true }));
}

function people(value: AddressObject): Person[] {
  return value.value.flatMap((entry) => {
    if (entry.group) return people({ value: entry.group, html: "", text: "" });
    return entry.address ? [{ name: entry.name, address: entry.address }] : [];
  });
}

async function parse(raw: Buffer) {
  const parser = new MailParser({ skipImageLinks: true, checksumAlgo: false, maxChildNodes: 100 });
  // Text parts are taken as attachments are: as bytes. Decoded text would not fit files in another charset.
  Object.assign(parser, { textTypes: [] });
  const parts: MailPart[] = [];
  let lines: HeaderLines = [];
  let subject = "";
  let addresses: (name: string) => Person[] = () => [];
  parser.on("headerLines", (found) => (lines = found));
  parser.on("headers", (headers) => {
    subject = stringOr(headers.get("subject")) ?? "";
    addresses = (name) =>
      [headers.get(name) ?? []].flat().flatMap((value) => (isAddresses(value) ? people(value) : []));
  });
  parser.end(raw);
  try {
    for await (const piece of parser as AsyncIterable<AttachmentStream | MessageText>) {
      if (piece.type === "attachment") parts.push(await readPart(piece));
    }
  } catch (error) {
    throw new Problem(
      "mail-unreadable",
      "The mail cannot be read: its structure is damaged or too intricate.",
      "Send the patch as plain text, as `git send-email` does.",
      [error instanceof Error ? error.message : String(error)],
    );
  }
  return { lines, subject, addresses, parts };
}

async function readPart(piece: AttachmentStream): Promise<MailPart> {
  const chunks: Buffer[] = [];
  for await (const chunk of piece.content) chunks.push(Buffer.from(chunk));
  piece.release?.();
  const parameters = parametersOf(piece.headers.get("content-type"));
  return {
    contentType: piece.contentType || "text/plain",
    charset: stringOr(parameters["charset"]),
    filename: stringOr(piece.filename),
    flowed: stringOr(parameters["format"])?.toLowerCase() === "flowed",
    content: Buffer.concat(chunks),
  };
}

function parametersOf(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || !("params" in value)) return {};
  return typeof value.params === "object" ? { ...value.params } : {};
}

function stringOr(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function isAddresses(value: unknown): value is AddressObject {
  return typeof value === "object" && value !== null && "value" in value && Array.isArray(value.value);
}

/** First header of that name, unfolded. */
function headerText(lines: HeaderLines, name: string): string | null {
  const line = lines.find((entry) => entry.key === name)?.line;
  return line === undefined
    ? null
    : line
        .slice(line.indexOf(":") + 1)
        .replaceAll(/\r?\n[ \t]+/g, " ")
        .trim();
}

import { isUtf8 } from "node:buffer";
import { MailParser, parseAddressHeader } from "mailparser";
import type { AddressObject, AttachmentStream, HeaderLines, MessageText } from "mailparser";
import type { Person } from "../domain/change.ts";
import { MAX_MAIL_BYTES } from "../domain/mail.ts";
import { Problem } from "../domain/problem.ts";
import { bodyText } from "./body-text.ts";
import { decodeText } from "./decode-text.ts";
import { readDate } from "./read-date.ts";
import { readIds } from "./message-ids.ts";

/** One leaf of a mail: its bytes as decoded from the transfer encoding, in the charset that the sender used. */
export type MailPart = {
  contentType: string;
  charset: string | null;
  filename: string | null;
  /** `format=flowed`, and whether the space at a soft line break is to be deleted. */
  flowed: boolean;
  delSp: boolean;
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
  returnPath: string | null;
  patchworkHint: string | null;
  tareHint: string | null;
  contentType: string;
  /** All headers by lower-case name, unfolded, as written; of doubled ones all values in order. */
  headers: ReadonlyMap<string, readonly string[]>;
  /** Text of the plain parts, as their charsets say. */
  text: string;
  parts: MailPart[];
};

/** Reads one mail. Problem `mail-unreadable` for one that is too large or too intricate. */
export async function readMail(raw: Buffer): Promise<Mail> {
  checkSize(raw);
  const readable = withReadableHead(raw);
  const mail = mailOf(await parse(readable));
  if (mail.parts.length > 0 || !mail.contentType.startsWith("multipart/")) return mail;
  // Its boundary is nowhere in it: what stands there is read as text, as most programs show it.
  const { parts, text } = mailOf(await parse(withoutType(readable)));
  return { ...mail, parts, text };
}

/** The mail without what its head says of its body. */
function withoutType(raw: Buffer): Buffer {
  const text = raw.toString("latin1");
  const end = /\r?\n\r?\n/.exec(text)?.index ?? text.length;
  const head = text.slice(0, end).replaceAll(/^content-type:[^\n]*(?:\n[ \t][^\n]*)*\n?/gim, "");
  return Buffer.from(`${head.trimEnd()}${text.slice(end)}`, "latin1");
}

/** Headers in another charset than UTF-8: mailparser takes all of them for UTF-8, and loses what is not. */
function withReadableHead(raw: Buffer): Buffer {
  const end = raw.indexOf("\n\n");
  const crlf = raw.indexOf("\r\n\r\n");
  const at = [end, crlf].filter((one) => one !== -1).toSorted((a, b) => a - b)[0] ?? raw.length;
  const head = raw.subarray(0, at);
  if (isUtf8(head)) return raw;
  const charset = /^content-type:[^\n]*(?:\n[ \t][^\n]*)*?charset="?([\w.:-]+)/im.exec(
    head.toString("latin1"),
  )?.[1];
  return Buffer.concat([Buffer.from(decodeText(head, charset ?? null), "utf8"), raw.subarray(at)]);
}

function mailOf({ lines, subject, addresses, parts }: Parsed): Mail {
  const headers = headersOf(lines);
  const field = (name: string) => headers.get(name)?.[0] ?? null;
  const ids = (name: string) => readIds(headers.get(name)?.join(" ") ?? "");
  return {
    messageId: ids("message-id")[0] ?? null,
    inReplyTo: ids("in-reply-to")[0] ?? null,
    references: ids("references"),
    subject,
    from: addresses("from")[0] ?? null,
    to: addresses("to"),
    cc: addresses("cc"),
    replyTo: addresses("reply-to")[0] ?? null,
    date: readDate(field("date")),
    listId: /<([^<>\s]+)>/.exec(field("list-id") ?? "")?.[1] ?? field("list-id"),
    listPost: /<mailto:([^<>\s?]+)/i.exec(field("list-post") ?? "")?.[1] ?? null,
    autoSubmitted: field("auto-submitted"),
    precedence: field("precedence"),
    returnPath: field("return-path")?.replaceAll(/[<>\s]/g, "") ?? null,
    patchworkHint: field("x-patchwork-hint"),
    tareHint: field("x-tare"),
    contentType: (field("content-type") ?? "text/plain").split(";")[0]?.trim().toLowerCase() ?? "text/plain",
    headers,
    text: textOf(parts),
    parts,
  };
}

/** Plain parts one after the other: what a list appends is often a part of its own. */
function textOf(parts: readonly MailPart[]): string {
  const plain = parts.filter((part) => part.contentType === "text/plain" && part.filename === null);
  return plain.map((part) => decodeText(Buffer.from(bodyText(part), "latin1"), part.charset)).join("\n");
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
  return people(parseAddressHeader(text.slice(0, 10_000), { flatten: true }));
}

function people(value: AddressObject): Person[] {
  return value.value.flatMap((entry) => {
    if (entry.group) return people({ value: entry.group, html: "", text: "" });
    return entry.address ? [{ name: entry.name, address: entry.address }] : [];
  });
}

type Parsed = {
  lines: HeaderLines;
  subject: string;
  addresses: (name: string) => Person[];
  parts: MailPart[];
};

async function parse(raw: Buffer): Promise<Parsed> {
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
    delSp: stringOr(parameters["delsp"])?.toLowerCase() === "yes",
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

function headersOf(lines: HeaderLines): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { key, line } of lines) {
    const value = line
      .slice(line.indexOf(":") + 1)
      .replaceAll(/\r?\n[ \t]+/g, " ")
      .trim();
    const values = found.get(key);
    if (values === undefined) found.set(key, [value]);
    else if (values.length < 100) values.push(value);
  }
  return found;
}

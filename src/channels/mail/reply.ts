import { createHash } from "node:crypto";
import type { Person } from "../../domain/change.ts";
import { plainAddress } from "./own-address.ts";
import type { PatchMail } from "../../series/parse-patch-mail.ts";

/** A mail to be sent: plain text, addresses as names and addresses, ids with their angle brackets. */
export type MailMessage = {
  from: Person;
  replyTo: Person | null;
  to: Person[];
  cc: Person[];
  subject: string;
  messageId: string;
  inReplyTo: string | null;
  references: string[];
  headers: Record<string, string>;
  text: string;
};

export type ReplySettings = {
  from: Person;
  /** A mailbox that somebody reads. */
  replyTo?: Person;
  /** Right-hand side of Message-IDs. */
  domain: string;
  /** Names the run: the same run gives the same Message-ID, so that a resend is recognised. */
  runHash: string;
  baseShort: string;
  result: string;
};

/** Characters that end a header or hide in one. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;

/**
 * The answer to a patch mail: threaded below it, to its author, with everybody of the thread in copy.
 * Pure: the same mail, body and settings give the same message, to the letter.
 */
export function composeReply(mail: PatchMail, body: string, settings: ReplySettings): MailMessage {
  const ownPeople = [settings.from, ...(settings.replyTo ? [settings.replyTo] : [])];
  const own = new Set(ownPeople.map((person) => plainAddress(person.address)));
  const seen = new Set<string>();
  const fresh = (person: Person) => (own.has(plainAddress(person.address)) ? [] : unseen(person, seen));
  const to = fresh(mail.author);
  const list = mail.listPost === null ? [] : [{ name: "", address: mail.listPost }];
  const sender = mail.from === null || isList(mail.from, mail.listPost) ? [] : [mail.from];
  const cc = [...sender, ...mail.to, ...mail.cc, ...list].flatMap(fresh);
  return {
    from: clean(settings.from),
    replyTo: settings.replyTo ? clean(settings.replyTo) : null,
    // Without an author's address the copies are all there is.
    to: to.length > 0 ? to : cc.splice(0, 1),
    cc,
    subject: replySubject(mail),
    messageId: messageIdOf(mail, settings),
    inReplyTo: validIds([mail.messageId])[0] ?? null,
    references: parents(mail),
    headers: {
      "Auto-Submitted": "auto-replied",
      "X-Auto-Response-Suppress": "All",
      Precedence: "bulk",
      "X-Tare-Run": oneLine(settings.runHash),
      "X-Tare-Base": oneLine(settings.baseShort),
      "X-Tare-Result": oneLine(settings.result),
    },
    text: `${body.replaceAll("\r\n", "\n").replace(/\n+$/, "")}\n`,
  };
}

/** The person, unless its address is no address or was named before. */
function unseen(person: Person, seen: Set<string>): Person[] {
  const candidate = clean(person);
  const key = candidate.address.toLowerCase();
  if (!/^[^\s<>()[\]\\,;:"@]+@[^\s<>()[\]\\,;:"@]+$/.test(candidate.address)) return [];
  if (seen.has(key)) return [];
  seen.add(key);
  return [candidate];
}

function isList(person: Person, listPost: string | null): boolean {
  return person.address.toLowerCase() === listPost?.toLowerCase();
}

function clean(person: Person): Person {
  return { name: oneLine(person.name), address: oneLine(person.address) };
}

function oneLine(text: string): string {
  return text.replaceAll(CONTROLS, " ").trim();
}

function replySubject(mail: PatchMail): string {
  const subject = oneLine(mail.subject).replace(/^(?:re:\s*)+/i, "");
  return `Re: ${subject === "" ? oneLine(mail.title) || "your patch" : subject}`;
}

/** The parent's References and the parent; where it has none, In-Reply-To stands in (RFC 5322, 3.6.4). */
function parents(mail: PatchMail): string[] {
  const before = mail.references.length > 0 ? mail.references : [mail.inReplyTo];
  return [...new Set(validIds([...before, mail.messageId]))];
}

function validIds(ids: readonly (string | null)[]): string[] {
  return ids.filter((id): id is string => id !== null && /^<[!-;=?-~]+>$/.test(id));
}

function messageIdOf(mail: PatchMail, settings: ReplySettings): string {
  const thread = createHash("sha256")
    .update(mail.messageId ?? mail.patch)
    .digest("hex")
    .slice(0, 16);
  const run = settings.runHash.replaceAll(/[^A-Za-z0-9]/g, "");
  const domain = settings.domain.replaceAll(/[^A-Za-z0-9.-]/g, "");
  return `<tare.${thread}.${mail.version}.${run}@${domain}>`;
}

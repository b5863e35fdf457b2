import { optOutOf } from "../../series/opt-outs.ts";
import { readPatchSubject } from "../../series/patch-subject.ts";
import type { Mail } from "../../series/read-mail.ts";
import { notForAnswer, robotOf } from "../../series/robots.ts";
import { unquotedLines } from "../../series/unquoted.ts";
import { plainAddress } from "./own-address.ts";

/** Whether Tare may answer a mail at all; `why` goes to the log, nothing is sent. */
export type Answerable = { answer: true } | { answer: false; why: string };

/**
 * Keeps two machines from answering each other (RFC 3834) and honours those who do not want an answer.
 * `ownAddresses` are those that Tare sends from and reads; forms with `+` count as the same.
 */
export function shouldAnswer(mail: Omit<Mail, "parts">, ownAddresses: readonly string[]): Answerable {
  const why = reason(mail, new Set(ownAddresses.map(plainAddress)));
  return why === null ? { answer: true } : { answer: false, why };
}

function reason(mail: Omit<Mail, "parts">, own: Set<string>): string | null {
  const subject = readPatchSubject(mail.subject);
  if (senders(mail).some((address) => own.has(plainAddress(address))))
    return "it is from one of Tare's own addresses";
  return robotOf(mail) ?? optOutOf(mail, subject, unquotedLines(mail.text)) ?? notForAnswer(subject, mail);
}

/** A list that rewrites From leaves the sender in another header. */
function senders(mail: Omit<Mail, "parts">): string[] {
  const other = ["sender", "x-original-from", "x-original-sender", "resent-from"].flatMap(
    (name) => mail.headers.get(name) ?? [],
  );
  const addresses = other.flatMap((text) => text.match(/[^\s<>()",;:]+@[^\s<>()",;:]+/g) ?? []);
  const all = [mail.from?.address, mail.replyTo?.address, mail.returnPath, ...addresses];
  return all.filter(
    (address): address is string => address !== undefined && address !== null && address !== "",
  );
}

import { plainAddress } from "./own-address.ts";
import { readPatchSubject } from "./patch-subject.ts";
import type { Mail } from "./read-mail.ts";

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
  const from = mail.from?.address ?? "";
  const automatic = word(mail.autoSubmitted);
  if (automatic !== "" && automatic !== "no") return `Auto-Submitted is ${automatic}`;
  if (own.has(plainAddress(from))) return "it is from one of Tare's own addresses";
  if (mail.returnPath === "") return "its return path is null: it is a bounce";
  if (mail.contentType === "multipart/report") return "it is a delivery report";
  if (/^(?:mailer-daemon|postmaster)@/i.test(from)) return "it is from a mail system";
  if (["bulk", "junk"].includes(word(mail.precedence))) return `Precedence is ${word(mail.precedence)}`;
  if (word(mail.patchworkHint) === "ignore") return "X-Patchwork-Hint says ignore";
  if (word(mail.tareHint) === "ignore") return "X-Tare says ignore";
  if (/^tare:[ \t]*no[ \t]*$/im.test(mail.text)) return "a line of it says `tare: no`";
  if (subject.isPullRequest) return "it is a pull request";
  if (subject.isReply) return "it is a reply";
  return null;
}

/** First word of a header's value, without parameters and comments. */
function word(value: string | null): string {
  return /^[\s]*([a-z-]+)/i.exec(value ?? "")?.[1]?.toLowerCase() ?? "";
}

import type { PatchSubject } from "./patch-subject.ts";
import type { Mail } from "./read-mail.ts";

/** Why nobody wants an answer to this mail or its series; null where nobody says so. `lines` are the sender's own. */
export function optOutOf(
  mail: Pick<Mail, "patchworkHint" | "tareHint">,
  subject: PatchSubject,
  lines: readonly string[],
): string | null {
  if (word(mail.patchworkHint) === "ignore") return "X-Patchwork-Hint says ignore";
  if (word(mail.tareHint) === "ignore") return "X-Tare says ignore";
  if (lines.some((line) => /^tare:[ \t]*no[ \t]*$/i.test(line))) return "a line of it says `tare: no`";
  return subject.isPullRequest ? "it is a pull request" : null;
}

/** First word of a header's value, without parameters and comments. */
export function word(value: string | null): string {
  return /^\s*([a-z-]+)/i.exec(value ?? "")?.[1]?.toLowerCase() ?? "";
}

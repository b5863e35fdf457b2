import { readClaims } from "../../src/claims/read-claims.ts";
import type { Assertion, RecognisedClaim, ThreadText } from "../../src/claims/types.ts";

/** A reply of this body. */
export function reply(body: string, given: Partial<ThreadText> = {}): ThreadText {
  return {
    author: "Ada Reviewer",
    date: "2026-03-01T09:00:00.000Z",
    messageId: "<reply-1@example.org>",
    inReplyTo: "<change@example.org>",
    body,
    ...given,
  };
}

/** The change's own message, which replies answer. */
export const CHANGE: ThreadText = {
  author: "Ben Author",
  date: "2026-03-01T08:00:00.000Z",
  messageId: "<change@example.org>",
  inReplyTo: null,
  body: "ci: build the images with kaniko\n",
};

/** Claims of one reply, the change's message being at hand. */
export function claimsIn(body: string): RecognisedClaim[] {
  return readClaims([CHANGE, reply(body)]);
}

/** `storage multiplied 2+`, `login not needed`, with `?` behind a question. */
export function inShort({
  assertion,
  isQuestion,
}: Pick<RecognisedClaim, "assertion" | "isQuestion">): string {
  return `${nameOf(assertion)}${isQuestion ? "?" : ""}`;
}

function nameOf(assertion: Assertion): string {
  const { kind } = assertion;
  if (kind === "storage multiplied") return `storage ${assertion.factor}${assertion.atLeast ? "+" : ""}`;
  if (kind === "growth by edits") return assertion.factor === null ? "growth" : `growth ${assertion.factor}`;
  if (kind === "cleanup") return assertion.factor === null ? "cleanup" : `cleanup ${assertion.factor}`;
  if (kind === "compute") return `compute ${assertion.says}${assertion.without ? " without cache" : ""}`;
  if (kind === "memory") return assertion.reproducible ? "memory of reproducible" : "memory";
  return `${kind} ${assertion.says}`;
}

/** A claim as `claimsIn` gives it, for what answers it. */
export function claimOf(assertion: Assertion, isQuestion = false): RecognisedClaim {
  const source = { author: "Ada Reviewer", date: null, messageId: null, quotedIn: null };
  return { ...source, quote: "It is as I say.", isQuestion, assertion };
}

import { builders } from "./builders/index.ts";
import { answerClaims, groupAnswers } from "./claims/answer-claims.ts";
import { GITLAB_COMPUTE_FACTORS } from "./claims/compute-factors.ts";
import { factsOf } from "./claims/facts-of.ts";
import { readClaims } from "./claims/read-claims.ts";
import type { ThreadText } from "./claims/types.ts";
import type { Change } from "./domain/change.ts";
import type { Claim } from "./domain/claim.ts";
import { BUILDERS } from "./domain/recipe.ts";
import type { Report } from "./domain/report.ts";

/** The claims of a change's own message and of its thread, held against a report. */
export function claimsOf(change: Change, thread: readonly ThreadText[], report: Report): Claim[] {
  return answersTo(textsOf(change, thread), report);
}

/** Claims of some messages, held against a report. */
export function answersTo(texts: readonly ThreadText[], report: Report): Claim[] {
  const claims = readClaims(texts);
  if (claims.length === 0) return [];
  const needs = Object.fromEntries(BUILDERS.map((builder) => [builder, builders[builder].needs]));
  // Only GitLab charges minutes by a factor that is known.
  const computeFactors = report.ledger.id === "namespace" ? GITLAB_COMPUTE_FACTORS : [];
  const answers = groupAnswers(answerClaims(claims, factsOf(report, { computeFactors, needs })));
  return answers.map(({ claim, mark, sentence, alike }) => ({
    kind: claim.assertion.kind,
    quote: claim.quote,
    author: claim.author,
    date: claim.date,
    messageId: claim.messageId,
    mark,
    sentence,
    alike: alike.map(({ quote, author }) => ({ quote, author })),
  }));
}

/** The change's message first, unless the thread holds it. */
function textsOf(change: Change, thread: readonly ThreadText[]): ThreadText[] {
  const own: ThreadText = {
    author: change.author.name || change.author.address,
    date: null,
    messageId: change.id,
    inReplyTo: null,
    body: change.message,
  };
  return thread.some(({ messageId }) => messageId === change.id) ? [...thread] : [own, ...thread];
}

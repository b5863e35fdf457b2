import { answerCompute, answerForks, answerMemory } from "./answer-runs.ts";
import { answerCleanup, answerGrowth, answerMultiplied } from "./answer-storage.ts";
import { answerCopies, answerLogin, answerRunners } from "./answer-template.ts";
import type { Judged } from "./charges.ts";
import type { ClaimFacts } from "./facts.ts";
import type { Assertion, ClaimAnswer, RecognisedClaim } from "./types.ts";

/** Holds every claim against the facts, in order. Pure: the same claims and facts give the same words. */
export function answerClaims(claims: readonly RecognisedClaim[], facts: ClaimFacts): ClaimAnswer[] {
  return claims.map((claim) => {
    const { mark, sentence } = judge(claim.assertion, facts);
    const isPlain = mark === "confirmed" || mark === "refuted";
    if (!claim.isQuestion || !isPlain) return { claim, mark, sentence };
    return { claim, mark: "answered", sentence: `${mark === "confirmed" ? "Yes" : "No"}: ${sentence}` };
  });
}

function judge(assertion: Assertion, facts: ClaimFacts): Judged {
  switch (assertion.kind) {
    case "storage multiplied":
      return answerMultiplied(assertion, facts);
    case "growth by edits":
      return answerGrowth(assertion, facts);
    case "cleanup":
      return answerCleanup(assertion, facts);
    case "cache in forks":
      return answerForks(assertion, facts);
    case "compute":
      return answerCompute(assertion, facts);
    case "memory":
      return answerMemory(assertion, facts);
    case "copies from the context":
      return answerCopies(assertion, facts);
    case "login":
      return answerLogin(assertion, facts);
    case "runners":
      return answerRunners(assertion, facts);
  }
  return assertion satisfies never;
}

/** A claim with those that get the same answer: a thread says the same thing more than once. */
export type GroupedAnswer = ClaimAnswer & { alike: RecognisedClaim[] };

/**
 * Answers with each thing once, in order; `alike` are the other claims that it answers: those that get the same sentence,
 * and those of the same storage that get the same mark, under the sentence that says most.
 */
export function groupAnswers(answers: readonly ClaimAnswer[]): GroupedAnswer[] {
  const groups = Map.groupBy(answers, ({ mark, sentence, claim: { assertion } }) => {
    const about = assertion.kind === "storage multiplied" ? assertion.factor : sentence;
    return JSON.stringify([assertion.kind, mark, about]);
  });
  return [...groups.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const { sentence } = [first, ...others].reduce((most, each) =>
      each.sentence.length > most.sentence.length ? each : most,
    );
    return [{ ...first, sentence, alike: others.map(({ claim }) => claim) }];
  });
}

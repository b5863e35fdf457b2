import { buildMatches } from "./build-patterns.ts";
import { isDoubtful, isNegated, questionOf } from "./guards.ts";
import { missingParent } from "./missing-parents.ts";
import type { QuotedText } from "./missing-parents.ts";
import { ownParagraphs } from "./prose.ts";
import { quoteOf, sentencesOf } from "./sentences.ts";
import type { Sentence } from "./sentences.ts";
import { storageMatch } from "./storage-patterns.ts";
import type { Assertion, RecognisedClaim, ThreadText } from "./types.ts";

/** Sentences beyond this length are no prose, and texts beyond these bounds no discussion. */
const MAX_SENTENCE = 1000;
const MAX_TEXT = 200_000;
const MAX_CLAIMS = 50;

/**
 * Claims of a thread in the order of its texts, at most 50. Conservative: only what an author wrote himself is read, and
 * what is hedged, conditional, ironic, negated or about something else is passed over. A message that is not among the
 * texts is read where a reply quotes it.
 */
export function readClaims(texts: readonly ThreadText[]): RecognisedClaim[] {
  const known = new Set(texts.map(({ messageId }) => messageId));
  const claims = texts.flatMap((text) => {
    const parent = missingParent(text, known);
    return [...(parent ? [parent] : []), { ...text, quotedIn: null }].flatMap(claimsOf);
  });
  const seen = new Set<string>();
  const fresh = claims.filter(({ messageId, quote, assertion }) => {
    const key = JSON.stringify([messageId, quote, assertion.kind]);
    return messageId === null || (!seen.has(key) && seen.add(key));
  });
  return fresh.slice(0, MAX_CLAIMS);
}

function claimsOf(text: QuotedText): RecognisedClaim[] {
  const { author, date, messageId, quotedIn } = text;
  const sentences = ownParagraphs(text.body.slice(0, MAX_TEXT)).flatMap(sentencesOf);
  return sentences.flatMap((sentence) => {
    if (sentence.masked.length > MAX_SENTENCE) return [];
    // A quote may break off anywhere: only what ends is a sentence.
    if (quotedIn !== null && !/[.!?]["')\]]*$/.test(sentence.written)) return [];
    const source = { quote: quoteOf(sentence.written), author, date, messageId, quotedIn };
    return assertionsOf(sentence).map((found) => ({ ...source, ...found }));
  });
}

function assertionsOf(sentence: Sentence): { isQuestion: boolean; assertion: Assertion }[] {
  const form = questionOf(sentence);
  if (form === "open") return [];
  const isQuestion = form === "yes or no";
  const storage = storageMatch(sentence.masked);
  const matches = [...(storage ? [storage] : []), ...buildMatches(sentence.masked, sentence.before)];
  return matches
    .filter(({ span }) => !isDoubtful(sentence, span, isQuestion))
    .filter((match) => !isNegated(sentence, match, isQuestion))
    .map(({ assertion }) => ({ isQuestion, assertion }));
}

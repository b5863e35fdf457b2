import type { Assertion, Factor } from "./types.ts";

/** Where a pattern matched in a sentence. */
export type Span = { start: number; end: number };

/**
 * What a pattern found in the masked text of a sentence. `isNegative`: what negates inside of the span belongs to it;
 * `ignored` is what negates nothing before it.
 */
export type Match = { assertion: Assertion; span: Span; isNegative: boolean; ignored: RegExp | null };

/** What is stored: the words that may follow "double". Memory, time and CPU are none of it. */
const FILL =
  "(?:(?:our|the|your|its|all|of|that|this|long|term|long-term|total|overall|current|whole|entire|amount|container|image|images|registry|registry's|gitlab|ghcr|disk|data|cache|as|much|many|in|on|for)[ ]+){0,7}";
const STORED =
  "(?:storage(?: (?:usage|use|space|size|footprint|consumption|costs?|requirements?))?|disk (?:space|usage|use)|registry (?:storage|space|usage|size)|(?:container|image) (?:data|usage|size)|space in the registry|usage|size of (?:our|the) (?:container )?(?:registry|cache)|(?:data|bytes|layers|blobs) (?:that )?(?:we|are|is) (?:store|stored|keep|kept))";
/** What may follow without making another thing of it: "storage budget" is one. */
const THEN =
  "(?= ?(?:[.,;:!?)]|$)| (?:we|it|that|which|in|for|on|with|by|when|after|as|and|but|because|since|while|compared|from|per|right|again|at|needed|used|consumed|than|immediately|already|on)\\b)";
const OBJECT = `${FILL}${STORED}${THEN}`;
const VERB = "(?<verb>doubl(?:e|es|ing)|tripl(?:e|es|ing)|quadrupl(?:e|es|ing))";
const TIMES = "(?<verb>double|twice|triple|quadruple|(?:2|3|4|two|three|four)(?:x| times))";
const ADVERBS =
  "(?:(?:will|would|then|now|still|also|effectively|simply|at least|actually|basically|immediately)[ ]+)*";

const MULTIPLIED = [
  // doubles our storage; would, at minimum, doubling the amount of data storage
  new RegExp(`\\b${VERB} ${OBJECT}`, "i"),
  // have triple the storage usage; twice as much storage; 2x the storage
  new RegExp(`\\b${TIMES} (?:the |as much |of the |our )${OBJECT}`, "i"),
  // our storage usage will double
  new RegExp(
    `\\b(?:our|the) ${FILL}${STORED} ${ADVERBS}(?<verb>doubles?|triples?|quadruples?)(?=[.,;!?]|$| (?:with|by|when|after|as|and|but))`,
    "i",
  ),
  // stores everything twice
  /\b(?:stores?|storing|keeps?|keeping) (?:everything|every (?:layer|blob|byte)|each (?:layer|blob|byte)|all (?:layers|blobs|data)|the same (?:layers|blobs|data)) (?<verb>twice)\b/i,
  // storage grows by a factor of three
  new RegExp(
    `\\b(?:our|the) ${FILL}${STORED} ${ADVERBS}(?:grows?|increases?|rises?|goes up) by a factor of (?<verb>two|three|four|2|3|4)\\b`,
    "i",
  ),
];

/** Memory and the like have a usage too. */
const OTHER_USAGE = /\b(?:memory|RAM|CPU|bandwidth|network|energy|traffic|sed|variables?)\b/i;
/** "the fear of doubling", "without doubling": only what a form of "be", "will" or "means" leads to is stated. */
const GERUND_LEAD =
  /\b(?:would|will|is|are|be|'re|means?|meaning|at minimum|at least|ends? up|results? in|leads? to|amounts? to|by)\W+(?:\w+\W+){0,2}$/i;

export function factorOf(word: string): Factor {
  if (/quadr|four|4/i.test(word)) return 4;
  return /tripl|three|3/i.test(word) ? 3 : 2;
}

type Multiple = { factor: Factor; span: Span };

function multipleIn(text: string): Multiple | null {
  if (OTHER_USAGE.test(text)) return null;
  for (const pattern of MULTIPLIED) {
    const found = pattern.exec(text);
    const verb = found?.groups?.["verb"];
    if (found === null || verb === undefined) continue;
    if (/ing$/i.test(verb) && !GERUND_LEAD.test(text.slice(0, found.index))) continue;
    return { factor: factorOf(verb), span: spanOf(found) };
  }
  return null;
}

const EDIT =
  /\b(?:(?:every|each|any|another|one more|the next|first|second|third|a) (?:\w+ ){0,3}(?:edit|change|update|modification)|(?:updat|chang|edit|modify|touch|modif)(?:e|es|ed|ing|ied|ies)?)\b/i;
const EDITED = /\b(?:RUN|dockerfiles?|containerfiles?|instructions?|commands?)\b/i;
const EACH_EDIT = "\\b(?:every|each|any) (?:\\w+ ){0,2}(?:edit|change|update|modification)s?\\b";
const OF_WHAT =
  "(?: (?:of|to|in|on) (?:(?:an?|the|every|any|our) )?(?:RUN|dockerfiles?|containerfiles?|instructions?|commands?|layers?)(?: (?:instruction|command|line))?)?";
const NEW_LAYERS =
  "(?:(?:another|an?|one|more|new|its|all|the|old|full|whole|complete|second|further|set|copy|of|to|about|some|nothing|no|\\d+) )*(?:layers?|tags?|cop(?:y|ies)|blobs?|bytes|[MG]B|storage|cache entr(?:y|ies)|cache layers)\\b";
const GROWS = new RegExp(
  `${EACH_EDIT}${OF_WHAT} (?:will |then |also |just )*(?:(?:adds?|leaves?|stores?|keeps?|pushes|creates?) ${NEW_LAYERS}|(?:grows?|increases?|enlarges?) (?:the|our) (?:cache|registry|storage)\\b)`,
  "i",
);
const GROWS_WITH =
  /\b(?:storage|cache|registry|usage)(?: usage| size)? (?:will |then |just |keeps? )*(?:grow|grows|growing|increases?) (?:with|on|by|after|at) (?:every|each|any) (?:\w+ ){0,2}(?:edit|change|update|modification)\b/i;
const UNBOUND =
  /\b(?:cache|storage|registry|usage)(?: usage| repository| size)? (?:will |would |just |keeps? )*(?:grow|grows|growing) (?:without (?:bound|limit|end)|forever|unboundedly|indefinitely|endlessly)\b/i;
const CLEANUP =
  /\b(?:clean-?ups?|cleanup polic(?:y|ies)|purging|pruning|expiration polic(?:y|ies)|garbage collection)\b(?: \w+){0,4}? (?:stops?|bounds?|limits?|caps?|prevents?|keeps?)\b[^.;]{0,40}?\b(?:growing|growth|grows?|unbounded|bounded|in check)\b(?: without (?:bound|limit|end)\b)?/i;
const WITH_CLEANUP =
  /\b(?:even )?(?:with|after|despite) (?:\w+ )?(?:clean-?up|cleanup polic(?:y|ies)|purging|pruning)\b/i;

/** Statements about what the registry stores: multiplied, growing with edits, cleaned up. At most one for a sentence. */
export function storageMatch(text: string): Match | null {
  const multiple = multipleIn(text);
  const cleanup = CLEANUP.exec(text) ?? (multiple && WITH_CLEANUP.exec(text));
  if (cleanup) return cleanupMatch(text, spanOf(cleanup), multiple);
  if (multiple) return multiplied(text, multiple);
  if (OTHER_USAGE.test(text)) return null;
  const grows = GROWS.exec(text) ?? GROWS_WITH.exec(text);
  const unbound = UNBOUND.exec(text);
  const assertion: Assertion = { kind: "growth by edits", factor: null };
  if (grows) return { assertion, span: spanOf(grows), isNegative: false, ignored: null };
  // "Without bound" negates in its own words.
  return unbound && { assertion, span: spanOf(unbound), isNegative: true, ignored: null };
}

const NOT = /\b(?:not|never|hardly|no longer|instead of)\b|n['’]t\b/i;

function cleanupMatch(text: string, cleanup: Span, multiple: Multiple | null): Match | null {
  const start = Math.min(cleanup.start, multiple?.span.start ?? cleanup.start);
  const end = Math.max(cleanup.end, multiple?.span.end ?? cleanup.end);
  // It "stops" the growth in its own words: only what turns that round counts.
  if (NOT.test(text.slice(start, end))) return null;
  const assertion: Assertion = { kind: "cleanup", factor: multiple?.factor ?? null };
  return { assertion, span: { start, end }, isNegative: true, ignored: null };
}

function multiplied(text: string, { factor, span }: Multiple): Match | null {
  const found = { span, isNegative: false, ignored: null };
  if (EDIT.test(text) && EDITED.test(text))
    return { assertion: { kind: "growth by edits", factor }, ...found };
  // "When both are kept it doubles": under a condition that is not the change's own.
  if (/\b(?:when|whenever|once)\b/i.test(text.slice(0, span.start))) return null;
  const atLeast = /\bat (?:the )?(?:minimum|least|very least)\b|\bmore than\b/i.test(text);
  return { assertion: { kind: "storage multiplied", factor, atLeast }, ...found };
}

export function spanOf(found: RegExpExecArray): Span {
  return { start: found.index, end: found.index + found[0].length };
}

import type { Sentence } from "./sentences.ts";
import type { Match, Span } from "./storage-patterns.ts";

/** Who is not sure states nothing. `IMHO` behind the statement weighs it and does not doubt it. */
const HEDGE =
  /\b(?:I|we) (?:(?:\w+ )?(?:think|thought|guess|believe|suspect|assume|suppose|expect|doubt|wonder|hope|fear|imagine|reckon|bet|feel)|(?:would|'d) (?:\w+ )?(?:say|think|guess|expect|assume))\b|\b(?:probably|presumably|perhaps|maybe|possibly|apparently|supposedly|likely|might|could|may|can(?!['’]t)|should|seem|seems|seemingly|appear|appears|IIUC|IIRC|AFAIU|AFAICT|AFAIK|AFAICS|not (?:\w+ )?(?:sure|certain|convinced|clear)|pretty sure|unsure|unclear|unlikely|in theory|theoretically|in my (?:experience|understanding|opinion)|my understanding|(?:looks?|sounds?|feels?) like|up to|less than|not quite|worst case|at worst|at most|afraid)\b/i;
const OPINION = /\b(?:IMHO|IMO)\b/;
const CONDITION =
  /\b(?:if|unless|whether|provided|providing|assuming|suppose|supposing|otherwise|in case|as long as|depends|depending|were (?:we|it|you|I) to|should (?:we|you)|had (?:we|you|I)|would have|would've|until|or else|only when|except when|hypothetically)\b/i;
/** What somebody else said, or what is only spoken about. */
const REPORTED =
  /\b(?:say|says|said|saying|claim|claims|claimed|claiming|wrote|writes|argue|argues|argued|arguing|argument|assert|asserts|asserted|mention|mentions|mentioned|told|tells|report|reports|reported|suggest|suggests|suggested|according to|heard|asked|asks|pointed out|quote|quoting|idea of|idea that|notion|myth|rumou?r|worry|worries|worried|worrying|concern|concerns|concerned|fear|fears|question of|question is|impression|remember|remembered|thought)\b/i;
const IRONY =
  /(?:^|\W)(?:[:;]-?[)PpD]|\^\^|\/s\b)|[\u{1F600}-\u{1F64F}\u{1F900}-\u{1F9FF}]|\b(?:lol|haha+|yeah|yay|sure,|of course,|great,|wonderful|lovely|brilliant|fantastic|awesome|just what we need|as if|what could (?:possibly )?go wrong|oh no|who needs|sarcasm|joke|joking|kidding)(?!\w)/iu;
const ELSEWHERE =
  /\b(?:other|another|different|separate|previous|old|their|his|her) (?:\w+ )?(?:project|projects|repo|repos|repository|repositories|forge|company|team)\b|\b(?:elsewhere|at work|my employer|my company|their|theirs|they|used to|back then|last (?:year|month|time)|years ago)\b/i;
/** `In libvirt, …`: a project's name; the programs and forges that the change itself is about are none. */
const IN_ANOTHER =
  /(?:^|[,;(]\s*|\b(?:and|but)\s+)(?:[Ii]n|[Ff]or|[Aa]t|[Oo]n|[Ww]ith|[Oo]ver (?:in|at)) (?:the )?(?:([A-Z][\w.+-]*|lib\w+)(?:'s)?(?: (?:project|CI|repo|repository|tree))?|(\w[\w.+-]*)(?:'s)? (?:project|CI|repo|repository|tree)),/g;
const OF_ANOTHER = /\b(?:in|for|at|of) (lib\w+|[A-Z][\w.+-]+)\b/g;
const POSSESSIVE =
  /\b([A-Z][\w.+-]*|[a-z]\w*)'s (?:\w+ ){0,2}(?:storage|registry|usage|space|dockerfiles?|CI|cache|forks?|runners?|jobs?)\b/g;
const DOUBTS = [HEDGE, CONDITION, REPORTED, IRONY, ELSEWHERE];
const OWN_NAMES = new Set(
  "kaniko docker dind podman buildah buildkit buildx gitlab github ghcr gcr azure kubernetes k8s ci it that this there here us our me practice general total effect short fact addition summary contrast principle particular end case first then now what let harbor debian fedora one run copy add dockerfile dockerfiles".split(
    " ",
  ),
);
const NEGATION =
  /\b(?:not|never|no longer|no|none|nobody|nothing|without|hardly|barely|scarcely|neither|nor|cannot|instead of|rather than|unlike|far from|avoid\w*|prevent\w*|stop|stops|stopping|stopped|keeps? \w+ from|anything but|fails? to)\b|n['’]t\b/i;
/** What follows takes nothing of what stands before with it. */
const TURN = /[;]|\b(?:but|however|yet)\b/gi;
/** A reason, or a result, stands on its own; `not because` does not. */
const REASON =
  /(?<!\b(?:not|n't|only|just) )\b(?:since|because|as(?= (?:that|this|it|no|none)\b)|so that)\b/gi;
const DENIAL =
  /^[^,;]*?(?:\b(?:is|are|was|were|will|would|does|do|did|has|have)(?: \w+)? (?:not|never)\b|n['’]t\b|\b(?:myth|nonsense|wrong|untrue|false|incorrect|mistaken|fixed|solved|avoided|no longer|not at all|nowhere)\b)/i;

/**
 * True where a sentence may say something else than its words do: a hedge, a condition, another's words, irony, another
 * project. What stands in brackets counts only where the match does.
 */
export function isDoubtful({ masked }: Sentence, span: Span, isQuestion: boolean): boolean {
  const text = withoutBrackets(isQuestion ? blotLead(masked) : masked, span);
  if (OPINION.test(text.slice(0, span.end))) return true;
  return DOUBTS.some((pattern) => pattern.test(text)) || namesAnother(text);
}

function namesAnother(text: string): boolean {
  const found = [IN_ANOTHER, OF_ANOTHER, POSSESSIVE].flatMap((pattern) => [...text.matchAll(pattern)]);
  const names = found.map(([, name, other = ""]) => name ?? other);
  return names.some((name) => !OWN_NAMES.has(name.toLowerCase()));
}

/** True where a negation before the match or inside of it, or a denial behind it, may turn it round. */
export function isNegated({ masked }: Sentence, match: Match, isQuestion: boolean): boolean {
  const { span, isNegative, ignored } = match;
  const text = withoutBrackets(isQuestion ? blotLead(masked) : masked, span);
  const before = text.slice(0, span.start);
  const turns = [...before.matchAll(TURN), ...before.matchAll(REASON)];
  const from = Math.max(0, ...turns.map((turn) => turn.index + turn[0].length));
  const inScope = ignored === null ? before.slice(from) : before.slice(from).replace(ignored, "");
  if (NEGATION.test(inScope)) return true;
  if (!isNegative && NEGATION.test(text.slice(span.start, span.end))) return true;
  const behind = text.slice(span.end).split(/\b(?:and|but|which|while|however)\b/i)[0] ?? "";
  // A tag question ("…, doesn't it?") denies nothing.
  return !isQuestion && DENIAL.test(behind);
}

const LEAD =
  /^(?:(?:so|and|but|also|ok|okay|hmm|hi|well|then|btw)[,:]? )*(?:will|would|wo|does|do|did|is|are|can|could|has|have|should|may|might)(?:n['’]t)?\b/i;

/** `Will this …?`, or any statement with a question mark behind it; `Why does it …?` takes for granted and is neither. */
export function questionOf({ masked }: Sentence): "yes or no" | "open" | "none" {
  if (!/\?["')\]]*$/.test(masked)) return "none";
  const start = masked.replace(/^(?:(?:so|and|but|also|ok|okay|hmm|hi|well|then)[,:]? )+/i, "");
  if (/^(?:why|how|what|which|when|where|who|wonder\w*|any idea)\b/i.test(start)) return "open";
  return "yes or no";
}

/** The verb that opens a question doubts and denies nothing. */
function blotLead(text: string): string {
  return text.replace(LEAD, (lead) => "_".repeat(lead.length));
}

function withoutBrackets(text: string, span: Span): string {
  return text.replaceAll(/\([^()]*\)/g, (whole, at: number) =>
    at <= span.start && span.end <= at + whole.length ? whole : "_".repeat(whole.length),
  );
}

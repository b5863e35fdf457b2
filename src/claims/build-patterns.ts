import { spanOf } from "./storage-patterns.ts";
import type { Match } from "./storage-patterns.ts";
import type { Assertion } from "./types.ts";

/** What a pattern says. `isNegative`: its own words negate. */
type Rule = { pattern: RegExp; assertion: Assertion; isNegative: boolean };

const CACHE = "(?:cach(?:e|es|ing))";
const FORKS = "(?:forks?(?! of\\b)|forked (?:repos?|repositor(?:y|ies)|projects?))";
const IN_FORKS = `\\b(?:in|from|by|with|for) (?:\\w+ ){0,2}?${FORKS}\\b`;
/** A program has forks, too. */
const PROGRAM_FORK = /\bforks? of\b|\b(?:kaniko(?:'s)?|maintained|chainguard(?:'s)?|community) forks?\b/i;

/** What may stand between, without a negation in it. */
const gap = (length: number) =>
  `(?:(?!\\b(?:not|never|no longer|hardly|without)\\b|n['’]t\\b)[^.;]){0,${length}}?`;
const FAILS = "(?:fails?|is broken|is useless|always misses)";
const HITS_NOT =
  "(?:never hits|has no effect|(?:does not|doesn['’]t|do not|don['’]t|won['’]t|will not|cannot|can['’]t) (?:work|hit|be (?:used|read|reused)))";
const FAIL: Assertion = { kind: "cache in forks", says: "fails" };
const WORK: Assertion = { kind: "cache in forks", says: "works" };

const FORK_RULES: Rule[] = [
  rule(`\\b${CACHE}\\b${gap(40)}\\b(?:${FAILS}|${HITS_NOT})\\b${gap(60)}${IN_FORKS}`, FAIL, true),
  rule(
    `\\b(?:in|from) (?:a |my |our |all )?${FORKS},? (?:the )?${CACHE}\\b${gap(20)}\\b(?:${FAILS}|${HITS_NOT})\\b`,
    FAIL,
    true,
  ),
  rule(
    `\\b${FORKS} (?:(?:get|have|find|see) no|cannot use|can['’]t use|never use|do not use|don['’]t use) (?:\\w+ ){0,2}?${CACHE}\\b`,
    FAIL,
    true,
  ),
  rule(
    `\\b${CACHE}\\b(?: \\w+){0,4}? (?:works?|is (?:used|reused|shared|hit|read))\\b${gap(40)}${IN_FORKS}`,
    WORK,
  ),
  rule(
    `\\b${FORKS} (?:will |do |also )*(?:use|reuse|share|hit|get|benefit from) (?:the |our )?(?:upstream(?:'s)? )?${CACHE}\\b`,
    WORK,
  ),
];

const MINUTES =
  "(?:compute(?=[.,;!?]|$)|compute (?:minutes|allowance|time|credits)|CI (?:minutes|credits|time)|(?:gitlab|azure) (?:\\w+ )?(?:minutes|credits|allowance)|job (?:running )?time|build time|running time)";

const COMPUTE_RULES: Rule[] = [
  rule(
    `\\b(?:burns?|burning|eats?|eating) (?:through|up|into)? ?(?:\\w+ ){0,4}?${MINUTES}\\b|\\b(?:uses?|using|costs?|costing|consumes?|consuming|wastes?|wasting) (?:more|extra|additional|a lot of|a lot more|much more|too much) (?:\\w+ ){0,2}?${MINUTES}\\b|\\bincreas(?:e|es|ing) (?:the |our )?(?:\\w+ )?${MINUTES}\\b`,
    { kind: "compute", says: "burnt", without: false },
  ),
  rule(
    `\\b(?:saves?|saving|reduces?|reducing|cuts?|cutting) (?:\\w+ ){0,4}?${MINUTES}\\b|\\b(?:less|fewer) ${MINUTES}\\b`,
    { kind: "compute", says: "saved", without: false },
  ),
];
const WITHOUT_CACHE =
  /\b(?:without (?:a |any |the )?cach(?:e|es|ing)|no cach(?:e|ing)|cach(?:e|ing) (?:is )?disabled|disabl(?:e|es|ing) (?:the )?cach(?:e|ing)|rebuilt on every|rebuil(?:d|ds|ding) (?:everything|every image|all images))\b/i;

const OOM = "(?:out[ -]of[ -]memory|OOM(?:[ -]?kill(?:s|ed|er)?)?)";
const BUILDS = "(?:builds?|kaniko|buildah|buildkit|jobs?|containers?|images?|reproducible|executor)";

const MEMORY_RULES: Rule[] = [
  rule(
    `\\b${BUILDS}\\b(?:(?!\\b(?:as|since|because)\\b)[^.;]){0,40}?\\b(?:run|runs|running|fail|fails|failing|die|dies|dying|end|ends|ending|abort|aborts|get|gets|getting|go|goes|going)\\b[^.;]{0,20}?\\b${OOM}\\b|\\b${BUILDS} (?:is|are|gets?) (?:\\w+ )?OOM[ -]?killed\\b`,
    { kind: "memory", reproducible: false },
  ),
];

const COPY = "(?:COPY|ADD)\\b(?! --from)";
const DOCKERFILES = "(?:[Dd]ockerfiles?|[Cc]ontainerfiles?)";

// Instructions are told from verbs by their capitals: no flag "i" here.
const COPY_RULES: Rule[] = [
  {
    pattern: new RegExp(
      `\\b(?:[Nn]o|[Nn]one of (?:the|our|these)|[Nn]ot one of (?:the|our)) ${DOCKERFILES}(?: (?:in|of) (?:the|our) \\w+)? (?:is |are |currently |actually )*(?:use|uses|using|has|have|having|contains?|needs?) (?:any |an? |either )?${COPY}`,
    ),
    assertion: { kind: "copies from the context", says: "none" },
    isNegative: true,
  },
  {
    pattern: new RegExp(
      `\\b(?:[Tt]he|[Oo]ur|[Tt]hese)? ?${DOCKERFILES} (?:never|do not|don['’]t|currently don['’]t|currently do not) (?:currently |actually )?(?:use|have|contain|need) (?:any |either )?${COPY}`,
    ),
    assertion: { kind: "copies from the context", says: "none" },
    isNegative: true,
  },
  {
    pattern: new RegExp(
      `\\b(?:[Ss]ome|[Ss]everal|[Tt]wo|[Tt]hree|[Aa] few|[Aa] couple|[Mm]any|[Aa]t least one)(?: of (?:the|our|these))? ${DOCKERFILES} (?:do |does |still |currently |actually )*(?:use|uses|have|has|contain|contains|need|needs) (?:an? )?${COPY}`,
    ),
    assertion: { kind: "copies from the context", says: "some" },
    isNegative: false,
  },
  {
    pattern: new RegExp(
      `\\b[\\w./-]+\\.(?:docker|[Dd]ockerfile)\\b (?:does |still |actually )*(?:use|uses|has|needs|contains) (?:an? )?${COPY}`,
    ),
    assertion: { kind: "copies from the context", says: "some" },
    isNegative: false,
  },
];

const LOGIN =
  "(?:docker login|log ?-?in|login(?: credentials| step)?|logging in|credentials|authenticat(?:e|ion|ing))";

const LOGIN_RULES: Rule[] = [
  rule(
    `\\b(?:no (?:longer )?(?:any )?need (?:to|for)|(?:do|does|did|is|are) not need(?:ed)?(?: to| for)?|(?:do|does|did)n['’]t need(?: to)?|needs? no|without (?:any |a |the )?need (?:for|to)|no longer needs?|(?:do|does) not require|(?:do|does)n['’]t require|requires? no)\\b(?: [\\w/-]+){0,5}? ${LOGIN}\\b`,
    { kind: "login", says: "not needed" },
    true,
  ),
  rule(
    `\\b${LOGIN}(?: (?:to|for|at) (?:(?:the|our) )?\\w+)? (?:is|are) (?:not |no longer |n['’]t )(?:needed|required|necessary)\\b`,
    { kind: "login", says: "not needed" },
    true,
  ),
  rule(
    `\\b(?:still needs?|needs?|requires?|must|have to|has to)\\b(?: to)?(?: (?:an?|the|explicit|manual|provide|do|run|set)){0,3} ${LOGIN}\\b|\\b${LOGIN} (?:is|are) (?:still )?(?:needed|required|necessary)\\b`,
    { kind: "login", says: "needed" },
  ),
];

const RUNNERS =
  "(?:k8s|kubernetes|runners?|docker[- ]in[- ]docker|dind|gitlab executors?|privileged (?:mode|runners?|containers?))";

const FIXES = "(?:fix|fixes|solve|solves|resolve|resolves|unblock|unblocks|repair|repairs)";
const TROUBLE =
  "(?:(?:issues?|problems?|failures?|trouble|breakage|errors?) (?:that )?(?:\\w+ ){0,6}?(?:with|on|in|of|from) (?:(?:the|our|all) )?)?";

const RUNNER_RULES: Rule[] = [
  rule(
    `\\b(?:no longer (?:needs?|requires?)|no need for|(?:does not|doesn['’]t|do not|don['’]t) (?:need|require)|needs? no|requires? no|works? without|runs? without|gets? rid of|avoids?) (?:\\w+ ){0,2}?(?:privileged (?:mode|runners?|containers?)|privileges|docker[- ]in[- ]docker|dind)\\b`,
    { kind: "runners", says: "no privileges" },
    true,
  ),
  rule(
    `\\b${FIXES} (?:(?:the|our|this|these|those|all|any|broken|failing|current|upstream) )*${TROUBLE}${RUNNERS}(?! (?:config\\w*|tags?|names?|variables?|doc\\w*|image|version))\\b|\\bworks? (?:on|with) (?:(?:the|our) )?(?:k8s|kubernetes)\\b`,
    { kind: "runners", says: "fixed" },
  ),
];

function rule(pattern: string, assertion: Assertion, isNegative = false): Rule {
  return { pattern: new RegExp(pattern, "i"), assertion, isNegative };
}

/** What one sentence says about building: at most one statement of each kind. `before` is what its paragraph said before. */
export function buildMatches(text: string, before: string): Match[] {
  const kinds = [FORK_RULES, COMPUTE_RULES, MEMORY_RULES, COPY_RULES, LOGIN_RULES, RUNNER_RULES];
  return kinds.flatMap((rules) => {
    for (const { pattern, assertion, isNegative } of rules) {
      const found = pattern.exec(text);
      if (found === null || !isAbout(assertion, text)) continue;
      const ignored = assertion.kind === "compute" ? WITHOUT_CACHE : null;
      return [{ assertion: inContext(assertion, text, before), span: spanOf(found), isNegative, ignored }];
    }
    return [];
  });
}

/** False where the words are those of a claim and the matter is another. */
function isAbout({ kind }: Assertion, text: string): boolean {
  if (kind === "cache in forks") return !PROGRAM_FORK.test(text);
  return (
    kind !== "login" || /\b(?:registry|login credentials|docker|kaniko|buildah|buildkit|jobs?)\b/i.test(text)
  );
}

/** What "this" is, and what is built, may stand before. */
function inContext(assertion: Assertion, text: string, before: string): Assertion {
  if (assertion.kind === "compute") return { ...assertion, without: WITHOUT_CACHE.test(`${before} ${text}`) };
  if (assertion.kind === "memory") return { ...assertion, reproducible: /\breproducible\b/i.test(text) };
  return assertion;
}

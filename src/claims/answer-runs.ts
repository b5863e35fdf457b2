import { editNumber, pairOf, runOf } from "../domain/comparison.ts";
import { formatCount, formatDuration, formatMemory, formatPercent } from "../domain/quantities.ts";
import type { Scenario } from "../domain/report.ts";
import { aboutImage, greatest, markOf, notTested, sidesOf } from "./charges.ts";
import type { Judged, Sides } from "./charges.ts";
import type { ClaimFacts, ForkFacts, ForkRunFacts, ImageFacts, RunFacts, StrategyFacts } from "./facts.ts";
import type { Assertion } from "./types.ts";

type Of<Kind extends Assertion["kind"]> = Extract<Assertion, { kind: Kind }>;

/** Two times that a claim compares, with what they are times of. */
type Times = { image: string; claimed: number; other: number; claimedName: string; otherName: string };

/** Less than 5 % apart is the same; with few runs, what is not half as long again may be noise. */
const APART = 1.05;
const APART_OF_FEW = 1.5;

const isClose = ({ claimed, other }: Times): boolean =>
  claimed < other * APART_OF_FEW && other < claimed * APART_OF_FEW;

/** `this will burn through our compute allowance` */
export function answerCompute({ says, without }: Of<"compute">, facts: ClaimFacts): Judged {
  const times = sidesOf(facts).flatMap((sides) => (without ? withoutCache(sides) : withChange(sides)));
  const holds = ({ claimed, other }: Times) =>
    says === "burnt" ? claimed > other * APART : claimed * APART < other;
  const mark = markOf(times.map(holds));
  const most = greatest(times, ({ claimed, other }) => Math.abs(Math.log(claimed / other)));
  if (mark === null || most === null)
    return notTested(
      without
        ? "no build was timed with and without a cache."
        : "no warm build of both strategies was timed.",
    );
  const { image, claimed, other, claimedName, otherName } = most;
  const percent = formatPercent(other, claimed, 0);
  const figures = `${claimedName} ${formatDuration(claimed)} against ${otherName} ${formatDuration(other)} a job${percent === null ? "" : ` (${percent})`}`;
  const about = aboutImage(image, times.length, "the most");
  const money = moneyText(claimed, other, facts);
  if (!facts.timesDecide)
    return {
      mark: "depends",
      sentence: `${about}${figures}, on a link without a limit, where times decide nothing; ${money}.`,
    };
  if (facts.fewRuns && times.some(isClose))
    return { mark: "depends", sentence: `${about}${figures}, too close for so few runs; ${money}.` };
  return { mark, sentence: `${about}${figures}; ${money}.` };
}

function withChange({ image, current, proposed }: Sides): Times[] {
  const [claimed, other] = [timeOf(proposed, "warm"), timeOf(current, "warm")];
  if (claimed === null || other === null) return [];
  return [
    { image, claimed, other, claimedName: `${proposed.label} warm`, otherName: `${current.label} warm` },
  ];
}

/** A build that finds no cache: one of a strategy without a cache, else the first one, when the cache is still empty. */
function withoutCache({ image, current, proposed, facts }: Sides): Times[] {
  for (const cached of [proposed, current]) {
    const none = facts.strategies.find((each) => !each.cache && each.builder === cached.builder);
    const uncached = none ? timeOf(none, "warm") : null;
    const claimed = uncached ?? timeOf(cached, "cold");
    const other = cached.cache ? timeOf(cached, "warm") : null;
    if (claimed === null || other === null) continue;
    const claimedName = none && uncached !== null ? none.label : `${cached.label} with an empty cache`;
    return [{ image, claimed, other, claimedName, otherName: `${cached.label} warm` }];
  }
  return [];
}

function timeOf(strategy: StrategyFacts, scenario: Scenario): number | null {
  return runOf(strategy, scenario)?.totalMs ?? null;
}

/** What the two times are charged as, by kind of runner. */
function moneyText(claimedMs: number, otherMs: number, { computeFactors }: ClaimFacts): string {
  if (computeFactors.length === 0) return "what a minute costs was not given, so money was not tested";
  const minutes = (ms: number, factor: number) => ((ms / 60_000) * factor).toFixed(2);
  return computeFactors
    .map(({ runner, factor }) =>
      factor === 0
        ? `none on ${runner}`
        : `${minutes(claimedMs, factor)} against ${minutes(otherMs, factor)} compute minutes on ${runner}${factor === 1 ? "" : ` (cost factor ${factor})`}`,
    )
    .join(", ");
}

type Tried = { image: string; strategy: StrategyFacts };

/** `reproducible builds fail with out of memory` */
export function answerMemory({ reproducible }: Of<"memory">, facts: ClaimFacts): Judged {
  const all = facts.images.flatMap(({ image, strategies }) =>
    strategies.filter(tellsOfMemory).map((strategy) => ({ image, strategy })),
  );
  const proposed = all.filter(({ strategy }) => strategy.role === "proposed");
  if (!reproducible) {
    const mark = markOf(proposed.map(({ strategy }) => killed(strategy) !== null));
    return mark === null
      ? notTested("the proposed strategy was not built.")
      : { mark, sentence: `${memoryText(proposed)}.` };
  }
  const claimed = all.filter(({ strategy }) => strategy.reproducible);
  const mark = markOf(claimed.map(({ strategy }) => killed(strategy) !== null));
  const plain = all.filter(({ strategy }) => !strategy.reproducible && strategy.builder === "kaniko");
  const without = plain.length === 0 ? "" : `; without it, ${memoryText(plain)}`;
  if (mark === null) {
    const how = "`--strategies kaniko/layers+reproducible` tries it";
    return notTested(`no build with --reproducible was tried to its end; ${how}${without}.`);
  }
  // Where the same image is killed without the flag, it is not the flag that decides.
  const isFlag = claimed.some((each) => killed(each.strategy) !== null && !isKilledAmong(plain, each.image));
  return {
    mark: mark === "confirmed" && !isFlag ? "depends" : mark,
    sentence: `${memoryText(claimed)}${without}.`,
  };
}

function isKilledAmong(tried: readonly Tried[], image: string): boolean {
  return tried.some((each) => each.image === image && killed(each.strategy) !== null);
}

/** A build that failed for another reason might have needed more than it got to. */
function tellsOfMemory(strategy: StrategyFacts): boolean {
  return killed(strategy) !== null || strategy.runs.every(({ outcome }) => outcome === "succeeded");
}

function killed(strategy: StrategyFacts): RunFacts | null {
  return strategy.runs.find(({ outcome }) => outcome === "out-of-memory") ?? null;
}

/** Who is killed at what, else the highest peak: one clause over all images. */
function memoryText(tried: readonly Tried[]): string {
  const isOne = new Set(tried.map(({ image }) => image)).size === 1;
  const of = (image: string) => (isOne ? "" : ` of ${image}`);
  const kills = tried.flatMap(({ image, strategy }) => {
    const run = killed(strategy);
    return run === null ? [] : [{ image, strategy, run }];
  });
  const [first] = kills;
  if (first !== undefined) {
    const { image, strategy, run } = first;
    const room =
      run.storageRunPeakBytes === null
        ? ""
        : ` and ${needText(run.storageRunPeakBytes, run.storageRunWithCache === true)}`;
    const others =
      kills.length > 1 ? `, as ${formatCount(kills.length - 1, "other build")} of ${tried.length}` : "";
    return `${strategy.label} is killed at ${formatMemory(run.memoryLimitBytes)} in the ${nameOf(run.scenario)}${of(image)}${others}${room}`;
  }
  const peaks = tried.flatMap(({ image, strategy }) =>
    strategy.runs.flatMap((run) =>
      run.memoryPeakBytes === null ? [] : [{ image, strategy, run, bytes: run.memoryPeakBytes }],
    ),
  );
  const most = greatest(peaks, ({ bytes }) => bytes);
  if (most === null) return `${tried[0]?.strategy.label ?? ""} is not killed, and its memory was not seen`;
  return `${most.strategy.label} is not killed: it needs ${formatMemory(most.bytes)} of ${formatMemory(most.run.memoryLimitBytes)} in the ${nameOf(most.run.scenario)}${of(most.image)}`;
}

function needText(bytes: number, withCache: boolean): string {
  return withCache ? `takes ${formatMemory(bytes)} with page cache` : `needs ${formatMemory(bytes)}`;
}

function nameOf(scenario: Scenario): string {
  return editNumber(scenario) === 0 ? `${scenario} build` : `build of ${scenario}`;
}

type TriedFork = Tried & { fork: ForkFacts; current: StrategyFacts | null };

/** `caching of course fails in my fork` */
export function answerForks({ says }: Of<"cache in forks">, facts: ClaimFacts): Judged {
  const tried = facts.images.flatMap((image) => triedForks(image));
  const [first] = tried;
  if (first === undefined)
    return notTested("the proposed strategy was not built in a fork; `--forks readable` tries it.");
  const fates = tried.map(({ fork }) => fateOf(fork));
  const images = new Set(tried.map(({ image }) => image)).size;
  const texts = tried.filter(({ image }) => image === first.image).map(({ fork }) => forkText(fork));
  const about = aboutImage(first.image, images, "the first");
  const beside = `${besideText(first)}${warmText(first.strategy)}`;
  const sentence = `${about}${first.strategy.label} in a fork${texts.join(". In a fork")}.${beside}`;
  if (fates.includes("unknown")) return { mark: "not tested", sentence };
  if (fates.every((fate) => fate === says)) return { mark: "confirmed", sentence };
  return { mark: fates.includes(says) || fates.includes("partly") ? "depends" : "refuted", sentence };
}

/** Forks of the proposed strategy; where it is killed there, those of a variant of it that is not tell of the cache. */
function triedForks({ image, strategies }: ImageFacts): TriedFork[] {
  const { current, proposed } = pairOf(strategies);
  if (proposed === null) return [];
  const variants = strategies.filter(
    ({ label, reproducible }) => label.startsWith(`${proposed.label}+`) && !reproducible,
  );
  const told = [proposed, ...variants].find(
    ({ forks }) => forks.length > 0 && !forks.some((fork) => isKilled(fork)),
  );
  const strategy = told ?? proposed;
  return strategy.forks.map((fork) => ({ image, strategy, fork, current }));
}

function isKilled({ first, second }: ForkFacts): boolean {
  return [first, second].some((run) => run?.outcome === "out-of-memory");
}

/** What the second pipeline with the same edit finds. A kill says nothing of the cache. */
function fateOf(fork: ForkFacts): "works" | "fails" | "partly" | "unknown" {
  const { first, second } = fork;
  if (isKilled(fork)) return "unknown";
  const runs = [first, second].filter((run) => run !== null);
  if (runs.some(({ outcome }) => outcome !== "succeeded")) return "fails";
  if (second === null || second.reused === null || second.layers === null) return "unknown";
  if (second.reused === 0) return "fails";
  return second.reused === second.layers ? "works" : "partly";
}

const DENIED: Record<ForkFacts["cachePushDenied"], string> = {
  warning: "the denied push to the cache is a warning",
  failed: "the denied push to the cache fails the job",
  "not tried": "no push to the cache was tried",
  "not denied": "no push to the cache was denied",
};

const UPSTREAM = {
  readable: " that may read upstream",
  unreadable: " that may not read upstream",
};

function forkText({ first, second, upstream, cachePushDenied }: ForkFacts): string {
  const which = upstream === null ? "" : UPSTREAM[upstream];
  return `${which}: the first pipeline with an edit ${pipelineText(first)}, the second ${pipelineText(second)}; ${DENIED[cachePushDenied]}`;
}

/** What the second pipeline finds with the current strategy, which has a cache in the fork or has none. */
function besideText({ current, fork }: TriedFork): string {
  const beside = current?.forks.find(({ upstream }) => upstream === fork.upstream);
  if (!current || !beside?.second) return "";
  return ` With ${current.label} the second ${pipelineText(beside.second)}.`;
}

/** What upstream's own second pipeline with the same source finds. */
function warmText(strategy: StrategyFacts): string {
  const warm = runOf(strategy, "warm");
  if (warm === null || warm.outcome !== "succeeded" || warm.reused === null || warm.layers === null)
    return "";
  return ` Upstream's own second pipeline reuses ${warm.reused} of ${warm.layers}.`;
}

function pipelineText(run: ForkRunFacts | null): string {
  if (run === null) return "was not run";
  const time = run.totalMs === null ? "" : ` in ${formatDuration(run.totalMs)}`;
  if (run.outcome !== "succeeded") return run.outcome === "out-of-memory" ? "is killed" : "does not succeed";
  if (run.reused === null || run.layers === null) return `succeeds${time}, with what it reused not known`;
  return `reuses ${run.reused} of ${formatCount(run.layers, "layer")}${time}`;
}

import { bestCleanup, cleanupPolicy, labelOf } from "../domain/comparison.ts";
import type { LedgerId } from "../domain/comparison.ts";
import type { BuilderId, Recipe } from "../domain/recipe.ts";
import type { Ledgers } from "../domain/registry.ts";
import { UNLIMITED_LOOPBACK } from "../domain/report.ts";
import type {
  ForkCachePush,
  ForkReport,
  ForkRun,
  ImageReport,
  Report,
  RunReport,
  StrategyReport,
} from "../domain/report.ts";
import { median, MINIMUM_RUNS } from "../domain/statistics.ts";
import type {
  ClaimFacts,
  CleanupFacts,
  ComputeFactor,
  ForkFacts,
  ForkRunFacts,
  ImageFacts,
  RunFacts,
  StrategyFacts,
} from "./facts.ts";

/** What a report does not hold. */
export type MoreFacts = {
  computeFactors?: ComputeFactor[];
  /** Needs of builders that the change names and that were not tried. */
  needs?: Partial<Record<BuilderId, string | null>>;
};

/** The facts of a report. Recipes are those of jobs that the change changes. */
export function factsOf(report: Report, more: MoreFacts = {}): ClaimFacts {
  const strategies = report.images.flatMap((image) => image.strategies);
  const tried = strategies.map(({ recipe, needs }) => [recipe.builder, needs] as const);
  return {
    ledger: report.ledger.id,
    timesDecide: report.machine.link !== UNLIMITED_LOOPBACK,
    fewRuns: report.repeats < MINIMUM_RUNS,
    images: report.images.map((image) => imageFacts(image, report.ledger.id)),
    recipes: changedRecipes(report.recipes),
    dockerfiles: report.dockerfiles,
    needs: { ...more.needs, ...Object.fromEntries(tried) },
    computeFactors: more.computeFactors ?? [],
  };
}

/** Recipes of jobs that are not the same on both sides. */
export function changedRecipes({ base, head }: Report["recipes"]): ClaimFacts["recipes"] {
  const key = (recipe: Recipe) => JSON.stringify({ ...recipe, line: 0 });
  const before = new Set(base.map(key));
  const after = new Set(head.map(key));
  return {
    base: base.filter((recipe) => !after.has(key(recipe))),
    head: head.filter((recipe) => !before.has(key(recipe))),
  };
}

function imageFacts(image: ImageReport, ledger: LedgerId): ImageFacts {
  return {
    image: image.image,
    edits: { count: image.edits.length, synthetic: image.edits.some(({ synthetic }) => synthetic) },
    strategies: image.strategies.map((strategy) => strategyFacts(strategy, ledger)),
  };
}

function strategyFacts(strategy: StrategyReport, ledger: LedgerId): StrategyFacts {
  return {
    label: labelOf(strategy),
    builder: strategy.recipe.builder,
    role: strategy.role,
    reproducible: strategy.variant === "reproducible" || strategy.recipe.flags.some(isReproducible),
    cache: !strategy.strategy.endsWith("/none"),
    privileges: strategy.privileges,
    runs: strategy.runs.map(runFacts),
    forks: strategy.forks.map(forkFacts),
    cleanup: cleanupFacts(strategy, ledger),
  };
}

/** By the policy that frees most and leaves the cache whole. GHCR has no such policies. */
function cleanupFacts(strategy: StrategyReport, ledger: LedgerId): CleanupFacts | null {
  if (ledger === "ghcr") return null;
  const best = bestCleanup(strategy.cleanup, ledger);
  const before = strategy.runs.findLast((run) => run.ledgers !== null)?.ledgers;
  if (best === null || !before) return null;
  return {
    policy: cleanupPolicy(best),
    deletedTags: best.deletedTags,
    before: knownOnly(before),
    floor: knownOnly(best.ledgers),
  };
}

function knownOnly(ledgers: Partial<Ledgers>): Partial<Record<LedgerId, number>> {
  const known = Object.entries(ledgers).filter(
    (entry): entry is [LedgerId, number] => typeof entry[1] === "number",
  );
  return Object.fromEntries(known);
}

function isReproducible(flag: string): boolean {
  return flag === "--reproducible" || flag === "--reproducible=true";
}

const CACHE_PUSH: Record<ForkCachePush, ForkFacts["cachePushDenied"]> = {
  allowed: "not denied",
  "denied: the job goes on": "warning",
  "denied: the job fails": "failed",
  none: "not tried",
};

function forkFacts({ upstream, runs, cachePush }: ForkReport): ForkFacts {
  const [first, second] = runs.map(forkRunFacts);
  return { first: first ?? null, second: second ?? null, upstream, cachePushDenied: CACHE_PUSH[cachePush] };
}

function forkRunFacts({ outcome, hits, misses, totalMs }: ForkRun): ForkRunFacts {
  return { outcome, ...reuseOf({ hits, misses }), totalMs: outcome === "succeeded" ? totalMs : null };
}

function reuseOf({ hits, misses }: Pick<RunReport, "hits" | "misses">): Pick<RunFacts, "reused" | "layers"> {
  const isKnown = typeof hits === "number" && typeof misses === "number";
  return { reused: isKnown ? hits : null, layers: isKnown ? hits + misses : null };
}

/** What the processes needed beyond the limit; where the samples saw less, with the page cache that filled it. */
function storageRunPeak({
  storageRun,
  memoryLimitBytes,
}: RunReport): Pick<RunFacts, "storageRunPeakBytes" | "storageRunWithCache"> {
  if (storageRun === null) return { storageRunPeakBytes: null };
  const { anonymousPeakBytes: alone, memoryPeakBytes: withCache } = storageRun;
  if (alone !== "unknown" && alone > memoryLimitBytes) return { storageRunPeakBytes: alone };
  if (withCache === "unknown") return { storageRunPeakBytes: null };
  return { storageRunPeakBytes: withCache, storageRunWithCache: true };
}

function runFacts(run: RunReport): RunFacts {
  const known = (bytes: number | "unknown" | undefined) => (typeof bytes === "number" ? bytes : null);
  return {
    scenario: run.scenario,
    outcome: run.outcome,
    totalMs: run.outcome === "succeeded" ? median(run.totalMs) : null,
    ...reuseOf(run),
    charges: knownOnly(run.ledgers ?? {}),
    memoryPeakBytes: known(run.anonymousPeakBytes) ?? known(run.memoryPeakBytes),
    memoryLimitBytes: run.memoryLimitBytes,
    ...storageRunPeak(run),
  };
}

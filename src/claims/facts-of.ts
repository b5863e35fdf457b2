import { labelOf } from "../domain/comparison.ts";
import type { LedgerId } from "../domain/comparison.ts";
import type { BuilderId, Recipe } from "../domain/recipe.ts";
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
import { median } from "../domain/statistics.ts";
import type {
  ClaimFacts,
  CleanupFacts,
  ComputeFactor,
  DockerfileCopies,
  ForkFacts,
  ForkRunFacts,
  ImageFacts,
  RunFacts,
  StrategyFacts,
} from "./facts.ts";

/** What a report does not hold. `image` and `label` name an image and a strategy of the report. */
export type MoreFacts = {
  dockerfiles?: DockerfileCopies[];
  computeFactors?: ComputeFactor[];
  /** Needs of builders that the change names and that were not tried. */
  needs?: Partial<Record<BuilderId, string | null>>;
  cleanups?: { image: string; label: string; cleanup: CleanupFacts }[];
};

/** The facts of a report. Recipes are those of jobs that the change changes. */
export function factsOf(report: Report, more: MoreFacts = {}): ClaimFacts {
  const strategies = report.images.flatMap((image) => image.strategies);
  const tried = strategies.map(({ recipe, needs }) => [recipe.builder, needs] as const);
  return {
    ledger: report.ledger.id,
    timesDecide: report.machine.link !== UNLIMITED_LOOPBACK,
    images: report.images.map((image) => imageFacts(image, more)),
    recipes: changedRecipes(report.recipes),
    dockerfiles: more.dockerfiles ?? null,
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

function imageFacts(image: ImageReport, more: MoreFacts): ImageFacts {
  return {
    image: image.image,
    edits: { count: image.edits.length, synthetic: image.edits.some(({ synthetic }) => synthetic) },
    strategies: image.strategies.map((strategy) => strategyFacts(image.image, strategy, more)),
  };
}

function strategyFacts(image: string, strategy: StrategyReport, more: MoreFacts): StrategyFacts {
  const label = labelOf(strategy);
  const isThis = (each: { image: string; label: string }) => each.image === image && each.label === label;
  return {
    label,
    builder: strategy.recipe.builder,
    role: strategy.role,
    reproducible: strategy.variant === "reproducible" || strategy.recipe.flags.some(isReproducible),
    cache: !strategy.strategy.endsWith("/none"),
    privileges: strategy.privileges,
    runs: strategy.runs.map(runFacts),
    forks: strategy.forks.map(forkFacts),
    cleanup: more.cleanups?.find(isThis)?.cleanup ?? null,
  };
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

function runFacts(run: RunReport): RunFacts {
  const known = (bytes: number | "unknown" | undefined) => (typeof bytes === "number" ? bytes : null);
  const charges = Object.entries(run.ledgers ?? {}).filter(
    (entry): entry is [LedgerId, number] => typeof entry[1] === "number",
  );
  return {
    scenario: run.scenario,
    outcome: run.outcome,
    totalMs: run.outcome === "succeeded" ? median(run.totalMs) : null,
    ...reuseOf(run),
    charges: Object.fromEntries(charges),
    memoryPeakBytes: known(run.memoryPeakBytes),
    memoryLimitBytes: run.memoryLimitBytes,
    storageRunPeakBytes: known(run.storageRun?.memoryPeakBytes),
  };
}

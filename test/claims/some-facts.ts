import type { LedgerId } from "../../src/domain/comparison.ts";
import type { Scenario } from "../../src/domain/report.ts";
import type { ClaimFacts, ImageFacts, RunFacts, StrategyFacts } from "../../src/claims/facts.ts";

const MEGABYTE = 1e6;
export const GIBIBYTE = 2 ** 30;

/** Nothing is known. */
export const NOTHING: ClaimFacts = {
  ledger: null,
  timesDecide: true,
  fewRuns: false,
  images: [],
  recipes: null,
  dockerfiles: null,
  needs: {},
  computeFactors: [],
};

/** A run that succeeded; charges in MB. */
export function run(
  scenario: Scenario,
  charges: Partial<Record<LedgerId, number>> = {},
  given: Partial<RunFacts> = {},
): RunFacts {
  return {
    scenario,
    outcome: "succeeded",
    totalMs: null,
    reused: null,
    layers: null,
    charges: Object.fromEntries(
      Object.entries(charges).map(([ledger, megabytes]) => [ledger, megabytes * MEGABYTE]),
    ),
    memoryPeakBytes: null,
    memoryLimitBytes: 8 * GIBIBYTE,
    storageRunPeakBytes: null,
    ...given,
  };
}

export function strategy(
  role: StrategyFacts["role"],
  runs: RunFacts[],
  given: Partial<StrategyFacts> = {},
): StrategyFacts {
  const isCurrent = role === "current";
  return {
    label: isCurrent ? "docker/inline" : "kaniko/layers",
    builder: isCurrent ? "docker" : "kaniko",
    role,
    reproducible: false,
    cache: true,
    privileges: isCurrent ? "daemon" : "none",
    runs,
    forks: [],
    cleanup: null,
    ...given,
  };
}

export function image(strategies: StrategyFacts[], given: Partial<ImageFacts> = {}): ImageFacts {
  return { image: "app", edits: { count: 2, synthetic: false }, strategies, ...given };
}

/** Facts of one image, charged by GitLab's count. */
export function factsWith(strategies: StrategyFacts[], given: Partial<ClaimFacts> = {}): ClaimFacts {
  return { ...NOTHING, ledger: "namespace", images: [image(strategies)], ...given };
}

import type { LedgerId } from "../domain/comparison.ts";
import type { Outcome, Privileges } from "../domain/job.ts";
import type { BuilderId, Recipe } from "../domain/recipe.ts";
import type { DockerfileCopies, Scenario, StrategyReport } from "../domain/report.ts";

/** All that claims are held against. What is not known is null, absent or an empty list, and is never guessed. */
export type ClaimFacts = {
  /** Ledger that the project's forge charges by; null where that is not known. */
  ledger: LedgerId | null;
  /** False on a link without a limit: times then decide nothing. */
  timesDecide: boolean;
  /** Times rest on fewer runs than a verdict asks for: only a great difference says something then. */
  fewRuns: boolean;
  images: ImageFacts[];
  /** Recipes of the changed jobs before and after; null where no template was read. */
  recipes: { base: Recipe[]; head: Recipe[] } | null;
  /** Dockerfiles in the folders of those that the jobs build; null where no tree was read. */
  dockerfiles: DockerfileCopies[] | null;
  /** What each builder needs, in words; absent where it is not known, null where it needs nothing. */
  needs: Partial<Record<BuilderId, string | null>>;
  /** Minutes that the forge charges for one minute of a job, by kind of runner. Empty: nothing is said of money. */
  computeFactors: ComputeFactor[];
};

/** `factor` 0.5: one minute of a job is charged as half a minute. */
export type ComputeFactor = { runner: string; factor: number };

export type ImageFacts = {
  image: string;
  /** Number of edits that were replayed, and whether they were made up. */
  edits: { count: number; synthetic: boolean };
  strategies: StrategyFacts[];
};

export type StrategyFacts = {
  /** `kaniko/layers+redo`. */
  label: string;
  builder: BuilderId;
  role: StrategyReport["role"];
  /** Built with --reproducible, by variant or by template. */
  reproducible: boolean;
  cache: boolean;
  privileges: Privileges;
  runs: RunFacts[];
  /** One for each way in which upstream was tried to be read; empty where no fork was tried. */
  forks: ForkFacts[];
  /** null where no cleanup was simulated. */
  cleanup: CleanupFacts | null;
};

export type RunFacts = {
  scenario: Scenario;
  outcome: Outcome;
  /** Median of build and push in milliseconds; null where it was not timed. */
  totalMs: number | null;
  /** `reused` of `layers` came out of a cache, by digest; null where that is not known. */
  reused: number | null;
  layers: number | null;
  /** Bytes after this run; a ledger that is not known is absent. */
  charges: Partial<Record<LedgerId, number>>;
  /** What the processes needed at most; with page cache where that alone was seen. */
  memoryPeakBytes: number | null;
  memoryLimitBytes: number;
  /** The same of the run with more memory; null where there was none. */
  storageRunPeakBytes: number | null;
  /** That peak is with page cache: the processes alone were below the limit when they were sampled. */
  storageRunWithCache?: boolean;
};

/** One pipeline of a contributor's fork. `reused` of `layers` came out of a cache, by digest. */
export type ForkRunFacts = {
  outcome: Outcome;
  reused: number | null;
  layers: number | null;
  totalMs: number | null;
};

export type ForkFacts = {
  /** His first pipeline with the edit, and the second with the same edit; null where it did not come to that. */
  first: ForkRunFacts | null;
  second: ForkRunFacts | null;
  /** Whether a fork may read upstream's repositories; null where that is not known. */
  upstream: "readable" | "unreadable" | null;
  /** What came of the push to a cache that the fork may not write. */
  cachePushDenied: "warning" | "failed" | "not tried" | "not denied";
};

/** What remains when the cleanup policy has done its work. */
export type CleanupFacts = {
  /** The policy in words, `keep 1 tag per repository, older than 7 days`. */
  policy: string;
  /** Tags that it deletes of what the trial left. */
  deletedTags: number;
  /** Bytes before and after it, after the last edit. */
  before: Partial<Record<LedgerId, number>>;
  floor: Partial<Record<LedgerId, number>>;
};

import type { Builder, DroppedFlag, PlannedRun } from "../builders/types.ts";
import type { JobNetwork, JobResult, Limits, Phases } from "../domain/job.ts";
import type { Holding, Ledgers, RepositoryUse, Snapshot, Traffic } from "../domain/registry.ts";
import type { Scenario } from "../domain/report.ts";
import { holdingOf } from "../registry/holding.ts";
import { chargeHistory, lastOf, useOf } from "../registry/ledgers.ts";
import type { TrialRegistry } from "../registry/trial-registry.ts";
import { pushRemarks } from "./check-result.ts";
import { runForks, type ForkRecord, type ForkSpec } from "./fork.ts";
import { repositoryOf, tagOf } from "./references.ts";
import {
  buildPrerequisites,
  runBuild,
  UNSTARTED,
  withFilledCache,
  type Prerequisite,
  type RunDoors,
  type RunReason,
} from "./run-build.ts";

/** One run as it was seen. `timed` is false for the run with more memory that follows a kill (rule 7). */
export type RunRecord = {
  scenario: Scenario;
  timed: boolean;
  memoryLimitBytes: number;
  result: JobResult;
  phases: Phases;
  hits: number | "unknown";
  misses: number | "unknown";
  traffic: Traffic;
  ledgers: Ledgers;
  repositories: RepositoryUse[];
  holding: Holding;
};

/**
 * `machineMs`: how long jobs of this trial held the machine, those that are not reported included. `remarks`: what a
 * builder did beside what its recipe says.
 */
export type TrialRecord = {
  runs: RunRecord[];
  forks: ForkRecord[];
  dropped: DroppedFlag[];
  remarks: string[];
  /** The registry after the last run that left something to go on from; null where there was none. */
  last: Snapshot | null;
  machineMs: number;
};

/** One image with one strategy: its scenarios in order, each on a fresh runner, all with one registry. */
export type TrialSpec = {
  name: string;
  builder: Builder;
  /** Images that this one starts from and that the same templates build: built first, untimed, in this order. */
  prerequisites: Prerequisite[];
  scenarios: Scenario[];
  /** The run of a scenario; references and names are mapped to the registry by the caller. */
  describe(scenario: Scenario, host: string, limits: Limits): PlannedRun;
  /** What a contributor does in a fork; null where nobody asks or the job does not run there. */
  fork: ForkSpec | null;
  limits: Limits;
  /** Memory of the untimed run that follows a kill; null where the machine has no more. */
  moreMemoryBytes: number | null;
  /** Unpacked digests of the base image's layers, of the Dockerfile that this scenario builds. */
  baseDiffIds(scenario: Scenario): string[];
  /** Where all jobs of the trial run; `host` if left out. */
  network?: JobNetwork;
};

export type TrialDoors = RunDoors & { startRegistry(name: string): Promise<TrialRegistry> };

/** Runs a trial to its end, or to the first scenario that leaves nothing for the next one to start from. */
export async function runTrial(
  spec: TrialSpec,
  doors: TrialDoors,
  signal: AbortSignal,
): Promise<TrialRecord> {
  const registry = await doors.startRegistry(spec.name);
  const record: TrialRecord = { runs: [], forks: [], dropped: [], remarks: [], last: null, machineMs: 0 };
  try {
    const site = { registry, doors, signal, record, network: spec.network ?? "host" } as const;
    const ready = await buildPrerequisites(spec.prerequisites, "upstream", site);
    // The registry after each scenario, from before the first on.
    const history = [await registry.snapshot()];
    if (ready !== null) {
      record.runs.push(unstarted(spec, ready, history));
      return record;
    }
    for (const scenario of spec.scenarios) {
      await registry.mark();
      const around: Surroundings = { ...site, history };
      if (scenario === spec.fork?.edit) await tryFork(spec, spec.fork, around);
      const timed = () => runOnce(spec, scenario, spec.limits, "timed", around);
      let run = await withFilledCache(scenario, timed, site);
      record.runs.push(run.record);
      if (run.record.result.outcome === "out-of-memory" && spec.moreMemoryBytes !== null) {
        await registry.rollBack();
        const limits = { ...spec.limits, memoryBytes: spec.moreMemoryBytes };
        run = await runOnce(spec, scenario, limits, "more memory", around);
        record.runs.push(run.record);
      }
      if (run.record.result.outcome !== "succeeded") break;
      history.push(run.after);
      record.last = run.after;
    }
    return record;
  } finally {
    await registry.remove();
  }
}

/** A fork's pipelines end as they end: upstream's trial goes on from where it was. */
async function tryFork(spec: TrialSpec, fork: ForkSpec, around: Surroundings): Promise<void> {
  const { builder, limits } = spec;
  const before = lastOf(around.history);
  const baseDiffIds = spec.baseDiffIds(fork.edit);
  around.record.forks = await runForks(fork, { ...around, before, builder, limits, baseDiffIds });
}

/** The first scenario of an image whose own base could not be built. */
function unstarted(spec: TrialSpec, result: JobResult, history: readonly Snapshot[]): RunRecord {
  return {
    scenario: spec.scenarios[0] ?? "cold",
    timed: true,
    memoryLimitBytes: spec.limits.memoryBytes,
    result,
    ...UNSTARTED,
    ledgers: chargeHistory(history),
    repositories: [],
    holding: holdingOf(history, []),
  };
}

type Surroundings = {
  registry: TrialRegistry;
  history: readonly Snapshot[];
  doors: RunDoors;
  signal: AbortSignal;
  record: TrialRecord;
  network: JobNetwork;
};

type Ran = { record: RunRecord; after: Snapshot };

async function runOnce(
  spec: TrialSpec,
  scenario: Scenario,
  limits: Limits,
  why: RunReason,
  around: Surroundings,
): Promise<Ran> {
  const { registry, history, doors, signal, record } = around;
  const before = lastOf(history);
  signal.throwIfAborted();
  doors.onRun(scenario, why);
  const built = await runBuild(
    {
      label: scenario,
      builder: spec.builder,
      planned: spec.describe(scenario, registry.host, limits),
      user: "upstream",
      before,
      baseDiffIds: spec.baseDiffIds(scenario),
    },
    around,
  );
  const { build, after, dropped, result, phases, hits, misses, traffic } = built;
  record.remarks.push(...pushRemarks(scenario, build, before, after));
  record.dropped = dropped;
  const names = (references: string[]) =>
    references.map((reference) => repositoryOf(reference, registry.host));
  const run: RunRecord = {
    scenario,
    timed: why === "timed",
    memoryLimitBytes: limits.memoryBytes,
    result,
    phases,
    hits,
    misses,
    traffic,
    ledgers: chargeHistory([...history, after]),
    repositories: useOf(after, names(build.images), names(build.cacheTo)),
    holding: holdingOf(
      [...history, after],
      build.images.map((image) => ({ repository: repositoryOf(image, registry.host), tag: tagOf(image) })),
    ),
  };
  return { record: run, after };
}

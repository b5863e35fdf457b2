import type { Builder, BuildRun, DroppedFlag } from "../builders/types.ts";
import type { Job, JobResult, Limits, Phases } from "../domain/job.ts";
import type { Ledgers, RepositoryUse, Snapshot, Traffic } from "../domain/registry.ts";
import type { Scenario } from "../domain/report.ts";
import { blobsOf, chargeAll, useOf } from "../registry/ledgers.ts";
import type { TrialRegistry } from "../registry/trial-registry.ts";
import { countHits, imageManifest } from "./hits.ts";
import { repositoryOf, tagOf } from "./references.ts";

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
};

export type TrialRecord = { runs: RunRecord[]; dropped: DroppedFlag[] };

/** One image with one strategy: its scenarios in order, each on a fresh runner, all with one registry. */
export type TrialSpec = {
  name: string;
  builder: Builder;
  scenarios: Scenario[];
  /** The run of a scenario; references and names are mapped to the registry by the caller. */
  describe(scenario: Scenario, host: string, limits: Limits): BuildRun;
  limits: Limits;
  /** Memory of the untimed run that follows a kill; null where the machine has no more. */
  moreMemoryBytes: number | null;
  /** Unpacked digests of the base image's layers. */
  baseDiffIds: string[];
};

export type TrialDoors = {
  run(job: Job, signal: AbortSignal): Promise<JobResult>;
  startRegistry(name: string): Promise<TrialRegistry>;
  onRun(scenario: Scenario, timed: boolean): void;
};

/** Runs a trial to its end, or to the first scenario that leaves nothing for the next one to start from. */
export async function runTrial(
  spec: TrialSpec,
  doors: TrialDoors,
  signal: AbortSignal,
): Promise<TrialRecord> {
  const registry = await doors.startRegistry(spec.name);
  const record: TrialRecord = { runs: [], dropped: [] };
  try {
    let before = await registry.snapshot();
    for (const scenario of spec.scenarios) {
      await registry.mark();
      let run = await runOnce(spec, scenario, spec.limits, true, { registry, before, doors, signal, record });
      if (run.result.outcome === "out-of-memory" && spec.moreMemoryBytes !== null) {
        await registry.rollBack();
        const limits = { ...spec.limits, memoryBytes: spec.moreMemoryBytes };
        run = await runOnce(spec, scenario, limits, false, { registry, before, doors, signal, record });
      }
      if (run.result.outcome !== "succeeded") break;
      before = await registry.snapshot();
    }
    return record;
  } finally {
    await registry.remove();
  }
}

type Surroundings = {
  registry: TrialRegistry;
  before: Snapshot;
  doors: TrialDoors;
  signal: AbortSignal;
  record: TrialRecord;
};

async function runOnce(
  spec: TrialSpec,
  scenario: Scenario,
  limits: Limits,
  timed: boolean,
  around: Surroundings,
): Promise<RunRecord> {
  const { registry, doors, signal, record } = around;
  signal.throwIfAborted();
  doors.onRun(scenario, timed);
  const build = spec.describe(scenario, registry.host, limits);
  const { job, dropped } = spec.builder.job(build);
  await registry.traffic();
  const result = await doors.run(job, signal);
  signal.throwIfAborted();
  // Before the snapshot: what Tare itself reads of the registry is not the build's.
  const traffic = await registry.traffic();
  const after = await registry.snapshot();
  const names = (references: string[]) =>
    references.map((reference) => repositoryOf(reference, registry.host));
  const run: RunRecord = {
    scenario,
    timed,
    memoryLimitBytes: limits.memoryBytes,
    result,
    phases: spec.builder.phases(build, result),
    ...(result.outcome === "succeeded"
      ? await hitsOf(build, spec.baseDiffIds, around.before, after, registry)
      : ({ hits: "unknown", misses: "unknown" } as const)),
    traffic,
    ledgers: chargeAll(after),
    repositories: useOf(after, names(build.images), names(build.cacheTo)),
  };
  record.runs.push(run);
  record.dropped = dropped;
  return run;
}

async function hitsOf(
  build: BuildRun,
  baseDiffIds: readonly string[],
  before: Snapshot,
  after: Snapshot,
  registry: TrialRegistry,
): Promise<{ hits: number | "unknown"; misses: number | "unknown" }> {
  const reference = build.images[0];
  const repository = reference === undefined ? "" : repositoryOf(reference, registry.host);
  const manifest = reference === undefined ? null : imageManifest(after, repository, tagOf(reference));
  if (manifest?.config === null || manifest === null) return { hits: "unknown", misses: "unknown" };
  const config = (await registry.client.config(repository, manifest.config.digest)) as {
    rootfs?: { diff_ids?: string[] };
  };
  const held = new Set(before.repositories.flatMap((known) => [...blobsOf(known).keys()]));
  for (const digest of Object.keys(before.stored ?? {})) held.add(digest);
  return countHits({ diffIds: config.rootfs?.diff_ids ?? [], manifest }, baseDiffIds, held);
}

import type { Builder, BuildRun, DroppedFlag } from "../builders/types.ts";
import type { Job, JobResult, Limits, Phases } from "../domain/job.ts";
import type { Holding, Ledgers, RepositoryUse, Snapshot, Traffic } from "../domain/registry.ts";
import type { Scenario } from "../domain/report.ts";
import { holdingOf } from "../registry/holding.ts";
import { blobsOf, chargeHistory, useOf } from "../registry/ledgers.ts";
import type { TrialRegistry } from "../registry/trial-registry.ts";
import { checkedResult, pushRemarks } from "./check-result.ts";
import { countHits, imageManifest } from "./hits.ts";
import { registryRemark } from "./registry-errors.ts";
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
  holding: Holding;
};

/**
 * `machineMs`: how long jobs of this trial held the machine, those that are not reported included. `remarks`: what a
 * builder did beside what its recipe says.
 */
export type TrialRecord = {
  runs: RunRecord[];
  dropped: DroppedFlag[];
  remarks: string[];
  machineMs: number;
};

/** One image with one strategy: its scenarios in order, each on a fresh runner, all with one registry. */
export type TrialSpec = {
  name: string;
  builder: Builder;
  /** Images that this one starts from and that the same templates build: built first, untimed, in this order. */
  prerequisites: { builder: Builder; describe: (host: string) => BuildRun }[];
  scenarios: Scenario[];
  /** The run of a scenario; references and names are mapped to the registry by the caller. */
  describe(scenario: Scenario, host: string, limits: Limits): BuildRun;
  limits: Limits;
  /** Memory of the untimed run that follows a kill; null where the machine has no more. */
  moreMemoryBytes: number | null;
  /** Unpacked digests of the base image's layers, of the Dockerfile that this scenario builds. */
  baseDiffIds(scenario: Scenario): string[];
};

/** Why a run is made: as it is reported, to fill the download cache, or for storage after a kill. */
export type RunReason = "timed" | "filling the download cache" | "more memory";

export type TrialDoors = {
  run(job: Job, signal: AbortSignal): Promise<JobResult>;
  startRegistry(name: string): Promise<TrialRegistry>;
  onRun(scenario: Scenario, why: RunReason): void;
  /** True where RUN steps asked the download cache for something that it did not hold, since the last call. */
  missedDownloads(): boolean;
  /** A clock that only goes forward, in milliseconds. */
  monotonicMs(): number;
};

/** Runs a trial to its end, or to the first scenario that leaves nothing for the next one to start from. */
export async function runTrial(
  spec: TrialSpec,
  doors: TrialDoors,
  signal: AbortSignal,
): Promise<TrialRecord> {
  const registry = await doors.startRegistry(spec.name);
  const record: TrialRecord = { runs: [], dropped: [], remarks: [], machineMs: 0 };
  try {
    const ready = await buildPrerequisites(spec, { registry, doors, signal, record });
    // The registry after each scenario, from before the first on.
    const history = [await registry.snapshot()];
    if (ready !== null) {
      record.runs.push(unstarted(spec, ready, history));
      return record;
    }
    for (const scenario of spec.scenarios) {
      await registry.mark();
      const around: Surroundings = { registry, history, doors, signal, record };
      let run = await filledRun(spec, scenario, around);
      if (run.record.result.outcome === "out-of-memory" && spec.moreMemoryBytes !== null) {
        await registry.rollBack();
        const limits = { ...spec.limits, memoryBytes: spec.moreMemoryBytes };
        run = await runOnce(spec, scenario, limits, "more memory", around);
        record.runs.push(run.record);
      }
      if (run.record.result.outcome !== "succeeded") break;
      history.push(run.after);
    }
    return record;
  } finally {
    await registry.remove();
  }
}

/** Builds what the image starts from; the result of the first that does not succeed, or null. */
async function buildPrerequisites(
  spec: TrialSpec,
  { registry, doors, signal, record }: Omit<Surroundings, "history">,
): Promise<JobResult | null> {
  for (const { builder, describe } of spec.prerequisites) {
    signal.throwIfAborted();
    const startMs = doors.monotonicMs();
    const result = await doors.run(builder.job(describe(registry.host)).job, signal);
    record.machineMs += doors.monotonicMs() - startMs;
    if (result.outcome !== "succeeded") {
      signal.throwIfAborted();
      registryRemark("an image that this one starts from", result.outcome, await registry.traffic());
      return result;
    }
  }
  return null;
}

/** The first scenario of an image whose own base could not be built. */
function unstarted(spec: TrialSpec, result: JobResult, history: readonly Snapshot[]): RunRecord {
  const line = "[tare: the image that this one starts from could not be built]";
  return {
    scenario: spec.scenarios[0] ?? "cold",
    timed: true,
    memoryLimitBytes: spec.limits.memoryBytes,
    result: { ...result, log: [...result.log, { atMs: 0, stream: "stderr", line }] },
    phases: { buildMs: "unknown", pushMs: "unknown", totalMs: 0 },
    hits: "unknown",
    misses: "unknown",
    traffic: { pulledBytes: 0, pushedBytes: 0, serverErrors: 0 },
    ledgers: chargeHistory(history),
    repositories: [],
    holding: holdingOf(history, []),
  };
}

type Surroundings = {
  registry: TrialRegistry;
  history: readonly Snapshot[];
  doors: TrialDoors;
  signal: AbortSignal;
  record: TrialRecord;
};

type Ran = { record: RunRecord; after: Snapshot };

/**
 * The run that is reported. A first one whose RUN steps had to download anew has filled the cache (rule 12): it is set
 * aside, the registry goes back to where it was, and the same run is made once more from the cache.
 */
async function filledRun(spec: TrialSpec, scenario: Scenario, around: Surroundings): Promise<Ran> {
  const { registry, doors, record } = around;
  doors.missedDownloads();
  let run = await runOnce(spec, scenario, spec.limits, "timed", around);
  if (doors.missedDownloads()) {
    await registry.rollBack();
    doors.onRun(scenario, "filling the download cache");
    run = await runOnce(spec, scenario, spec.limits, "timed", around);
  }
  record.runs.push(run.record);
  return run;
}

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
  const build = spec.describe(scenario, registry.host, limits);
  const { job, dropped } = spec.builder.job(build);
  await registry.traffic();
  const startMs = doors.monotonicMs();
  const said = await doors.run(job, signal);
  record.machineMs += doors.monotonicMs() - startMs;
  signal.throwIfAborted();
  // Before the snapshot: what Tare itself reads of the registry is not the build's.
  const traffic = await registry.traffic();
  // Nor can a registry be read that does not work: what it says of itself comes first.
  registryRemark(`the ${scenario} run`, said.outcome, traffic);
  const after = await registry.snapshot();
  const names = (references: string[]) =>
    references.map((reference) => repositoryOf(reference, registry.host));
  const result = checkedResult(said, build, after);
  const remark = registryRemark(`the ${scenario} run`, result.outcome, traffic);
  if (remark !== null) record.remarks.push(`${scenario}: ${remark}`);
  record.remarks.push(...after.faults.map(({ said }) => `${scenario}: ${said}`));
  record.remarks.push(...pushRemarks(scenario, build, before, after));
  const run: RunRecord = {
    scenario,
    timed: why === "timed",
    memoryLimitBytes: limits.memoryBytes,
    result,
    phases: spec.builder.phases(build, result),
    ...(result.outcome === "succeeded"
      ? await hitsOf(build, spec.baseDiffIds(scenario), before, after, registry)
      : ({ hits: "unknown", misses: "unknown" } as const)),
    traffic,
    ledgers: chargeHistory([...history, after]),
    repositories: useOf(after, names(build.images), names(build.cacheTo)),
    holding: holdingOf(
      [...history, after],
      build.images.map((image) => ({ repository: repositoryOf(image, registry.host), tag: tagOf(image) })),
    ),
  };
  record.dropped = dropped;
  return { record: run, after };
}

function lastOf(history: readonly Snapshot[]): Snapshot {
  return history.at(-1) ?? { repositories: [], stored: null, faults: [] };
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

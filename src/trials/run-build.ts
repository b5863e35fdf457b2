import type { Builder, BuildRun, DroppedFlag, PlannedRun } from "../builders/types.ts";
import type { Job, JobNetwork, JobResult, Phases } from "../domain/job.ts";
import type { Snapshot, Traffic } from "../domain/registry.ts";
import { blobsOf } from "../registry/ledgers.ts";
import type { TrialRegistry } from "../registry/trial-registry.ts";
import { checkedResult, withLine } from "./check-result.ts";
import { gatedJob } from "./gated-job.ts";
import { countHits, imageManifest } from "./hits.ts";
import { registryRemark } from "./registry-errors.ts";
import { repositoryOf, tagOf } from "./references.ts";

/** Why a run is made: as it is reported, to fill the download cache, or for storage after a kill. */
export type RunReason = "timed" | "filling the download cache" | "more memory";

/** The world as the runs of a trial see it. */
export type RunDoors = {
  run(job: Job, signal: AbortSignal): Promise<JobResult>;
  /** `what` is the scenario, or the pipeline of a fork. */
  onRun(what: string, why: RunReason): void;
  /** True where RUN steps asked the download cache for something that it did not hold, since the last call. */
  missedDownloads(): boolean;
  /** A clock that only goes forward, in milliseconds. */
  monotonicMs(): number;
};

/** Where builds of a trial are made, and what is kept of them all. */
export type BuildSite = {
  registry: TrialRegistry;
  doors: Pick<RunDoors, "run" | "monotonicMs">;
  signal: AbortSignal;
  record: { machineMs: number; remarks: string[] };
  /** `host` if left out. */
  network?: JobNetwork;
};

export type WantedBuild = {
  /** How remarks call the run: `cold`, `fork 1`. */
  label: string;
  builder: Builder;
  planned: PlannedRun;
  user: "upstream" | "contributor";
  /** What the registry held of all that this user can read. */
  before: Snapshot;
  /** Unpacked digests of the base image's layers. */
  baseDiffIds: readonly string[];
};

/** One build on a fresh runner, and what the registry says of it. */
export type Built = {
  build: BuildRun;
  result: JobResult;
  dropped: DroppedFlag[];
  phases: Phases;
  traffic: Traffic;
  after: Snapshot;
  hits: number | "unknown";
  misses: number | "unknown";
};

/** What there is to say of a build that was never started. */
export const UNSTARTED = {
  phases: { buildMs: "unknown", pushMs: "unknown", totalMs: 0 },
  traffic: { pulledBytes: 0, pushedBytes: 0, writtenTags: [], readTags: [], serverErrors: 0 },
  hits: "unknown",
  misses: "unknown",
} satisfies Partial<Built>;

/** Images that another one starts from. */
export type Prerequisite = { builder: Builder; describe: (host: string) => PlannedRun };

/**
 * The run that is reported. A first one whose RUN steps had to download anew has filled the cache (rule 12): it is set
 * aside, the registry goes back to where it was, and the same run is made once more from the cache.
 */
export async function withFilledCache<T>(
  label: string,
  run: () => Promise<T>,
  { registry, doors }: Pick<BuildSite, "registry"> & { doors: RunDoors },
): Promise<T> {
  doors.missedDownloads();
  const first = await run();
  if (!doors.missedDownloads()) return first;
  await registry.rollBack();
  doors.onRun(label, "filling the download cache");
  return run();
}

/** Runs a build to its end, whatever that is. Throws Outage where the registry or the engine does not work. */
export async function runBuild(wanted: WantedBuild, site: BuildSite): Promise<Built> {
  const { registry, doors, signal, record } = site;
  const { label, builder } = wanted;
  signal.throwIfAborted();
  const build = withCredentials(wanted.planned, registry, wanted.user);
  const { job, dropped } = builder.job(build);
  const placed = inNetwork(job, build, site);
  await registry.traffic();
  const startMs = doors.monotonicMs();
  const said = await doors.run(placed, signal);
  record.machineMs += doors.monotonicMs() - startMs;
  signal.throwIfAborted();
  // Before the snapshot: what Tare itself reads of the registry is not the build's.
  const traffic = await registry.traffic();
  // Nor can a registry be read that does not work: what it says of itself comes first.
  registryRemark(`the ${label} run`, said.outcome, traffic);
  const after = await registry.snapshot();
  const result = checkedResult(said, build, after);
  const remark = registryRemark(`the ${label} run`, result.outcome, traffic);
  if (remark !== null) record.remarks.push(`${label}: ${remark}`);
  record.remarks.push(...after.faults.map((fault) => `${label}: ${fault.said}`));
  const phases = builder.phases(build, result);
  const layers =
    result.outcome === "succeeded" ? await hitsOf(build, wanted, after, registry) : UNKNOWN_LAYERS;
  return { build, result, dropped, phases, traffic, after, ...layers };
}

/** Builds what an image starts from, untimed; the result of the first that does not succeed, or null. */
export async function buildPrerequisites(
  prerequisites: readonly Prerequisite[],
  user: "upstream" | "contributor",
  site: BuildSite,
): Promise<JobResult | null> {
  const { registry, doors, signal, record } = site;
  for (const { builder, describe } of prerequisites) {
    signal.throwIfAborted();
    const startMs = doors.monotonicMs();
    const build = withCredentials(describe(registry.host), registry, user);
    const result = await doors.run(inNetwork(builder.job(build).job, build, site), signal);
    record.machineMs += doors.monotonicMs() - startMs;
    if (result.outcome !== "succeeded") {
      signal.throwIfAborted();
      registryRemark("an image that this one starts from", result.outcome, await registry.traffic());
      return withLine(result, "the image that this one starts from could not be built");
    }
  }
  return null;
}

function inNetwork(job: Job, build: BuildRun, { network, registry }: BuildSite): Job {
  return network === "gated" ? gatedJob(job, build, registry.access?.realm ?? null) : job;
}

function withCredentials(
  planned: PlannedRun,
  { access, host }: TrialRegistry,
  user: "upstream" | "contributor",
): BuildRun {
  return { ...planned, credentials: access === null ? null : { host, ...access.login(user) } };
}

const UNKNOWN_LAYERS = { hits: "unknown", misses: "unknown" } as const;

async function hitsOf(
  build: BuildRun,
  { before, baseDiffIds }: WantedBuild,
  after: Snapshot,
  registry: TrialRegistry,
): Promise<Pick<Built, "hits" | "misses">> {
  const reference = build.images[0];
  const repository = reference === undefined ? "" : repositoryOf(reference, registry.host);
  const manifest = reference === undefined ? null : imageManifest(after, repository, tagOf(reference));
  if (manifest?.config === null || manifest === null) return UNKNOWN_LAYERS;
  const config = (await registry.client.config(repository, manifest.config.digest)) as {
    rootfs?: { diff_ids?: string[] };
  };
  const held = new Set(before.repositories.flatMap((known) => [...blobsOf(known).keys()]));
  for (const digest of Object.keys(before.stored ?? {})) held.add(digest);
  return countHits({ diffIds: config.rootfs?.diff_ids ?? [], manifest }, baseDiffIds, held);
}

import type { Builder, BuildRun, PlannedRun } from "../builders/types.ts";
import type { Limits } from "../domain/job.ts";
import type { Denial, Snapshot } from "../domain/registry.ts";
import type { Scenario, UpstreamAccess } from "../domain/report.ts";
import { chargeNamespace, chargePerRepository } from "../registry/ledgers.ts";
import {
  buildPrerequisites,
  runBuild,
  UNSTARTED,
  withFilledCache,
  type BuildSite,
  type Built,
  type Prerequisite,
  type RunDoors,
} from "./run-build.ts";

/** The same image in a contributor's fork: two pipelines with one edit, each on a fresh runner. */
export type ForkSpec = {
  /** The edit that the contributor makes: its runs come right before upstream's own, and are rolled back. */
  edit: Scenario;
  /** Root namespace of the fork in the registry. */
  namespace: string;
  /** Whether upstream can be read; both are tried one after the other where both are named. */
  upstreams: readonly UpstreamAccess[];
  /** Images that this one starts from, as the fork's own pipeline builds them. */
  prerequisites: Prerequisite[];
  describe(pipeline: 1 | 2, upstream: UpstreamAccess, host: string, limits: Limits): PlannedRun;
};

/** One pipeline of the fork as it was seen. `build` is null where what the image starts from could not be built. */
export type ForkRunRecord = Pick<Built, "result" | "phases" | "traffic" | "hits" | "misses"> & {
  build: BuildRun | null;
  denied: Denial[];
  /** What the fork's namespace holds afterwards, by two ledgers. */
  namespaceBytes: number;
  perRepositoryBytes: number;
};

export type ForkRecord = { upstream: UpstreamAccess; runs: ForkRunRecord[] };

export type ForkSite = Omit<BuildSite, "doors"> & {
  doors: RunDoors;
  /** The registry as it is marked: the contributor starts from it, and it is that again afterwards. */
  before: Snapshot;
  builder: Builder;
  limits: Limits;
  baseDiffIds: readonly string[];
};

/**
 * Runs the fork's pipelines and rolls the registry back to its mark. However they end, upstream's trial goes on.
 * Nothing where the registry enforces no rights.
 */
export async function runForks(spec: ForkSpec, site: ForkSite): Promise<ForkRecord[]> {
  const { access } = site.registry;
  if (access === null) return [];
  const records: ForkRecord[] = [];
  try {
    for (const upstream of spec.upstreams) {
      access.letUpstreamBeRead(upstream === "readable");
      records.push({ upstream, runs: await runPipelines(spec, upstream, site) });
      await site.registry.rollBack();
    }
  } finally {
    access.letUpstreamBeRead(true);
  }
  return records;
}

async function runPipelines(
  spec: ForkSpec,
  upstream: UpstreamAccess,
  site: ForkSite,
): Promise<ForkRunRecord[]> {
  const marked = visible(site.before, spec.namespace, upstream);
  const first = await withFilledCache(
    labelOf(1, upstream),
    () => firstPipeline(spec, upstream, marked, site),
    site,
  );
  if (first.after === null) return [first.record];
  const before = visible(first.after, spec.namespace, upstream);
  const second = await runPipeline(spec, 2, upstream, before, site);
  return [first.record, second.record];
}

type Ran = { record: ForkRunRecord; after: Snapshot | null };

async function firstPipeline(
  spec: ForkSpec,
  upstream: UpstreamAccess,
  before: Snapshot,
  site: ForkSite,
): Promise<Ran> {
  const { registry } = site;
  registry.access?.takeDenied();
  const refused = await buildPrerequisites(spec.prerequisites, "contributor", site);
  if (refused === null) {
    const own = spec.prerequisites.length === 0 ? before : await registry.snapshot();
    return runPipeline(spec, 1, upstream, visible(own, spec.namespace, upstream), site);
  }
  const denied = registry.access?.takeDenied() ?? [];
  const held = charge(await registry.snapshot(), spec.namespace);
  // A pipeline that ended before the image itself.
  return { record: { ...UNSTARTED, build: null, result: refused, denied, ...held }, after: null };
}

async function runPipeline(
  spec: ForkSpec,
  pipeline: 1 | 2,
  upstream: UpstreamAccess,
  before: Snapshot,
  site: ForkSite,
): Promise<Ran> {
  const { registry, doors, builder, limits, baseDiffIds } = site;
  const label = labelOf(pipeline, upstream);
  doors.onRun(label, "timed");
  registry.access?.takeDenied();
  const planned = spec.describe(pipeline, upstream, registry.host, limits);
  const wanted = { label, builder, planned, user: "contributor", before, baseDiffIds } as const;
  const { after, dropped: _, ...built } = await runBuild(wanted, site);
  const denied = registry.access?.takeDenied() ?? [];
  return { record: { ...built, denied, ...charge(after, spec.namespace) }, after };
}

function labelOf(pipeline: 1 | 2, upstream: UpstreamAccess): string {
  return `fork ${pipeline}, upstream ${upstream}`;
}

function forkOf(snapshot: Snapshot, namespace: string): Snapshot {
  const repositories = snapshot.repositories.filter(({ name }) => name.startsWith(`${namespace}/`));
  return { ...snapshot, repositories };
}

/** What the contributor can read of it: a layer that upstream alone holds is none that could be reused. */
function visible(snapshot: Snapshot, namespace: string, upstream: UpstreamAccess): Snapshot {
  return upstream === "readable" ? snapshot : { ...forkOf(snapshot, namespace), stored: null };
}

function charge(snapshot: Snapshot, namespace: string) {
  const fork = forkOf(snapshot, namespace);
  return { namespaceBytes: chargeNamespace(fork), perRepositoryBytes: chargePerRepository(fork) };
}

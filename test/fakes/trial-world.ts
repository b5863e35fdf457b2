import type { Job, JobResult, Outcome } from "../../src/domain/job.ts";
import type { Denial, Descriptor, Manifest, Snapshot, Traffic } from "../../src/domain/registry.ts";
import type { TrialRegistry } from "../../src/registry/trial-registry.ts";

/** A layer by name and size; its unpacked digest is its name with `diff-` before it. */
export type FakeLayer = readonly [name: string, bytes: number];

/** A registry of a trial without a network: what builds push is told to it, and it keeps a log of what it is asked. */
export type FakeTrialRegistry = TrialRegistry & {
  /** An image of these layers; its configuration is 1,000 bytes, its manifest 500. */
  push(repository: string, tag: string, layers: readonly FakeLayer[]): void;
  /** Bytes that a build moved. */
  move(traffic: { pulledBytes?: number; pushedBytes?: number }): void;
  /** Requests of a build that it answered with an error of its own, and why. */
  failRequests(count: number, why: string): void;
  /** What a build asked for and was not given. */
  deny(denial: Denial): void;
};

/** How a job ends; what is left out is a success of 1,000 ms of build and 500 ms of push. */
export type Ending = Partial<JobResult>;

/** Does what a job would do to the registry, and tells how it ends. `nth` counts jobs from 1. */
export type FakeBuild = (job: Job, registry: FakeTrialRegistry, nth: number) => Ending;

export type TrialWorld = {
  /** Every step in order: registries started and removed, marks, snapshots, runs. */
  log: string[];
  jobs: Job[];
  run: (job: Job, signal: AbortSignal) => Promise<JobResult>;
  startRegistry: (name: string) => Promise<TrialRegistry>;
};

/** What a trial asks beside jobs and registries: time enough, nothing missed, and a clock that adds a second a look. */
export function quietDoors(): {
  hasTimeFor(expectedMs: number): boolean;
  missedDownloads(): boolean;
  monotonicMs(): number;
} {
  let nowMs = 0;
  return { hasTimeFor: () => true, missedDownloads: () => false, monotonicMs: () => (nowMs += 1_000) };
}

/** Doors of a trial that lead nowhere: one registry at a time at 127.0.0.1:5000, and builds as `build` says. */
export function trialWorld(build: FakeBuild): TrialWorld {
  const log: string[] = [];
  const jobs: Job[] = [];
  let current: FakeTrialRegistry | null = null;
  return {
    log,
    jobs,
    async startRegistry(name) {
      log.push(`start ${name}`);
      current = fakeTrialRegistry(name, log);
      return current;
    },
    async run(job) {
      log.push(`run ${job.name}`);
      jobs.push(job);
      if (current === null) throw new Error("no registry was started");
      return result(build(job, current, jobs.length));
    },
  };
}

function result(ending: Ending): JobResult {
  const exitCode = ending.outcome === undefined || ending.outcome === "succeeded" ? 0 : 1;
  return {
    outcome: "succeeded",
    commands: [
      { phase: "build", startMs: 0, endMs: 1_000, exitCode },
      { phase: "push", startMs: 1_000, endMs: 1_500, exitCode },
    ],
    log: [],
    memoryPeakBytes: 100_000_000,
    anonymousPeakBytes: 60_000_000,
    memoryKills: ending.outcome === "out-of-memory" ? 1 : 0,
    clock: "the fake's",
    ...ending,
  };
}

/** A job that ends like this, with one line of log. */
export const ended = (outcome: Outcome, line = `it ${outcome}`): Ending => ({
  outcome,
  log: [{ atMs: 0, stream: "stderr", line }],
});

/** Bytes that Tare's own reading of a registry moves over the same link. */
const READING_BYTES = 7_000;

function fakeTrialRegistry(name: string, log: string[]): FakeTrialRegistry {
  let held: Snapshot = { repositories: [], stored: {}, faults: [] };
  let marked = held;
  let traffic: Traffic = { pulledBytes: 0, pushedBytes: 0, writtenTags: [], readTags: [], serverErrors: 0 };
  const configs = new Map<string, string[]>();
  const denied: Denial[] = [];
  const refuse = async (): Promise<never> => {
    throw new Error("a trial asks for configurations only");
  };
  return {
    host: "127.0.0.1:5000",
    client: {
      repositories: refuse,
      tags: refuse,
      manifest: refuse,
      blobBytes: refuse,
      referrers: refuse,
      async config(_, digest) {
        log.push(`config ${digest}`);
        return { rootfs: { diff_ids: configs.get(digest) ?? [] } };
      },
    },
    async snapshot() {
      log.push("snapshot");
      traffic.pulledBytes += READING_BYTES;
      return structuredClone(held);
    },
    async traffic() {
      log.push("traffic");
      const counted = traffic;
      traffic = { pulledBytes: 0, pushedBytes: 0, writtenTags: [], readTags: [], serverErrors: 0 };
      return counted;
    },
    async mark() {
      log.push("mark");
      marked = structuredClone(held);
    },
    async rollBack() {
      log.push("roll back");
      held = structuredClone(marked);
    },
    async remove() {
      log.push(`remove ${name}`);
    },
    access: {
      realm: "http://127.0.0.1:5999/token",
      login: (user) => ({ username: user, password: `password of ${user}` }),
      letUpstreamBeRead: (readable) => void log.push(`upstream ${readable ? "readable" : "unreadable"}`),
      takeDenied: () => denied.splice(0),
    },
    deny: (denial) => void denied.push(denial),
    push(repository, tag, layers) {
      const key = `${repository}-${layers.map(([layer]) => layer).join("-")}`;
      configs.set(
        `config-${key}`,
        layers.map(([layer]) => `diff-${layer}`),
      );
      held = withManifest(held, repository, tag, manifestOf(key, layers));
    },
    move({ pulledBytes = 0, pushedBytes = 0 }) {
      traffic.pulledBytes += pulledBytes;
      traffic.pushedBytes += pushedBytes;
    },
    failRequests(count, why) {
      traffic = { ...traffic, serverErrors: count, firstServerError: why };
    },
  };
}

const descriptor = (digest: string, bytes: number): Descriptor => ({
  digest,
  bytes,
  mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
  foreign: false,
});

function manifestOf(key: string, layers: readonly FakeLayer[]): Manifest {
  return {
    digest: `manifest-${key}`,
    bytes: 500,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: descriptor(`config-${key}`, 1_000),
    layers: layers.map(([layer, bytes]) => descriptor(layer, bytes)),
    children: [],
  };
}

/** The tag moved to the manifest; what no tag names any more is left to the disk alone. */
function withManifest(held: Snapshot, name: string, tag: string, manifest: Manifest): Snapshot {
  const before = held.repositories.find((repository) => repository.name === name);
  const tags = { ...before?.tags, [tag]: manifest.digest };
  const known = { ...before?.manifests, [manifest.digest]: manifest };
  const manifests = Object.fromEntries(
    Object.entries(known).filter(([digest]) => Object.values(tags).includes(digest)),
  );
  const others = held.repositories.filter((repository) => repository.name !== name);
  const blobs = [manifest, ...(manifest.config === null ? [] : [manifest.config]), ...manifest.layers];
  const stored = { ...held.stored, ...Object.fromEntries(blobs.map(({ digest, bytes }) => [digest, bytes])) };
  return { repositories: [...others, { name, tags, manifests, untagged: [] }], stored, faults: [] };
}

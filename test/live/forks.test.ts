import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../src/domain/job.ts";
import type { Recipe } from "../../src/domain/recipe.ts";
import type { ForkReport, UpstreamAccess } from "../../src/domain/report.ts";
import { loadImageSource } from "../../src/trials/image-source.ts";
import { runTrial, type TrialRecord } from "../../src/trials/run-trial.ts";
import { summarizeForks } from "../../src/trials/summarize-forks.ts";
import { forkSpec, trialSpec } from "../../src/trials/trial-spec.ts";
import { liveRecipe, STRATEGIES } from "../contracts/strategies.ts";
import {
  openLiveTestbed,
  registryDirectory,
  sumDisk,
  type LiveDiskSums,
  type LiveTestbed,
} from "./live-testbed.ts";

const DOCKERFILE = [
  "FROM docker.io/library/busybox:1.36",
  "RUN head -c 3000000 /dev/urandom > /first",
  "RUN head -c 2000000 /dev/urandom > /last",
  "",
].join("\n");
/** Bytes of the layers, random and so not smaller when compressed. */
const FIRST = 3_000_000;
const LAST = 2_000_000;

const IMAGE = "$CI_REGISTRY_IMAGE/image:latest";
/** The cache by upstream's own name: what a fork can read and not write. */
const CACHE = "$CI_REGISTRY/group/project/image-cache";

let live: LiveTestbed;
beforeAll(async () => {
  live = await openLiveTestbed();
});
afterAll(async () => {
  await live.close();
});

/** Scenarios of the trial with the fork's pipelines before the edit; `disk` is what the files hold after each job. */
async function tried(
  recipe: Recipe,
  upstreams: UpstreamAccess[],
): Promise<{ record: TrialRecord; forks: ForkReport[]; disk: LiveDiskSums[] }> {
  const source = await loadImageSource(recipe, ["last"], {
    read: (path) => (path === recipe.dockerfile ? DOCKERFILE : null),
    readContext: async () => [],
    versions: [],
  });
  const { tools } = live.testbed;
  const options = {
    limits: { ...DEFAULT_LIMITS, durationMs: 120_000 },
    moreMemoryBytes: null,
    context: { projectPath: "group/project", branch: "main" },
    images: { [recipe.builder]: tools.builders[recipe.builder]?.image ?? "" },
    mirrors: live.mirrors,
    bases: new Map([["docker.io/library/busybox:1.36", { digest: null, diffIds: live.base.diffIds }]]),
    proxy: null,
    forks: upstreams,
  };
  const name = `fork-${randomBytes(4).toString("hex")}`;
  const spec = trialSpec(name, source, forkSpec(name, source, options), options);
  const disk: LiveDiskSums[] = [];
  let directory = "";
  const record = await runTrial(
    { ...spec, scenarios: ["cold", "edit 1"] },
    {
      run: async (job) => {
        const result = await live.run(job);
        disk.push(sumDisk(directory, "group/project/image"));
        return result;
      },
      onRun: () => {},
      missedDownloads: () => false,
      monotonicMs: () => performance.now(),
      async startRegistry(of) {
        const registry = await live.startRegistry(of, "contributor");
        directory = await registryDirectory(live.testbed, registry.host);
        return registry;
      },
    },
    new AbortController().signal,
  );
  return { record, forks: summarizeForks(record.forks), disk };
}

/** What upstream holds stays as it was, whatever the fork does; afterwards its own edit goes on from there. */
function leavesUpstreamAlone({ record, forks, disk }: Awaited<ReturnType<typeof tried>>): void {
  expect(record.runs.map(({ scenario, result }) => [scenario, result.outcome])).toStrictEqual([
    ["cold", "succeeded"],
    ["edit 1", "succeeded"],
  ]);
  expect(record.remarks).toStrictEqual([]);
  const upstream = (sums: LiveDiskSums | undefined) =>
    Object.entries(sums?.repositories ?? {}).filter(([name]) => name.startsWith("group/"));
  const pipelines = forks.flatMap(({ runs }) => runs);
  pipelines.forEach((run, index) => {
    const sums = disk[index + 1];
    expect(upstream(sums)).toStrictEqual(upstream(disk[0]));
    const own = Object.entries(sums?.perRepository ?? {}).filter(([name]) => name.startsWith("contributor/"));
    expect(run.perRepositoryBytes).toBe(own.reduce((sum, [, bytes]) => sum + bytes, 0));
  });
  // Nothing of the fork is left when upstream goes on.
  expect(
    Object.keys(disk.at(-1)?.perRepository ?? {}).filter((name) => name.startsWith("contributor/")),
  ).toStrictEqual([]);
}

const pipelinesOf = (forks: readonly ForkReport[]) =>
  forks.map(({ upstream, cachePush, runs }) => ({
    upstream,
    cachePush,
    runs: runs.map(({ outcome, exitCode, hits, misses }) => [outcome, exitCode, hits, misses]),
  }));

/**
 * What each pipeline was refused of upstream's project. kaniko also tries to mount the base image's layers from that
 * image's own path, which a closed registry refuses and which changes nothing.
 */
const refusalsOf = ([fork]: readonly ForkReport[]) =>
  fork?.runs.map(({ denied }) =>
    denied
      .filter(({ repository }) => !repository.startsWith("library/"))
      .map(({ user, repository, action }) => `${user}: ${action} ${repository}`),
  );

const CACHE_PUSH = "contributor: push group/project/image-cache";
const CACHE_PULL = "contributor: pull group/project/image-cache";

const lastLine = ([fork]: readonly ForkReport[]) => fork?.runs[0]?.failure?.at(-1) ?? "";

describe("a fork whose credentials may not write upstream's cache", () => {
  it("kaniko warns and goes on; what upstream has is reused, what is new is built each time", async () => {
    const recipe = { ...STRATEGIES["kaniko/layers"], cacheFrom: [CACHE], cacheTo: [CACHE] };
    const trial = await tried(recipe, ["readable", "unreadable"]);
    leavesUpstreamAlone(trial);
    const { forks } = trial;
    const again = (...run: unknown[]) => [run, run];
    expect(pipelinesOf(forks)).toStrictEqual([
      { upstream: "readable", cachePush: "denied: the job goes on", runs: again("succeeded", 0, 1, 1) },
      { upstream: "unreadable", cachePush: "denied: the job goes on", runs: again("succeeded", 0, 0, 2) },
    ]);
    expect(refusalsOf(forks)).toStrictEqual([[CACHE_PUSH], [CACHE_PUSH]]);
    expect(refusalsOf(forks.slice(1))?.[0]?.toSorted()).toStrictEqual([CACHE_PULL, CACHE_PUSH]);
    // An image of both layers is the fork's own, once by digest and nowhere else.
    const first = forks[0]?.runs[0];
    expect(first?.namespaceBytes).toBeGreaterThan(FIRST + LAST);
    expect(first?.namespaceBytes).toBeLessThan(FIRST + LAST + 3_000_000);
    expect(first?.pulledBytes).toBeGreaterThan(FIRST);
    expect(first?.pulledBytes).toBeLessThan(FIRST + LAST);
    expect(forks[1]?.runs[0]?.pulledBytes).toBeLessThan(FIRST);
  });

  it("buildah fails with 125, and leaves nothing in the fork", async () => {
    const recipe = { ...STRATEGIES["buildah/layers"], cacheFrom: [CACHE], cacheTo: [CACHE] };
    const trial = await tried(recipe, ["readable"]);
    leavesUpstreamAlone(trial);
    const run = ["failed", 125, "unknown", "unknown"];
    expect(pipelinesOf(trial.forks)).toStrictEqual([
      { upstream: "readable", cachePush: "denied: the job fails", runs: [run, run] },
    ]);
    expect(refusalsOf(trial.forks)).toStrictEqual([[CACHE_PUSH], [CACHE_PUSH]]);
    expect(lastLine(trial.forks)).toMatch(/^Error: failed pushing cache to .* denied$/);
    expect(trial.forks[0]?.runs[1]?.perRepositoryBytes).toBe(0);
  });

  const registryMin = (options: Record<string, string>) =>
    liveRecipe({
      builder: "buildkit",
      strategy: "buildkit/registry-min",
      program: "buildctl build",
      cacheFrom: [`${CACHE}:latest`],
      cacheTo: [`${CACHE}:latest`],
      cacheToOptions: [{ mode: "min", ...options }],
    });

  it("BuildKit fails with 1, and the push of the image is broken off", async () => {
    const trial = await tried(registryMin({}), ["readable"]);
    leavesUpstreamAlone(trial);
    const run = ["failed", 1, "unknown", "unknown"];
    expect(pipelinesOf(trial.forks)).toStrictEqual([
      { upstream: "readable", cachePush: "denied: the job fails", runs: [run, run] },
    ]);
    expect(refusalsOf(trial.forks)).toStrictEqual([[CACHE_PUSH], [CACHE_PUSH]]);
    expect(lastLine(trial.forks)).toContain("insufficient_scope");
  });

  it("BuildKit with ignore-error goes on", async () => {
    const trial = await tried(registryMin({ "ignore-error": "true" }), ["readable"]);
    leavesUpstreamAlone(trial);
    const run = ["succeeded", 0, 1, 1];
    expect(pipelinesOf(trial.forks)).toStrictEqual([
      { upstream: "readable", cachePush: "denied: the job goes on", runs: [run, run] },
    ]);
    expect(refusalsOf(trial.forks)).toStrictEqual([[CACHE_PUSH], [CACHE_PUSH]]);
  });

  it("docker's inline cache is pushed with the image: the second pipeline finds everything", async () => {
    const upstream = "$CI_REGISTRY/group/project/image:latest";
    const recipe = { ...STRATEGIES["docker/inline"], cacheFrom: [IMAGE, upstream] };
    const trial = await tried(recipe, ["readable"]);
    leavesUpstreamAlone(trial);
    expect(pipelinesOf(trial.forks)).toStrictEqual([
      {
        upstream: "readable",
        cachePush: "none",
        runs: [
          ["succeeded", 0, 1, 1],
          ["succeeded", 0, 2, 0],
        ],
      },
    ]);
    expect(refusalsOf(trial.forks)).toStrictEqual([[], []]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Recipe } from "../../src/domain/recipe.ts";
import { adapted, liveRecipe } from "../contracts/strategies.ts";
import { openLiveTestbed, type LiveTestbed } from "./live-testbed.ts";
import { runLiveTrial } from "./live-trial.ts";

const DOCKERFILE = [
  "FROM docker.io/library/busybox:1.36",
  ...[5, 3, 2].map((mb, index) => `RUN head -c ${mb}000000 /dev/urandom > /layer-${index + 1}`),
  "",
].join("\n");
const LAYERS_BYTES = 10_000_000;
/** Headers, manifests, configurations and attestations. */
const SLACK_BYTES = 60_000;

const IMAGE = "$CI_REGISTRY_IMAGE/image:latest";
const CACHE = "$CI_REGISTRY_IMAGE/image-cache";
const docker = liveRecipe({ builder: "docker", strategy: "docker/none" });
const buildkit = liveRecipe({ builder: "buildkit", strategy: "buildkit/registry-max" });
const oneManifest: Partial<Recipe> = {
  cacheFrom: [`${CACHE}:latest`],
  cacheTo: [`${CACHE}:latest`],
  cacheToOptions: [{ mode: "max", "image-manifest": "true" }],
};

let live: LiveTestbed;
beforeAll(async () => {
  live = await openLiveTestbed();
});
afterAll(async () => {
  await live.close();
});

/** Cold and warm on a fresh registry. */
async function tried(recipe: Recipe) {
  const { record, disk } = await runLiveTrial(live, recipe, DOCKERFILE, { scenarios: ["cold", "warm"] });
  const [cold, warm] = record.runs;
  const sums = disk[0];
  if (cold === undefined || warm === undefined || sums === undefined) throw new Error("a run is missing");
  expect([cold.result.outcome, warm.result.outcome]).toStrictEqual(["succeeded", "succeeded"]);
  return { cold, warm, sums };
}

describe.concurrent("other words for the same builders", () => {
  it("runs the older builder of docker, which finds nothing on a fresh runner", async () => {
    const { cold, warm } = await tried({ ...docker, environment: { DOCKER_BUILDKIT: "0" } });
    expect([cold.misses, warm.hits, warm.misses]).toStrictEqual([3, 0, 3]);
  });

  it("has the older builder find what was pulled; the pull counts in the total alone", async () => {
    const { cold, warm } = await tried({
      ...docker,
      environment: { DOCKER_BUILDKIT: "0" },
      pulls: [IMAGE],
      cacheFrom: [IMAGE],
    });
    expect(cold.result.commands.map(({ phase, exitCode }) => [phase, exitCode])).toStrictEqual([
      ["pull", 1],
      ["build", 0],
      ["push", 0],
    ]);
    expect(warm.result.commands.map(({ exitCode }) => exitCode)).toStrictEqual([0, 0, 0]);
    expect([warm.hits, warm.misses]).toStrictEqual([3, 0]);
    const { buildMs, pushMs, totalMs } = warm.phases;
    expect(totalMs).toBeGreaterThan(Number(buildMs) + Number(pushMs) + 50);
  });

  it("pushes with docker buildx build --push, and tells build and push apart", async () => {
    const program = "docker buildx build";
    const { cold, warm, sums } = await tried({
      ...docker,
      ...oneManifest,
      strategy: "docker/registry-max",
      program,
      flags: ["--push", "--provenance=false"],
    });
    expect([warm.hits, warm.misses]).toStrictEqual([3, 0]);
    expect(cold.result.commands.map(({ phase }) => phase)).toStrictEqual(["build and push"]);
    expect(Number(cold.phases.buildMs) + Number(cold.phases.pushMs)).toBeCloseTo(cold.phases.totalMs, 3);
    expect(sums.repositories["group/project/image-cache"]?.tags).toBe(1);
  });

  it("gives the image of a buildx instance the provenance that buildx gives it", async () => {
    const buildx = { ...buildkit, strategy: "buildkit/none" as const, program: "docker buildx build" };
    const flags = ["--push", "--label=a=b c", "--platform=linux/amd64"];
    const images = [IMAGE, "$CI_REGISTRY_IMAGE/image:second"];
    const told = await tried({ ...buildx, images, flags });
    const without = await tried({ ...buildx, images, flags: [...flags, "--provenance=false"] });
    const imageOf = (found: typeof without) => found.sums.repositories["group/project/image"];
    expect([imageOf(told)?.tags, imageOf(without)?.tags]).toStrictEqual([2, 2]);
    // An index, the attestation's manifest and configuration, and the attestation.
    expect(Number(imageOf(told)?.bytes) - Number(imageOf(without)?.bytes)).toBeGreaterThan(1_000);
  });

  it("keeps layers with podman unless told otherwise", async () => {
    const { warm } = await tried({
      ...docker,
      builder: "buildah",
      strategy: "buildah/layers",
      program: "podman build",
      cacheFrom: [CACHE],
      cacheTo: [CACHE],
    });
    expect([warm.hits, warm.misses]).toStrictEqual([3, 0]);
  });
});

describe.concurrent("variants", () => {
  it.each([
    ["kaniko", "layers", "uncompressed"],
    ["kaniko", "layers", "redo"],
    ["kaniko", "layers", "copy-layers"],
    ["docker", "inline", "two-sources"],
    ["buildkit", "registry-max", "two-sources"],
    ["buildah", "layers", "two-sources"],
  ] as const)("%s/%s+%s stores each layer once and finds it again", async (builder, cache, variant) => {
    const { cold, warm, sums } = await tried(adapted(builder, cache, variant));
    expect([cold.misses, warm.hits, warm.misses]).toStrictEqual([3, 3, 0]);
    expect(cold.ledgers.namespace - sums.baseBytes - LAYERS_BYTES).toBeLessThan(SLACK_BYTES);
  });

  it.each([
    ["kaniko", "layers", "own-repository"],
    ["docker", "registry-max", "own-repository"],
    ["buildkit", "registry-max", "own-repository"],
    ["buildah", "layers", "own-repository"],
  ] as const)("%s/%s+%s is charged once where repositories are added up", async (builder, cache, variant) => {
    const { cold, warm, sums } = await tried(adapted(builder, cache, variant));
    expect([warm.hits, warm.misses]).toStrictEqual([3, 0]);
    expect(Object.keys(sums.repositories)).toStrictEqual(["group/project/image"]);
    expect(cold.ledgers.perRepository - sums.baseBytes - LAYERS_BYTES).toBeLessThan(SLACK_BYTES);
  });

  it("kaniko/layers+reproducible shares no layer of its image with its cache: it doubles", async () => {
    const { cold, sums } = await tried(adapted("kaniko", "layers", "reproducible"));
    expect(cold.ledgers.namespace - sums.baseBytes).toBeGreaterThan(2 * LAYERS_BYTES);
  });

  it("kaniko/layers+zstd keeps the cache alone in zstd where the base image is docker's: it doubles", async () => {
    const { cold, sums } = await tried(adapted("kaniko", "layers", "zstd"));
    expect(cold.ledgers.namespace - sums.baseBytes).toBeGreaterThan(2 * LAYERS_BYTES);
  });

  it.each(["inline", "registry-max"] as const)("buildkit/%s+zstd shares all layers", async (cache) => {
    const { cold, warm, sums } = await tried(adapted("buildkit", cache, "zstd"));
    expect([warm.hits, warm.misses]).toStrictEqual([3, 0]);
    expect(cold.ledgers.namespace - sums.baseBytes - LAYERS_BYTES).toBeLessThan(SLACK_BYTES);
  });
});

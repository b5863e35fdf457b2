import { describe, expect, it } from "vitest";
import type { Mirror } from "../../src/domain/mirror.ts";
import type { Recipe } from "../../src/domain/recipe.ts";
import { conductImage } from "../../src/trials/conduct.ts";
import { quietDoors, trialWorld } from "../fakes/trial-world.ts";
import { conductOptions, imageTrial, trialRecipe } from "../fixtures/trial/image-trial.ts";
import { adapted } from "./adapted.ts";
import { jobText } from "./job-text.ts";

const IMAGE = "$CI_REGISTRY_IMAGE/qemu/alder:latest";
const CACHE = "$CI_REGISTRY/group/project/qemu/alder-cache";

/** One recipe for each builder and cache; what templates state themselves is as they state it. */
const STRATEGIES: Record<string, Recipe> = {
  "docker/none": trialRecipe("docker/none"),
  "docker/inline": trialRecipe("docker/inline"),
  "docker/registry-max": adapted("docker", "registry-max"),
  "buildkit/none": adapted("buildkit", "none"),
  "buildkit/inline": adapted("buildkit", "inline"),
  "buildkit/registry-min": adapted("buildkit", "registry-min"),
  "buildkit/registry-max": adapted("buildkit", "registry-max"),
  "kaniko/none": trialRecipe("kaniko/none"),
  "kaniko/layers": trialRecipe("kaniko/layers"),
  "buildah/none": adapted("buildah", "none"),
  "buildah/layers": adapted("buildah", "layers"),
};

const BUILDKIT = { builder: "buildkit", strategy: "buildkit/registry-max" } as const;
const ONE_MANIFEST: Partial<Recipe> = {
  cacheFrom: [`${CACHE}:latest`],
  cacheTo: [`${CACHE}:latest`],
  cacheToOptions: [{ mode: "max", "ignore-error": "true", "registry.insecure": "true" }],
};

/** Other words for the same builders, as templates have them. */
const PROGRAMS: Record<string, Recipe> = {
  "docker buildx build --push": trialRecipe("docker/none", {
    program: "docker buildx build",
    strategy: "docker/registry-max",
    flags: ["--push", "--provenance=false", "--cache-to=x"],
    ...ONE_MANIFEST,
  }),
  "docker pull, then the older builder": trialRecipe("docker/none", {
    environment: { DOCKER_BUILDKIT: "0" },
    flags: ["--cache-from=x", "--rm"],
    cacheFrom: [IMAGE],
    pulls: [IMAGE],
  }),
  "docker buildx build with an instance": trialRecipe("docker/none", {
    ...BUILDKIT,
    ...ONE_MANIFEST,
    program: "docker buildx build",
    flags: ["--push", "--label=a=b c", "--platform=linux/amd64", "--sbom=true", "--load", "--pull"],
    images: [IMAGE, "$CI_REGISTRY_IMAGE/qemu/alder:v1"],
  }),
  "buildctl build": trialRecipe("docker/none", {
    ...BUILDKIT,
    ...ONE_MANIFEST,
    program: "buildctl build",
    flags: [
      "--frontend=dockerfile.v0",
      "--local=context=.",
      "--opt=build-arg:VERSION=1.2",
      "--opt=platform=linux/amd64",
      "--output=type=image,name=x,push=true,compression=zstd",
      "--export-cache=type=registry,ref=x",
    ],
  }),
  "podman build": trialRecipe("docker/none", {
    builder: "buildah",
    strategy: "buildah/layers",
    program: "podman build",
    flags: ["--format=docker", "--tls-verify=false"],
    environment: { BUILDAH_FORMAT: "docker", STORAGE_DRIVER: "vfs" },
    cacheFrom: [CACHE],
    cacheTo: [CACHE],
    pulls: [IMAGE],
  }),
};

const VARIANTS = [
  ...(["uncompressed", "redo", "copy-layers", "reproducible", "zstd", "own-repository"] as const).map((id) =>
    variant("kaniko", "layers", id),
  ),
  variant("buildkit", "inline", "zstd"),
  variant("buildkit", "registry-max", "zstd"),
  variant("buildkit", "registry-min", "own-repository"),
  variant("buildkit", "registry-min", "two-sources"),
  variant("docker", "inline", "two-sources"),
  variant("docker", "registry-max", "own-repository"),
  variant("buildah", "layers", "own-repository"),
  variant("buildah", "layers", "two-sources"),
];

function variant(
  ...[builder, cache, id]: [Recipe["builder"], "layers" | "inline" | "registry-min" | "registry-max", string]
) {
  return { name: `${builder}/${cache}+${id}`, recipe: adapted(builder, cache, id) };
}

const OWN_BASES: Mirror[] = [{ registry: "docker.io", host: "127.0.0.1:5001", insecure: true }];
const PLACES = [
  { bases: "docker.io", mirrors: [] },
  { bases: "own bases", mirrors: OWN_BASES },
];

/** As an operator's file names them: one for each kind, and one that is a mirror and mirrored. */
const MIRRORS: Mirror[] = [
  { registry: "docker.io", host: "mirror.example.org", insecure: false },
  { registry: "quay.io", host: "mirror.example.org:5000", insecure: true },
  { registry: "mirror.example.org:5000", host: "other.example.org", insecure: false },
];

/** The first jobs of one recipe's trial, and the flags that were left out. */
async function jobsOf(recipe: Recipe, mirrors: readonly Mirror[], count: number): Promise<string> {
  // Each build leaves its image: one that leaves none ends the trial.
  const world = trialWorld((_, registry) => {
    for (const tag of ["latest", "v1"]) registry.push("group/project/qemu/alder", tag, [["layer", 1_000]]);
    return {};
  });
  const doors = { ...quietDoors(), run: world.run, startRegistry: world.startRegistry, onProgress: () => {} };
  const trial = await imageTrial(recipe, recipe);
  const images = { docker: "docker:dind", kaniko: "kaniko:debug", buildkit: "buildkit", buildah: "buildah" };
  const { image } = await conductImage(
    trial,
    conductOptions({ mirrors, images }),
    doors,
    new AbortController().signal,
  );
  const jobs = world.jobs.slice(0, count).map((job) => `=== ${job.name}\n${jobText(job)}\n`);
  const dropped = image.strategies[0]?.droppedFlags ?? [];
  return [...jobs, "=== left out", ...dropped.map(({ flag, why }) => `${flag}: ${why}`), ""].join("\n");
}

const golden = (name: string) => `../goldens/jobs/${name.replaceAll(/[^a-z0-9]+/g, "-")}.txt`;

describe.each(PLACES)("jobs of all scenarios with base images of $bases", ({ bases, mirrors }) => {
  it.each(Object.entries(STRATEGIES))("%s", async (name, recipe) => {
    await expect(await jobsOf(recipe, mirrors, 3)).toMatchFileSnapshot(golden(`${name}, ${bases}`));
  });
});

describe("jobs with base images of the operator's mirrors", () => {
  const plain = Object.entries(STRATEGIES).filter(([name]) => name.endsWith("/none"));
  it.each(plain)("%s", async (name, recipe) => {
    await expect(await jobsOf(recipe, MIRRORS, 1)).toMatchFileSnapshot(golden(`${name}, mirrors`));
  });
});

describe("jobs in other words", () => {
  it.each(Object.entries(PROGRAMS))("%s", async (name, recipe) => {
    await expect(await jobsOf(recipe, OWN_BASES, 1)).toMatchFileSnapshot(golden(name));
  });
});

describe("jobs of variants", () => {
  it.each(VARIANTS)("$name", async ({ name, recipe }) => {
    await expect(await jobsOf(recipe, OWN_BASES, 1)).toMatchFileSnapshot(golden(name));
  });
});

import { describe, expect, it } from "vitest";
import { builders } from "../../src/builders/index.ts";
import type { Recipe } from "../../src/domain/recipe.ts";
import { buildRun } from "../fixtures/trial/build-run.ts";
import { trialRecipe } from "../fixtures/trial/image-trial.ts";

const IMAGE = "127.0.0.1:5000/app:latest";

function jobOf(more: Partial<Recipe>, pulls: string[] = []) {
  const plain = { flags: [], buildArgs: {}, environment: {}, target: null };
  const recipe = trialRecipe("docker/none", { ...plain, ...more });
  return builders.docker.job(buildRun(recipe, { images: [IMAGE, "127.0.0.1:5000/app:v1"], pulls })).job;
}

const steps = (job: ReturnType<typeof jobOf>) =>
  job.commands.map(({ phase, argv, mayFail }) => [phase, argv.slice(0, 3).join(" "), mayFail]);

describe("commands of docker", () => {
  it("build, then push each name", () => {
    expect(steps(jobOf({}))).toStrictEqual([
      ["build", "docker build --progress=plain", false],
      ["push", `docker push ${IMAGE}`, false],
      ["push", "docker push 127.0.0.1:5000/app:v1", false],
    ]);
  });

  it("pull first what the template pulls, which may not be there", () => {
    expect(steps(jobOf({}, [IMAGE])).slice(0, 2)).toStrictEqual([
      ["pull", `docker pull ${IMAGE}`, true],
      ["build", "docker build --progress=plain", false],
    ]);
  });

  it.each([
    ["--push", ["--push"]],
    ["--output=type=registry", ["--output", "type=image,push=true"]],
    ["--output=type=image,push=true,name=$REGISTRY/x", ["--output", "type=image,push=true"]],
    ["--output=type=image,push=,compression=zstd", ["--output", "type=image,push=true,compression=zstd"]],
  ])("are one where %s pushes, under the trial's names alone", (flag, words) => {
    const job = jobOf({ program: "docker buildx build", flags: [flag] });
    expect(steps(job)).toStrictEqual([["build and push", "docker buildx build", false]]);
    const argv = job.commands[0]?.argv ?? [];
    expect(argv.slice(5, 5 + words.length)).toStrictEqual(words);
    expect(argv.join(" ")).not.toContain("$REGISTRY");
  });

  it("push by themselves where --push is off", () => {
    expect(steps(jobOf({ flags: ["--push=false"] })).map(([phase]) => phase)).toStrictEqual([
      "build",
      "push",
      "push",
    ]);
  });
});

describe("the older builder", () => {
  const legacy = jobOf({ environment: { DOCKER_BUILDKIT: "0" } });

  it("is selected as the template selects it, and prints its own way", () => {
    expect(legacy.environment["DOCKER_BUILDKIT"]).toBe("0");
    expect(legacy.commands[0]?.argv).not.toContain("--progress=plain");
  });

  it("is never what docker buildx runs", () => {
    const { environment, commands } = jobOf({
      environment: { DOCKER_BUILDKIT: "0" },
      program: "docker buildx build",
    });
    expect(environment["DOCKER_BUILDKIT"]).toBeUndefined();
    expect(commands[0]?.argv).toContain("--progress=plain");
  });
});

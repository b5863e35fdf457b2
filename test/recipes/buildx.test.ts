import { notMeasured } from "../../src/domain/outside-caches.ts";
import { describe, expect, it } from "vitest";
import type { Recipe } from "../../src/domain/recipe.ts";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import { ciTree, onlyRecipe } from "./trees.ts";

const CREATE = "docker buildx create --use";

function parts(recipe: Recipe): string[] {
  return recipe.unresolved.map(({ part, why }) => `${part}: ${why}`);
}

describe("docker buildx build", () => {
  it("reads the inputs and pushes by itself", () => {
    const recipe = onlyRecipe([
      CREATE,
      "docker buildx build --push -t r/a:1 -t r/a:2 -f d/D --target t --build-arg A=1 --platform linux/amd64 d",
    ]);
    expect(recipe).toMatchObject({
      builder: "buildkit",
      strategy: "buildkit/none",
      program: "docker buildx build",
      dockerfile: "d/D",
      context: "d",
      target: "t",
      images: ["r/a:1", "r/a:2"],
      buildArgs: { A: "1" },
      unresolved: [],
    });
  });

  it.each([
    [["docker buildx b --push -t r ."], "docker", []],
    [["buildx build --push -t r ."], "docker", []],
    [["docker buildx create --name n", "docker buildx build --push -t r ."], "docker", []],
    [[CREATE, "docker build -t r .", "docker push r"], "docker", []],
    [[CREATE, "docker buildx install", "docker build --push -t r ."], "buildkit", []],
    [
      ["docker buildx create --name n", "docker buildx use n", "docker buildx b --push -t r ."],
      "buildkit",
      [],
    ],
    [["docker buildx use $(docker buildx create)", "docker buildx build --push -t r ."], "buildkit", []],
    [["docker buildx create --name n", "docker buildx build --builder n --push -t r ."], "buildkit", []],
    [["docker buildx create --name n", "docker buildx --builder=n build --push -t r ."], "buildkit", []],
    [
      ["docker buildx create --name n", "export BUILDX_BUILDER=n", "docker build --push -t r ."],
      "buildkit",
      [],
    ],
    [["docker buildx create --driver kubernetes --use", "docker buildx build --push -t r ."], "buildkit", []],
    [["docker buildx create --driver docker --use", "docker buildx build --push -t r ."], "docker", []],
    [[CREATE, "docker buildx use default", "docker buildx build --push -t r ."], "docker", []],
    [
      ["docker buildx inspect n || docker buildx create --name n --use", "docker buildx build --push -t r ."],
      "buildkit",
      [],
    ],
    [
      ["docker buildx build --builder n --push -t r ."],
      "buildkit",
      ["builder: the buildx builder n is not created in this job"],
    ],
    [
      [
        'if [ -n "$CI_COMMIT_TAG" ]; then docker buildx create --use; fi',
        "docker buildx build --push -t r .",
      ],
      "buildkit",
      ['builder: the builder depends on a condition: [ -n "$CI_COMMIT_TAG" ]'],
    ],
  ])("after %j the builder is %s", (lines, builder, unresolved) => {
    const recipe = onlyRecipe(lines);
    expect([recipe.builder, parts(recipe)]).toEqual([builder, unresolved]);
  });

  it.each([
    ["--push -t r/a:1", ["r/a:1"], []],
    ["--output type=registry -t r/a:1", ["r/a:1"], []],
    ["-o type=image,name=r/a:1,push=true", ["r/a:1"], []],
    ['-o type=image,\\"name=r/a:1,r/b:1\\",push=true', ["r/a:1", "r/b:1"], []],
    ["-t r/a:1", [], ["push: the image stays in its builder: neither --push nor --load is given"]],
    [
      "--push=false -t r/a:1",
      [],
      ["push: the image stays in its builder: neither --push nor --load is given"],
    ],
    ["-o type=oci,dest=x.tar -t r/a:1", [], ["push: the image stays in files: --output type=oci"]],
    ["-o out", [], ["push: the image stays in files: --output type=local"]],
    ["--load -t r/a:1", [], ["push: job job does not push r/a:1"]],
    [
      "--push=$WHAT -t r/a:1",
      [],
      [
        "flags: $WHAT is not defined in the templates (job job)",
        "push: the value of --push is not known: $WHAT is not defined in the templates (job job)",
        "push: the image stays in its builder",
      ],
    ],
  ])("with %s it pushes %j", (flags, images, unresolved) => {
    const recipe = onlyRecipe([CREATE, `docker buildx build ${flags} .`]);
    expect([recipe.images, parts(recipe)]).toEqual([images, unresolved]);
  });

  it("is pushed later only where it was loaded", () => {
    const push = ["docker tag r:1 r:2", "docker push r:1", "docker push r:2"];
    expect(onlyRecipe([CREATE, "docker buildx build --load -t r:1 .", ...push]).images).toEqual([
      "r:1",
      "r:2",
    ]);
    const lost = onlyRecipe([CREATE, "docker buildx build -t r:1 .", "docker push r:1"]);
    expect(lost.images).toEqual([]);
    expect(parts(lost)[1]).toBe("push: r:1 is pushed, but the build leaves it in no store");
  });
});

describe("cache targets", () => {
  it.each([
    ["--cache-to type=registry,ref=r/c", "buildkit/registry-min", ["r/c"], [{}], []],
    ["--cache-to r/c", "buildkit/registry-min", ["r/c"], [{}], []],
    [
      "--cache-to=type=registry,ref=r/c:1,mode=max,ignore-error=true,oci-mediatypes=true",
      "buildkit/registry-max",
      ["r/c:1"],
      [{ mode: "max", "ignore-error": "true", "oci-mediatypes": "true" }],
      [],
    ],
    [
      "--cache-to type=registry,ref=r/c,mode=max --cache-to type=registry,ref=r/d,mode=max",
      "buildkit/registry-max",
      ["r/c", "r/d"],
      [{ mode: "max" }, { mode: "max" }],
      [],
    ],
    ["--cache-to type=inline", "buildkit/inline", ["r/a:1"], [{}], []],
    ["--build-arg BUILDKIT_INLINE_CACHE=1", "buildkit/inline", ["r/a:1"], [{}], []],
    ["--cache-to type=local,dest=c,mode=max", "buildkit/local", [], [], []],
    ["--cache-to type=gha,mode=max", "buildkit/gha", [], [], [`cache-to: ${notMeasured("gha")}`]],
    ["--cache-to type=s3,bucket=b", "buildkit/s3", [], [], [`cache-to: ${notMeasured("s3")}`]],
    [
      "--cache-to type=registry,ref=r/c --cache-to type=inline",
      "buildkit/registry-min",
      ["r/c"],
      [{}],
      ["strategy: the build exports several caches: registry-min, inline"],
    ],
    [
      "--cache-to type=registry,ref=r/c,mode=$CI_COMMIT_BRANCH",
      "buildkit/none",
      ["r/c"],
      [{ mode: "$CI_COMMIT_BRANCH" }],
      ["strategy: the cache mode $CI_COMMIT_BRANCH is not known"],
    ],
    ["--cache-to type=registry", "buildkit/none", [], [], ["cache-to: type=registry names no reference"]],
    [
      "--cache-to $CACHE",
      "buildkit/none",
      [],
      [],
      [
        "cache-to: $CACHE is not defined in the templates (job job)",
        "strategy: what $CACHE exports is not known",
      ],
    ],
  ])("of %s", (flags, strategy, cacheTo, options, unresolved) => {
    const recipe = onlyRecipe([CREATE, `docker buildx build --push -t r/a:1 ${flags} .`]);
    expect([recipe.strategy, recipe.cacheTo, recipe.cacheToOptions, parts(recipe)]).toEqual([
      strategy,
      cacheTo,
      options,
      unresolved,
    ]);
  });

  it("keeps the sources in order and names those that are no references", () => {
    const recipe = onlyRecipe([
      CREATE,
      "docker buildx build --push -t r --cache-from type=registry,ref=a --cache-from b --cache-from type=s3,bucket=x .",
    ]);
    expect(recipe.cacheFrom).toEqual(["a", "b"]);
    expect(parts(recipe)).toEqual([`cache-from: type=s3,bucket=x is not read here: ${notMeasured("s3")}`]);
  });

  it("says that an engine may not export such a cache", () => {
    const recipe = onlyRecipe(["docker build --cache-to type=registry,ref=c --push -t r ."]);
    expect([recipe.strategy, recipe.cacheTo]).toEqual(["docker/registry-min", ["c"]]);
    expect(parts(recipe)).toEqual([
      "strategy: an engine exports such a cache only where it keeps its images in containerd",
    ]);
  });
});

describe("the older builder", () => {
  const build = ["docker build --build-arg BUILDKIT_INLINE_CACHE=1 -t r .", "docker push r"];
  const job = (image: string, variables: Record<string, string>) =>
    readRecipes(ciTree(JSON.stringify({ job: { image, variables, script: build } }))).recipes[0];

  it.each([
    ["docker:20.10", {}, "docker/none"],
    ["docker:19.03.12-dind", {}, "docker/none"],
    ["docker:20.10", { DOCKER_BUILDKIT: "1" }, "docker/inline"],
    ["docker:24", {}, "docker/inline"],
    ["docker:latest", {}, "docker/inline"],
    ["x/docker:20", {}, "docker/inline"],
  ])("in %s with %j: %s", (image, variables, strategy) => {
    expect(job(image, variables)?.strategy).toBe(strategy);
  });
});

describe("docker pull", () => {
  const build = ["docker build --cache-from r:1 --cache-from r:2 -t r:1 .", "docker push r:1"];

  it("is kept where the build reads its cache from it", () => {
    const recipe = onlyRecipe([
      "docker pull r:1 || true",
      "docker pull other",
      "docker pull -q r:2",
      ...build,
    ]);
    expect([recipe.pulls, recipe.unresolved]).toEqual([["r:1", "r:2"], []]);
  });

  it("is named where it depends on a condition", () => {
    const recipe = onlyRecipe(["docker pull r:1 || docker pull r:2 || true", ...build]);
    expect(recipe.pulls).toEqual(["r:1"]);
    expect(parts(recipe)).toEqual(["pulls: r:2 is pulled only if: docker pull r:1 fails"]);
  });
});

describe("pushes", () => {
  it("names the condition of a push that the build does not have", () => {
    const recipe = onlyRecipe([
      "docker build -t r:1 .",
      'if [ "$CI_COMMIT_BRANCH" = main ]; then docker push r:1; fi',
    ]);
    expect(recipe.images).toEqual(["r:1"]);
    expect(parts(recipe)).toEqual(['push: r:1 is pushed only if: [ "$CI_COMMIT_BRANCH" = main ]']);
  });

  it("knows docker.io's names and archives", () => {
    expect(onlyRecipe(["docker build -t a/b .", "docker push docker.io/a/b:latest"]).images).toEqual([
      "docker.io/a/b:latest",
    ]);
    const saved = onlyRecipe(["docker build -t a .", "docker save a > a.tar", "docker save -o a.tar a"]);
    expect(parts(saved)).toEqual([
      "push: the image is saved into an archive: docker save a > a.tar",
      "push: the image is saved into an archive: docker save -o a.tar a",
      "push: job job does not push a",
    ]);
  });
});

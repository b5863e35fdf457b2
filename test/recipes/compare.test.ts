import { describe, expect, it } from "vitest";
import type { Recipe } from "../../src/domain/recipe.ts";
import { compareRecipes } from "../../src/recipes/compare.ts";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import { ciTree, scriptTree } from "./trees.ts";

function recipes(jobs: Record<string, string>): Recipe[] {
  const job = (line: string) => ({ image: "x/kaniko", script: line.split("; ") });
  const all = Object.fromEntries(Object.entries(jobs).map(([name, line]) => [name, job(line)]));
  return readRecipes(ciTree(JSON.stringify(all))).recipes;
}

function sentence(base: Record<string, string>, head: Record<string, string>): string {
  return compareRecipes(recipes(base), recipes(head)).sentence;
}

const docker = (name: string) =>
  `docker build -t r/${name}:1 --cache-to type=inline --cache-from r/${name}:1 .; docker push r/${name}:1`;
const kaniko = (name: string, more = "") =>
  `/kaniko/executor -d r/${name}:1 --cache --cache-repo r/${name}-cache${more}`;

const CREATE = "docker buildx create --use";
const buildx = (more: string) => `${CREATE}; docker buildx build --push -t r/aa:1 ${more} .`;
const to = (options: string) => `--cache-to type=registry,ref=r/c,${options}`;
const buildah = (more = "") =>
  `buildah bud --layers --cache-to r/c --cache-from r/c ${more} -t r/aa .; buildah push r/aa`;

describe("what newer builders change", () => {
  it.each([
    [buildx(to("mode=min")), buildx(to("mode=max")), "buildkit/registry-min becomes buildkit/registry-max"],
    [
      docker("aa"),
      buildx(to("mode=max")),
      "docker/inline with one cache source becomes buildkit/registry-max",
    ],
    [kaniko("aa"), buildah(), "kaniko/layers becomes buildah/layers, image r/aa:1 becomes r/aa"],
    [
      buildx(to("mode=max")),
      buildx(to("mode=max,ignore-error=true")),
      "cache option ignore-error=true added",
    ],
    [
      buildx(to("mode=max")),
      buildx("--cache-to type=registry,ref=r/d,mode=max"),
      "cache target r/c becomes r/d",
    ],
    [
      buildx(`${to("mode=max")} --cache-from r/c`),
      buildx(`${to("mode=max")} --cache-from r/c --cache-from r/d`),
      "buildkit/registry-max with one cache source becomes buildkit/registry-max with two cache sources",
    ],
    [buildah(), buildah().replaceAll("--cache-to r/c", "--cache-to r/d"), "cache repository r/c becomes r/d"],
    [
      buildah(),
      buildah().replaceAll("buildah bud", "podman build").replace("buildah push", "podman push"),
      "program buildah build becomes podman build",
    ],
    [
      docker("aa"),
      docker("aa").replace("docker build", "docker buildx build --push"),
      "program docker build becomes docker buildx build, flag --push added",
    ],
    [docker("aa"), `docker pull r/aa:1 || true; ${docker("aa")}`, "pull r/aa:1 added"],
    [
      buildx("--platform linux/amd64"),
      buildx("--platform linux/arm64"),
      "flag --platform=linux/amd64 becomes --platform=linux/arm64",
    ],
  ])("%s and %s: %s", (base, head, said) => {
    expect(sentence({ job: base }, { job: head })).toBe(`job job: ${said}`);
  });

  it("says where a job stops to run in forks", () => {
    const of = (only: string) =>
      readRecipes(ciTree(`job: {${only} script: [docker build -t x ., docker push x]}`)).recipes;
    expect(compareRecipes(of(""), of("only: [main@a/b],")).sentence).toBe(
      "job job: condition both becomes upstream",
    );
  });
});

describe("the sentence of a change", () => {
  it("is short where nothing changes", () => {
    const base = { a: docker("a"), b: kaniko("b") };
    expect(compareRecipes(recipes(base), recipes(base))).toEqual({
      sentence: "No recipe changes.",
      changed: [],
      unchangedJobs: ["a", "b"],
    });
  });

  it("counts jobs of one transition and names a single job", () => {
    expect(sentence({ a: docker("a1"), b: docker("b1") }, { a: kaniko("a1"), b: kaniko("b1") })).toBe(
      "2 jobs: docker/inline with one cache source becomes kaniko/layers",
    );
    expect(sentence({ a: docker("a1") }, { a: kaniko("a1") })).toBe(
      "job a: docker/inline with one cache source becomes kaniko/layers",
    );
  });

  it("joins several transitions", () => {
    const base = { a: docker("a1"), b: docker("b1"), c: kaniko("c1") };
    const head = { a: kaniko("a1"), b: kaniko("b1"), c: kaniko("c1", " --compressed-caching=false") };
    expect(sentence(base, head)).toBe(
      "2 jobs: docker/inline with one cache source becomes kaniko/layers; job c: flag --compressed-caching=false added",
    );
  });

  it.each([
    [kaniko("aa"), `${kaniko("aa")} --cache-repo r/other`, "cache repository r/aa-cache becomes r/other"],
    [kaniko("aa"), `${kaniko("aa")} --reproducible`, "flag --reproducible added"],
    [`${kaniko("aa")} --reproducible`, kaniko("aa"), "flag --reproducible removed"],
    [
      `${kaniko("aa")} --cache-ttl=1h`,
      `${kaniko("aa")} --cache-ttl 2h`,
      "flag --cache-ttl=1h becomes --cache-ttl=2h",
    ],
    [kaniko("aa"), `${kaniko("aa")} --context sub`, "context none becomes sub"],
    [kaniko("aa"), `${kaniko("aa")} -f D`, "Dockerfile Dockerfile becomes D"],
    [kaniko("aa"), `${kaniko("aa")} --target t`, "target none becomes t"],
    [kaniko("aa"), `${kaniko("aa")} --build-arg A=1`, "build argument A added"],
    [`${kaniko("aa")} --build-arg A=1`, `${kaniko("aa")} --build-arg A=2`, "build argument A changed"],
    [kaniko("aa"), `${kaniko("aa")} -d r/more:1`, "image r/more:1 added"],
    [kaniko("aa"), `export FF_KANIKO_X=1; ${kaniko("aa")}`, "variable FF_KANIKO_X added"],
    [docker("aa"), `docker login r; ${docker("aa")}`, "login r added"],
    [
      docker("aa"),
      docker("aa").replace("--cache-from", "--cache-from z --cache-from"),
      "docker/inline with one cache source becomes docker/inline with two cache sources",
    ],
  ])("says of %s and %s: %s", (base, head, said) => {
    expect(sentence({ job: base }, { job: head })).toBe(`job job: ${said}`);
  });

  it("groups what differs in the image's own name only", () => {
    const base = { a: kaniko("alder"), b: kaniko("birch") };
    const head = {
      a: `${kaniko("alder")} --cache-repo s/alder`,
      b: `${kaniko("birch")} --cache-repo s/birch`,
    };
    expect(sentence(base, head)).toBe("2 jobs: cache repository r/*-cache becomes s/*");
  });

  it("tells new, removed and idle jobs", () => {
    expect(sentence({ a: docker("a1") }, { a: docker("a1"), b: kaniko("b1") })).toBe(
      "job b: new, kaniko/layers",
    );
    expect(sentence({ a: docker("a1"), b: docker("b1") }, {})).toBe("2 jobs: no build any more");
    const base = recipes({ a: docker("a1"), b: docker("b1") });
    expect(compareRecipes(base, [], ["b"]).sentence).toBe("job a: removed; job b: no build any more");
  });

  it("pairs the images of one job by name", () => {
    const two = (first: string, second: string) =>
      readRecipes(scriptTree([first, second].map((name) => `/kaniko/executor -d r/${name}:1 -f ${name}`)))
        .recipes;
    expect(compareRecipes(two("a1", "b1"), two("b1", "a1")).sentence).toBe("No recipe changes.");
    expect(
      compareRecipes(two("a1", "b1"), two("b1", "c1")).changed.map((pair) => [
        pair.base?.images,
        pair.head?.images,
      ]),
    ).toEqual([[["r/a1:1"], ["r/c1:1"]]]);
  });

  it("does not mind that lines move", () => {
    const base = readRecipes(scriptTree(["docker build -t x ."])).recipes;
    const head = readRecipes(
      ciTree("# a comment\n\njob:\n  image: docker:27\n  script:\n    - docker build -t x .\n"),
    ).recipes;
    expect(base[0]?.line).not.toBe(head[0]?.line);
    expect(compareRecipes(base, head).sentence).toBe("No recipe changes.");
  });
});

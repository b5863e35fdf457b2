import { describe, expect, it } from "vitest";
import { Problem } from "../../src/domain/problem.ts";
import type { Recipe, RecipeComparison } from "../../src/domain/recipe.ts";
import { imageName, leftOut, pairsNamed, pairsOf, sampleOf, type ImagePair } from "../../src/trials/plan.ts";
import { trialRecipe } from "../fixtures/trial/image-trial.ts";

describe("the name of an image", () => {
  it.each([
    ["tests/docker/dockerfiles/debian-amd64-cross.docker", "debian-amd64-cross"],
    ["images/alder.Dockerfile", "alder"],
    ["images/alder.containerfile", "alder"],
    ["images/Dockerfile.alder", "alder"],
    ["images/Containerfile.alder", "alder"],
    ["images/alder/Dockerfile", "alder"],
    ["images/alder/Containerfile", "alder"],
    ["Dockerfile", "Dockerfile"],
    ["alder", "alder"],
  ])("of %s is %s", (path, name) => {
    expect(imageName(path)).toBe(name);
  });
});

const current = (name: string, more: Partial<Recipe> = {}) =>
  trialRecipe("docker/inline", { job: `${name}-container`, dockerfile: `images/${name}.docker`, ...more });
const proposed = (name: string, more: Partial<Recipe> = {}) =>
  trialRecipe("kaniko/layers", { job: `${name}-container`, dockerfile: `images/${name}.docker`, ...more });

const compared = (...changed: RecipeComparison["changed"]): RecipeComparison => ({
  sentence: "",
  changed,
  unchangedJobs: ["other-container"],
});

const unresolved = [
  { part: "image", why: "$NAME is not known" },
  { part: "context", why: "later" },
];

describe("pairs of a change", () => {
  it("are its changed recipes in the template's order, named by the Dockerfile", () => {
    const sides = ["birch", "alder"].map((name) => ({
      job: name,
      base: current(name),
      head: proposed(name),
    }));
    const { pairs, notBuilt } = pairsOf(compared(...sides));
    expect(pairs).toStrictEqual(
      ["birch", "alder"].map((name) => ({
        image: name,
        dockerfile: `images/${name}.docker`,
        current: current(name),
        proposed: proposed(name),
      })),
    );
    expect(notBuilt).toStrictEqual([]);
  });

  it.each([
    ["a new job", null, proposed("x"), "the job is new: there is nothing to compare it with"],
    ["a job that is gone", current("x"), null, "the job no longer builds this image"],
    [
      "a base not read",
      current("x", { unresolved }),
      proposed("x"),
      ".ci/template.yml:14: image: $NAME is not known",
    ],
    [
      "a head not read",
      current("x"),
      proposed("x", { unresolved, line: 9 }),
      ".ci/template.yml:9: image: $NAME is not known",
    ],
    [
      "no Dockerfile",
      current("x"),
      proposed("x", { dockerfile: null }),
      ".ci/template.yml:14: the Dockerfile is not known",
    ],
    ["no image", current("x", { images: [] }), proposed("x"), ".ci/template.yml:14: the job pushes no image"],
    ["two Dockerfiles", current("x"), proposed("y"), "the two sides build different Dockerfiles"],
  ])("leave out %s, with the reason", (_, base, head, why) => {
    const { pairs, notBuilt } = pairsOf(compared({ job: "x-container", base, head }));
    expect(pairs).toStrictEqual([]);
    expect(notBuilt).toStrictEqual([{ what: "job x-container", why }]);
  });

  it("are none of a change that touches no recipe", () => {
    expect(pairsOf(compared())).toStrictEqual({ pairs: [], notBuilt: [] });
  });
});

const pair = (name: string): ImagePair => ({
  image: name,
  dockerfile: `images/${name}.docker`,
  current: current(name),
  proposed: proposed(name),
});
const pairs = ["alder", "birch", "cedar", "elm", "fir", "oak"].map(pair);
const [alder, birch] = pairs;

describe("images that are named", () => {
  it("are found by image, Dockerfile or job, in the order of the names, once each", () => {
    expect(pairsNamed(pairs, ["images/birch.docker", "alder", "birch-container"])).toStrictEqual([
      birch,
      alder,
    ]);
    expect(pairsNamed(pairs, [])).toStrictEqual([]);
  });

  it("are a Problem where there is none of that name, with the names there are", () => {
    const call = () => pairsNamed(pairs, ["alder", "alde"]);
    expect(call).toThrow(Problem);
    expect(call).toThrow(
      expect.objectContaining({
        code: "image-unknown",
        message: "No changed recipe builds an image named alde.",
        details: ["alder, birch, cedar, elm, fir, oak"],
      }),
    );
    expect(() => pairsNamed([], ["alder"])).toThrow(
      expect.objectContaining({ details: ["none: the change touches no recipe that can be tried"] }),
    );
  });
});

describe("a sample", () => {
  it("says what it leaves out", () => {
    expect(sampleOf(pairs, pair("alder")).reason).toBe(
      "a sample: the first of 6 changed images that this machine can build",
    );
    const [first] = pairs;
    if (first === undefined) throw new Error("no pair");
    expect(sampleOf(pairs, first).notBuilt).toStrictEqual([
      { what: "birch, cedar, elm, fir and 1 more", why: "not chosen for this trial" },
    ]);
    expect(sampleOf([first], first)).toStrictEqual({
      reason: "the only image that the change touches",
      notBuilt: [],
    });
  });

  it("names up to four images", () => {
    expect(leftOut([])).toStrictEqual([]);
    expect(leftOut(pairs.slice(0, 4))).toStrictEqual([
      { what: "alder, birch, cedar, elm", why: "not chosen for this trial" },
    ]);
  });
});

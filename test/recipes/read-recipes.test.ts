import { describe, expect, it } from "vitest";
import { compareRecipes } from "../../src/recipes/compare.ts";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import { fixtureTree, treeOf } from "./trees.ts";

describe("a tree of templates, jobs and variables", () => {
  const base = readRecipes(fixtureTree("docker"));
  const head = readRecipes(fixtureTree("kaniko"));

  it("gives one recipe for each job that builds", () => {
    expect(base.recipes.map((recipe) => recipe.job)).toEqual([
      "lab-alder-image",
      "lab-birch-image",
      "lab-cedar-image",
    ]);
    expect(base.jobs).toEqual(["lab-alder-image", "lab-birch-image", "lab-cedar-image", "alder-test"]);
    expect(base.unread).toEqual([]);
  });

  it("lists the files it read", () => {
    expect(base.files).toEqual([
      ".gitlab-ci.yml",
      ".ci/project.yml",
      ".ci/base.yml",
      ".ci/images.yml",
      ".ci/template.yml",
      ".ci/tests.yml",
    ]);
  });

  it("reads docker build with an inline cache", () => {
    expect(base.recipes[1]).toEqual({
      job: "lab-birch-image",
      file: ".ci/template.yml",
      line: 15,
      builder: "docker",
      strategy: "docker/inline",
      program: "docker build",
      runsIn: "docker:latest",
      services: ["docker:dind"],
      dockerfile: "images/birch.docker",
      context: ".",
      target: null,
      images: ["$CI_REGISTRY_IMAGE/lab/birch:latest"],
      cacheFrom: ["$CI_REGISTRY_IMAGE/lab/birch:latest", "$CI_REGISTRY/acme/lab/lab/birch:latest"],
      cacheTo: ["$CI_REGISTRY_IMAGE/lab/birch:latest"],
      cacheToOptions: [{}],
      pulls: [],
      buildArgs: { BUILDKIT_INLINE_CACHE: "1" },
      flags: [
        "--tag=$CI_REGISTRY_IMAGE/lab/birch:latest",
        "--cache-from=$CI_REGISTRY_IMAGE/lab/birch:latest",
        "--cache-from=$CI_REGISTRY/acme/lab/lab/birch:latest",
        "--build-arg=BUILDKIT_INLINE_CACHE=1",
        "--file=images/birch.docker",
      ],
      environment: {},
      logins: ["$CI_REGISTRY"],
      condition: "both",
      unresolved: [],
    });
  });

  it("reads kaniko with its layers", () => {
    expect(head.recipes[1]).toEqual({
      job: "lab-birch-image",
      file: ".ci/template.yml",
      line: 14,
      builder: "kaniko",
      strategy: "kaniko/layers",
      program: "/kaniko/executor",
      runsIn: "registry.example/kaniko/executor:debug",
      services: [],
      dockerfile: "images/birch.docker",
      context: null,
      target: null,
      images: ["$CI_REGISTRY_IMAGE/lab/birch:latest"],
      cacheFrom: ["$CI_REGISTRY/acme/lab/lab/birch-cache"],
      cacheTo: ["$CI_REGISTRY/acme/lab/lab/birch-cache"],
      cacheToOptions: [{}],
      pulls: [],
      buildArgs: {},
      flags: [
        "--dockerfile=$CI_PROJECT_DIR/images/birch.docker",
        "--destination=$CI_REGISTRY_IMAGE/lab/birch:latest",
        "--cache=true",
        "--cache-repo=$CI_REGISTRY/acme/lab/lab/birch-cache",
      ],
      environment: {},
      logins: [],
      condition: "both",
      unresolved: [],
    });
  });

  it("says in one sentence what the change does", () => {
    expect(compareRecipes(base.recipes, head.recipes).sentence).toBe(
      "3 jobs: docker/inline with two cache sources becomes kaniko/layers",
    );
  });
});

it("gives nothing for a tree without an entry file", () => {
  expect(readRecipes(treeOf({ "README.md": "hello" }))).toEqual({
    recipes: [],
    unread: [],
    files: [],
    jobs: [],
  });
});

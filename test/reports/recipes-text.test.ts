import { expect, it } from "vitest";
import type { Recipe } from "../../src/domain/recipe.ts";
import { recipesJson, recipesText } from "../../src/reports/recipes-text.ts";

const recipe: Recipe = {
  job: "lab-image",
  file: ".ci/template.yml",
  line: 15,
  builder: "docker",
  program: "docker build",
  strategy: "docker/inline",
  runsIn: "docker:latest",
  services: ["docker:dind"],
  dockerfile: "images/lab.docker",
  context: ".",
  target: null,
  images: ["$CI_REGISTRY_IMAGE/lab:latest"],
  cacheFrom: ["$CI_REGISTRY_IMAGE/lab:latest", "$CI_REGISTRY/acme/lab:latest"],
  cacheTo: ["$CI_REGISTRY_IMAGE/lab:latest"],
  buildArgs: { BUILDKIT_INLINE_CACHE: "1", FROM_ENVIRONMENT: null },
  flags: ["--tag=$CI_REGISTRY_IMAGE/lab:latest"],
  environment: { DOCKER_BUILDKIT: "1" },
  logins: ["$CI_REGISTRY"],
  condition: "both",
  cacheToOptions: [],
  pulls: [],
  unresolved: [{ part: "image", why: "$FOO is not defined in the templates (job lab-image)" }],
};

it("shows one block for each recipe", () => {
  expect(recipesText([recipe])).toBe(`1 recipe: 1 docker/inline.

lab-image  docker/inline  .ci/template.yml:15
  runs in     docker:latest + docker:dind
  Dockerfile  images/lab.docker
  context     .
  images      $CI_REGISTRY_IMAGE/lab:latest
  cache from  $CI_REGISTRY_IMAGE/lab:latest
              $CI_REGISTRY/acme/lab:latest
  cache to    $CI_REGISTRY_IMAGE/lab:latest
  build args  BUILDKIT_INLINE_CACHE=1
              FROM_ENVIRONMENT
  environment DOCKER_BUILDKIT=1
  unresolved  image: $FOO is not defined in the templates (job lab-image)
`);
});

it("shows the program, the pulls, the cache's options and where it runs, where they say something", () => {
  const text = recipesText([
    {
      ...recipe,
      program: "docker buildx build",
      condition: "upstream",
      cacheTo: ["r/c"],
      cacheToOptions: [{ mode: "max", "ignore-error": "true" }],
      pulls: ["r/c"],
    },
  ]);
  expect(text).toContain(
    "  program     docker buildx build\n  condition   in the project itself, not in forks\n",
  );
  expect(text).toContain("  cache to    r/c (mode=max, ignore-error=true)\n  pulls       r/c\n");
  expect(recipesText([{ ...recipe, condition: "fork" }])).toContain(
    "  condition   in forks, not in the project itself\n",
  );
});

it("shows what is missing", () => {
  const bare: Recipe = { ...recipe, runsIn: null, services: [], dockerfile: null, context: null, images: [] };
  const text = recipesText(
    [bare, recipe],
    [
      {
        job: null,
        file: ".gitlab-ci.yml",
        line: 2,
        command: "include: project a/b",
        why: "only files of the tree are read",
      },
    ],
  );
  expect(text).toContain("2 recipes: 2 docker/inline.\n");
  expect(text).toContain(
    "  runs in     the runner's default image\n  Dockerfile  not known\n  context     none\n  images      none pushed\n",
  );
  expect(text).toMatch(
    /Not read:\n {2}all jobs {2}\.gitlab-ci\.yml:2\n {4}include: project a\/b\n {4}only files of the tree are read\n$/,
  );
  expect(recipesText([])).toBe("No recipes.\n");
});

it("keeps to 100 columns and lets no control character through", () => {
  const why = "\u001b[31m a long reason ".repeat(20);
  const text = recipesText([{ ...recipe, unresolved: [{ part: "image", why }] }]);
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  expect(text).not.toContain("\u001b");
});

it("gives the recipes as JSON", () => {
  expect(JSON.parse(recipesJson([recipe]))).toEqual([recipe]);
});

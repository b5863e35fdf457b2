import { describe, expect, it } from "vitest";
import { builders, refuseUnrunnable } from "../../src/builders/index.ts";
import { DEFAULT_LIMITS } from "../../src/domain/job.ts";
import type { Recipe } from "../../src/domain/recipe.ts";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import { trialReference } from "../../src/trials/references.ts";
import { treeOf } from "../recipes/trees.ts";

const HOST = "registry.test:5000";
const CONTEXT = { projectPath: "Larch/App", branch: "main" };

function recipeOf(inputs: string): Recipe {
  const workflow = `on: {push: {branches: [main]}}
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/setup-buildx-action@v3
      - uses: docker/build-push-action@v6
        with:
          push: true
          tags: "ghcr.io/\${{ github.repository }}:\${{ github.sha }}"
${inputs.replaceAll(/^/gm, "          ")}
`;
  const [recipe] = readRecipes(treeOf({ ".github/workflows/a.yml": workflow })).recipes;
  if (recipe === undefined) throw new Error("no recipe");
  return recipe;
}

function argvOf(recipe: Recipe): string[] {
  const at = (reference: string) => trialReference(reference, CONTEXT, HOST, recipe);
  const { job } = builders[recipe.builder].job({
    name: "run",
    recipe,
    images: recipe.images.map(at),
    cacheFrom: recipe.cacheFrom.map(at),
    cacheTo: recipe.cacheTo.map(at),
    pulls: [],
    files: [],
    projectDirectory: "/builds/Larch/App",
    dockerfile: `/builds/Larch/App/${recipe.dockerfile}`,
    context: `/builds/Larch/App/${recipe.context}`,
    registryHost: HOST,
    credentials: null,
    mirrors: [],
    proxy: null,
    image: "moby/buildkit",
    limits: DEFAULT_LIMITS,
  });
  return [...(job.commands[0]?.argv ?? [])];
}

describe("a build of a workflow in a trial", () => {
  it("is BuildKit's, with the references on the trial's registry", () => {
    const argv = argvOf(
      recipeOf(`context: svc
build-args: A=1
target: final
provenance: false
cache-from: type=registry,ref=ghcr.io/\${{ github.repository }}:cache
cache-to: type=registry,ref=ghcr.io/\${{ github.repository }}:cache,mode=max`),
    );
    expect(argv.slice(0, 3)).toEqual(["buildctl", "--addr=unix:///run/buildkit/buildkitd.sock", "build"]);
    const image = `${HOST}/larch/app:${"0".repeat(40)}`;
    const cache = `${HOST}/larch/app:cache`;
    expect(argv).toEqual(
      expect.arrayContaining([
        "context=/builds/Larch/App/svc",
        "dockerfile=/builds/Larch/App/svc",
        "target=final",
        "build-arg:A=1",
        `type=image,name=${image},push=true,registry.insecure=true`,
        `type=registry,ref=${cache},mode=max`,
        `type=registry,ref=${cache}`,
      ]),
    );
  });

  it("is refused with the limits of a cache that is not to be had", () => {
    expect(() => refuseUnrunnable(recipeOf("cache-to: type=gha"))).toThrow(
      /its cache is kept in GitHub's Actions cache, which a trial does not have: it is not measured \(10 GB/,
    );
  });

  it("is refused where it wants a secret", () => {
    expect(() => refuseUnrunnable(recipeOf("secrets: npm=${{ secrets.NPM }}"))).toThrow(/--secret/);
  });
});

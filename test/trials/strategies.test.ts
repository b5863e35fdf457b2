import { describe, expect, it } from "vitest";
import { Problem } from "../../src/domain/problem.ts";
import { adaptRecipe, ALL_STRATEGIES, wantedStrategies } from "../../src/trials/strategies.ts";
import { trialRecipe } from "../fixtures/trial/image-trial.ts";

function problemOf(call: () => unknown): Problem {
  try {
    call();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("strategies as they are asked for", () => {
  it("are builder, cache and variant, each once", () => {
    expect(wantedStrategies(["kaniko/layers+redo", "buildah/layers", "buildah/layers"])).toStrictEqual([
      { builder: "kaniko", cache: "layers", variant: "redo" },
      { builder: "buildah", cache: "layers", variant: null },
    ]);
  });

  it("are nine for all", () => {
    const names = wantedStrategies(["all", "kaniko/none"]).map(({ builder, cache }) => `${builder}/${cache}`);
    expect(names).toStrictEqual(ALL_STRATEGIES);
    expect(names).toHaveLength(9);
  });

  it.each([
    ["kaniko", ""],
    ["kaniko/layers+squash", ""],
    ["kaniko/layers+redo+zstd", ""],
    ["kaniko/layers/x", " (did you mean kaniko/layers?)"],
    ["podman/layers", ""],
    ["kaniko/layer", " (did you mean kaniko/layers?)"],
    ["", ""],
  ])("are refused with the list where %o is none", (name, hint) => {
    const refusal = problemOf(() => wantedStrategies([name]));
    expect(refusal.message).toBe(`${name}${hint} is no strategy that Tare knows.`);
    expect(refusal.details[1]).toBe("beside them: docker/registry-min, docker/registry-max");
    expect(refusal.details[2]).toContain("redo (");
  });

  it("are all refused at once", () => {
    const { message } = problemOf(() =>
      wantedStrategies(["kaniko/layers", "podman/layers", "buildha/layers"]),
    );
    expect(message).toBe(
      "podman/layers, buildha/layers (did you mean buildah/layers?) are no strategies that Tare knows.",
    );
  });
});

describe("a recipe with another strategy", () => {
  const recipe = trialRecipe("docker/inline");

  it("keeps what is built and takes the cache's own references", () => {
    expect(adaptRecipe(recipe, { builder: "kaniko", cache: "layers", variant: null })).toMatchObject({
      builder: "kaniko",
      strategy: "kaniko/layers",
      dockerfile: recipe.dockerfile,
      context: recipe.context,
      images: recipe.images,
      cacheTo: ["$CI_REGISTRY_IMAGE/qemu/alder-cache"],
      buildArgs: {},
    });
  });

  it("is refused with the reason where the builder has no such cache", () => {
    for (const cache of ["inline", "gha", "local", "registry-max"] as const)
      expect(adaptRecipe(recipe, { builder: "kaniko", cache, variant: null })).toBeTypeOf("string");
    expect(adaptRecipe(recipe, { builder: "docker", cache: "none", variant: "redo" })).toBe(
      "docker/none has no variant redo",
    );
  });
});

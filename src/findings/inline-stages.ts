import { Problem } from "../domain/problem.ts";
import type { Recipe } from "../domain/recipe.ts";
import { neededStages, readDockerfile } from "../recipes/dockerfile.ts";
import type { DockerfileReading } from "../recipes/dockerfile.ts";
import { placeInCommand } from "./places.ts";
import type { Check, Pair, Reading, Remark, Side } from "./types.ts";

const WHY =
  "BuildKit, cache/remotecache/inline: an inline cache lists the image's own layers only (mode min); a build without any change still hits.";

/**
 * An inline cache of a Dockerfile whose stages are not all part of the final image: their layers have no place in it
 * (moby/buildkit, cache/remotecache/inline; README, Inline).
 */
export const inlineStages: Check = {
  id: "inline-stages",
  remarks: (reading) => [
    ...reading.pairs.flatMap((pair) => ofPair(reading, pair)),
    ...reading.unchanged.flatMap((recipe) => ofDockerfile(reading, recipe)),
  ],
};

function ofPair(reading: Reading, { base, head }: Pair): Remark[] {
  if (base !== null && isInline(base) && base.dockerfile === head.dockerfile)
    return ofDockerfile(reading, head);
  const lost = lostStages(reading, head, "head");
  if (lost.length === 0) return [];
  const place = placeInCommand(
    reading,
    head,
    "the switch of the inline cache",
    /BUILDKIT_INLINE_CACHE|type=inline/,
  );
  if (place === null) return [];
  return lost.map(({ line }) => ({
    job: head.job,
    place,
    subject: `${head.dockerfile}:${line}`,
    say: (subjects) =>
      `An inline cache holds the layers of the final image alone: not those of the other stages, ${subjects}`,
    why: WHY,
  }));
}

/** The change adds a stage to a Dockerfile whose build had an inline cache before. */
function ofDockerfile(reading: Reading, recipe: Recipe): Remark[] {
  const file = recipe.dockerfile;
  if (file === null || reading.diff.lines("head", file).length === 0) return [];
  const before = new Set(lostStages(reading, recipe, "base").map(({ name }) => name));
  return lostStages(reading, recipe, "head").flatMap(({ name, line }) => {
    if (before.has(name) || !reading.diff.has("head", file, line)) return [];
    const say = () =>
      `The layers of the stage ${name} are not in the final image: an inline cache does not hold them`;
    const place = { file, line, side: "head" as const, elsewhere: null };
    return [{ job: recipe.job, place, subject: null, say, why: WHY }];
  });
}

function isInline(recipe: Recipe): boolean {
  return recipe.strategy.endsWith("/inline");
}

type LostStage = { name: string; line: number };

/** Stages that are built, make layers, and are not part of the final image. */
function lostStages(reading: Reading, recipe: Recipe, side: Side): LostStage[] {
  const text = recipe.dockerfile === null ? null : reading.read(side, recipe.dockerfile);
  if (!isInline(recipe) || text === null) return [];
  try {
    const dockerfile = readDockerfile(text, recipe.buildArgs);
    const needed = neededStages(dockerfile, recipe.target);
    const kept = chainOf(dockerfile, needed.at(-1));
    return needed.flatMap((index) => {
      const stage = dockerfile.stages[index];
      const makesLayer = dockerfile.instructions.some((each) => each.stage === index && each.makesLayer);
      if (stage === undefined || kept.has(index) || !makesLayer) return [];
      return [{ name: stage.name ?? stage.from, line: stage.line }];
    });
  } catch (error) {
    // A Dockerfile that no builder reads is told of elsewhere.
    if (error instanceof Problem) return [];
    throw error;
  }
}

/** A stage and those that it starts from. */
function chainOf({ stages }: DockerfileReading, last: number | undefined): Set<number> {
  const chain = new Set<number>();
  let index: number | null | undefined = last;
  // A stage starts from an earlier one only: this ends.
  while (index !== null && index !== undefined) {
    chain.add(index);
    index = stages[index]?.fromStage;
  }
  return chain;
}

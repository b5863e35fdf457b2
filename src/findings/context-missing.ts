import { Problem } from "../domain/problem.ts";
import type { Recipe } from "../domain/recipe.ts";
import { neededStages, readDockerfile } from "../recipes/dockerfile.ts";
import { flagPattern, linesOf, placeOfCommand } from "./places.ts";
import { flagValue, hasLooseWords, isSure } from "./recipe-flags.ts";
import type { Check, Pair, Place, Reading, Remark, Side } from "./types.ts";

const WHY =
  "kaniko, cmd/executor/cmd/root.go: --context is /workspace/ where it is not given; GitLab puts a job's files into $CI_PROJECT_DIR.";

/**
 * kaniko without `--context` builds a Dockerfile that takes files from it. Its default is `/workspace/`
 * (GoogleContainerTools/kaniko, cmd/executor/cmd/root.go), which is empty in a job of GitLab.
 */
export const contextMissing: Check = {
  id: "context-missing",
  remarks: (reading) => [
    ...reading.pairs.flatMap((pair) => ofPair(reading, pair)),
    ...reading.unchanged.flatMap((recipe) => ofDockerfile(reading, recipe)),
  ],
};

function ofPair(reading: Reading, { base, head }: Pair): Remark[] {
  if (base !== null && base.dockerfile === head.dockerfile && lacksContext(reading, base, "base"))
    return ofDockerfile(reading, head);
  if (!lacksContext(reading, head, "head")) return [];
  const place = placeOfRemovedFlag(reading, base) ?? placeOfCommand(reading, head);
  if (place === null) return [];
  return copyLines(reading, head, "head").map((line) => ({
    job: head.job,
    place,
    subject: `${head.dockerfile}:${line}`,
    say: (subjects) =>
      `kaniko is given no --context and takes /workspace, but files are taken from the context in ${subjects}`,
    why: WHY,
  }));
}

/** The change adds the first line of a Dockerfile that takes from the context, and the command gave none before. */
function ofDockerfile(reading: Reading, recipe: Recipe): Remark[] {
  const file = recipe.dockerfile;
  if (file === null || reading.diff.lines("head", file).length === 0) return [];
  if (!lacksContext(reading, recipe, "head") || copyLines(reading, recipe, "base").length > 0) return [];
  const line = copyLines(reading, recipe, "head").find((each) => reading.diff.has("head", file, each));
  if (line === undefined) return [];
  const command = `${recipe.file}:${recipe.line}`;
  const say = () => `This takes files from the build context, but kaniko is given no --context in ${command}`;
  return [
    {
      job: recipe.job,
      place: { file, line, side: "head", elsewhere: null },
      subject: null,
      say,
      why: WHY,
    },
  ];
}

/** Whether a command surely names no context, and nothing is put where kaniko looks for it. */
function lacksContext(reading: Reading, recipe: Recipe, side: Side): boolean {
  if (recipe.builder !== "kaniko" || recipe.context !== null || !isSure(recipe, "context")) return false;
  if (flagValue(recipe, "context") !== null || flagValue(recipe, "bucket") !== null) return false;
  const text = reading.read(side, recipe.file) ?? "";
  return !text.includes("/workspace") && !hasLooseWords(linesOf(reading, recipe, side));
}

/** The first line that takes files from the context in a stage that is built; empty where none does or that cannot be told. */
function copyLines(reading: Reading, recipe: Recipe, side: Side): number[] {
  const file = recipe.dockerfile;
  const text = file === null ? null : reading.read(side, file);
  if (file === null || text === null) return [];
  try {
    const dockerfile = readDockerfile(text, recipe.buildArgs, file);
    const stages = new Set(neededStages(dockerfile, recipe.target, file));
    const copies = dockerfile.instructions.filter((each) => each.takesContext && stages.has(each.stage));
    return copies.slice(0, 1).map(({ line }) => line);
  } catch (error) {
    // A Dockerfile that no builder reads is told of elsewhere.
    if (error instanceof Problem) return [];
    throw error;
  }
}

function placeOfRemovedFlag(reading: Reading, base: Recipe | null): Place | null {
  if (base?.builder !== "kaniko") return null;
  const removed = linesOf(reading, base, "base").find(
    ({ line, text }) => flagPattern("context").test(text) && reading.diff.has("base", base.file, line),
  );
  return removed === undefined
    ? null
    : { file: base.file, line: removed.line, side: "base", elsewhere: null };
}

import { readBothTrees } from "../bot.ts";
import { formatCount, formatMemory } from "../domain/quantities.ts";
import { openRepository } from "../git/repository.ts";
import { prepareTrial, type PreparedTrial, type TrialRequest } from "../prepare-trial.ts";
import { SCENARIOS } from "../trials/plan.ts";
import { knownObstacle } from "./base-obstacle.ts";
import { changeFromInput, type ChangeInput } from "./change-input.ts";
import type { ExitCode } from "./exit-code.ts";

/** `tare plan`: what a trial would run. Nothing is built, no engine is needed. */
export async function planCommand(
  options: ChangeInput & TrialRequest & { repository: string; format: "text" | "json" },
): Promise<ExitCode> {
  await using repository = await openRepository(options.repository);
  const { change } = await changeFromInput(repository, options, "stranger");
  const reading = await readBothTrees(repository, change);
  const prepared = await prepareTrial(repository, change, reading, options, knownObstacle(process.env));
  const sentence = reading.comparison.sentence;
  process.stdout.write(
    options.format === "json" ? planJson(sentence, prepared, options) : planText(sentence, prepared, options),
  );
  return 0;
}

function runsOf(prepared: PreparedTrial, request: TrialRequest): number {
  return prepared.trials.length * 2 * SCENARIOS.length * request.repeats;
}

function planText(sentence: string, prepared: PreparedTrial, request: TrialRequest): string {
  const lines = [
    sentence,
    "",
    ...prepared.trials.flatMap(({ pair, current, proposed }) => [
      `${pair.image} (${pair.dockerfile}, from ${proposed.bases.join(", ") || "scratch"})`,
      `  current   ${current.recipe.strategy}  ${current.recipe.file}:${current.recipe.line}`,
      `  proposed  ${proposed.recipe.strategy}  ${proposed.recipe.file}:${proposed.recipe.line}`,
      `  edit      ${proposed.edited.description}, synthetic`,
    ]),
    "",
    `Images: ${prepared.selection.reason}.`,
    ...prepared.selection.notBuilt.map(({ what, why }) => `Not built: ${what}: ${why}`),
    ...prepared.notes,
    `Scenarios: ${SCENARIOS.join(", ")}; ${formatCount(request.repeats, "repeat")}, current and proposed in turn.`,
    `At most ${formatCount(runsOf(prepared, request), "run")}, each with ${formatCount(request.limits.cpus, "CPU")} and ${formatMemory(request.limits.memoryBytes)}.`,
  ];
  return `${lines.join("\n")}\n`;
}

function planJson(sentence: string, prepared: PreparedTrial, request: TrialRequest): string {
  const plan = {
    schemaVersion: 1,
    sentence,
    images: prepared.trials.map(({ pair, current, proposed }) => ({
      image: pair.image,
      dockerfile: pair.dockerfile,
      bases: proposed.bases,
      current: current.recipe,
      proposed: proposed.recipe,
      edit: { line: proposed.edited.line, description: proposed.edited.description, synthetic: true },
    })),
    reason: prepared.selection.reason,
    notBuilt: prepared.selection.notBuilt,
    notes: prepared.notes,
    scenarios: SCENARIOS,
    repeats: request.repeats,
    runs: runsOf(prepared, request),
    limits: request.limits,
  };
  return `${JSON.stringify(plan, null, 2)}\n`;
}

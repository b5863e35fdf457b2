import { Problem } from "../src/domain/problem.ts";
import { readBothTrees } from "../src/bot.ts";
import { openRepository } from "../src/git/repository.ts";
import { prepareTrial, type PreparedTrial, type TrialRequest } from "../src/prepare-trial.ts";
import { packagesObstacle } from "../src/terminal/base-obstacle.ts";
import { changeFromInput } from "../src/terminal/change-input.ts";
import { settleRequest, type TrialWishes } from "../src/terminal/request.ts";
import type { ImageTrial } from "../src/trials/conduct.ts";
import { ALL_STRATEGIES } from "../src/trials/strategies.ts";
import { EXAMPLE_PATCH, makeExampleRepository } from "../test/live/example-repository.ts";

/** The example's toolchain image with each strategy, as `tare trial --strategies all --repeats 1` prepares it. */
export type ExampleStrategies = {
  prepared: PreparedTrial;
  request: TrialRequest;
  /** A trial of this strategy alone; the change's own two are taken out of it. */
  trialOf(strategy: string): ImageTrial;
};

export async function prepareExample(): Promise<ExampleStrategies> {
  const example = makeExampleRepository();
  try {
    await using repository = await openRepository(example.directory);
    const input = { patch: EXAMPLE_PATCH, revision: null, base: null };
    const { change } = await changeFromInput(repository, input, "approved");
    const reading = await readBothTrees(repository, change);
    const wishes = { images: ["toolchain"], strategies: ["all"], repeats: 1, replay: 0 };
    // Two edits are synthetic, the first RUN and the last: the history's are not the same number for every image.
    const asked: TrialWishes = {
      wishes,
      forks: "none",
      downloads: "cache",
      thread: [],
      projectPath: null,
      command: "",
      argv: [],
    };
    const { request } = await settleRequest(asked, change, reading);
    const prepared = await prepareTrial(repository, change, reading, request, packagesObstacle([]));
    return { prepared, request, trialOf: (strategy) => aloneIn(prepared, strategy) };
  } finally {
    example.remove();
  }
}

function aloneIn({ trials }: PreparedTrial, strategy: string): ImageTrial {
  const [trial] = trials;
  const all =
    trial === undefined ? [] : [trial.current, trial.proposed, ...trial.others.map(({ source }) => source)];
  const source = all.find(({ recipe }) => recipe.strategy === strategy);
  if (trial !== undefined && source !== undefined) return { ...trial, others: [{ variant: null, source }] };
  const remedy = `Choose of ${ALL_STRATEGIES.join(", ")}.`;
  throw new Problem("arguments", `The example is not built with ${strategy}.`, remedy);
}

import { describe, expect, it } from "vitest";
import type { Strategy } from "../../src/domain/recipe.ts";
import { conductImage } from "../../src/trials/conduct.ts";
import { trialWorld } from "../fakes/trial-world.ts";
import { conductOptions, imageTrial, trialRecipe } from "../fixtures/trial/image-trial.ts";
import { jobText } from "./job-text.ts";

const STRATEGIES: Strategy[] = ["docker/none", "docker/inline", "kaniko/none", "kaniko/layers"];

const PLACES = [
  { bases: "docker.io", baseHost: null },
  { bases: "own bases", baseHost: "127.0.0.1:5001" },
];

/** Jobs of the three scenarios of one strategy, and the flags that were left out. */
async function jobsOf(strategy: Strategy, baseHost: string | null): Promise<string> {
  const recipe = trialRecipe(strategy);
  const world = trialWorld(() => ({}));
  const doors = { run: world.run, startRegistry: world.startRegistry, onProgress: () => {} };
  const trial = await imageTrial(recipe, recipe);
  const { image } = await conductImage(
    trial,
    conductOptions({ baseHost }),
    doors,
    new AbortController().signal,
  );
  const jobs = world.jobs.slice(0, 3).map((job) => `=== ${job.name}\n${jobText(job)}\n`);
  const dropped = image.strategies[0]?.droppedFlags ?? [];
  return [...jobs, "=== left out", ...dropped.map(({ flag, why }) => `${flag}: ${why}`), ""].join("\n");
}

describe.each(PLACES)("jobs with base images of $bases", ({ bases, baseHost }) => {
  it.each(STRATEGIES)("%s", async (strategy) => {
    const name = `${strategy.replace("/", "-")}, ${bases}.txt`.replaceAll(/[ ,.]+(?!txt$)/g, "-");
    await expect(await jobsOf(strategy, baseHost)).toMatchFileSnapshot(`../goldens/jobs/${name}`);
  });
});

import { Problem } from "./domain/problem.ts";
import type { RecipeComparison } from "./domain/recipe.ts";
import type { LoadImage, Loaded } from "./load-image.ts";
import type { BaseObstacle, KnownImage, TrialRequest } from "./prepare-trial.ts";
import type { ImageTrial } from "./trials/conduct.ts";
import {
  coldRunMs,
  guessImage,
  trialMs,
  type ImageEstimate,
  type SideShape,
  type TrialShape,
} from "./trials/estimate.ts";
import { allBases, type ImageSource } from "./trials/image-source.ts";
import { imageName, leftOut, pairsNamed, sampleOf, type ImagePair, type NotBuilt } from "./trials/plan.ts";
import { sampleWithin } from "./trials/sample.ts";
import { runsInForks } from "./trials/trial-spec.ts";

export type Choice = {
  pairs: ImagePair[];
  notBuilt: NotBuilt[];
  load: LoadImage;
  obstacle: BaseObstacle;
  request: TrialRequest;
  known: KnownImage;
};
export type Chosen = { chosen: Loaded[]; left: NotBuilt[]; reason: string };

/** Images by name, as many as the time budget holds, or the first that can be built here. */
export function chooseImages(choice: Choice, comparison: RecipeComparison): Promise<Chosen> {
  const { images, budgetMs } = choice.request;
  if (images.length > 0) return chooseNamed(choice, comparison);
  return budgetMs === null ? chooseFirst(choice) : chooseSample(choice, budgetMs);
}

async function chooseNamed(choice: Choice, comparison: RecipeComparison): Promise<Chosen> {
  const { pairs, notBuilt, load, obstacle, request } = choice;
  refuseUnpaired(request.images, pairs, notBuilt, comparison);
  const named = pairsNamed(pairs, request.images);
  const chosen: Loaded[] = [];
  for (const pair of named) {
    const loaded = await load(pair);
    refuseObstacle(loaded.trial, obstacle);
    chosen.push(loaded);
  }
  const rest = pairs.filter((pair) => !named.includes(pair));
  return { chosen, left: [...notBuilt, ...leftOut(rest)], reason: "named with --images" };
}

/** As many images as the budget has time for, by base and size. */
async function chooseSample(choice: Choice, budgetMs: number): Promise<Chosen> {
  const { pairs, notBuilt, load, obstacle, request, known } = choice;
  const { buildable, refused } = await allBuildable(pairs, load, obstacle);
  if (buildable.length === 0) throw nothingToTry([...notBuilt, ...refused]);
  const sample = sampleWithin(
    buildable.map((loaded) => {
      const estimate = estimateOf(loaded.trial, known);
      return {
        item: loaded,
        name: loaded.trial.pair.image,
        base: loaded.trial.proposed.finalBase,
        bytes: estimate.bytes,
        expectedMs: trialMs(estimate, shapeOf(loaded.trial, request, known)),
      };
    }),
    budgetMs,
    request.mostImages ?? buildable.length,
  );
  const rest = buildable.filter((loaded) => !sample.chosen.includes(loaded));
  const left = [...notBuilt, ...refused, ...leftOut(rest.map(({ trial }) => trial.pair))];
  return { chosen: sample.chosen, left, reason: sample.reason };
}

async function allBuildable(
  pairs: readonly ImagePair[],
  load: LoadImage,
  obstacle: BaseObstacle,
): Promise<{ buildable: Loaded[]; refused: NotBuilt[] }> {
  const buildable: Loaded[] = [];
  const refused: NotBuilt[] = [];
  for (const pair of pairs) {
    const loaded = await loadOrReason(pair, load, obstacle);
    if (typeof loaded === "string") refused.push({ what: pair.image, why: loaded });
    else buildable.push(loaded);
  }
  return { buildable, refused };
}

/** The image, or why it cannot be built here. */
async function loadOrReason(
  pair: ImagePair,
  load: LoadImage,
  obstacle: BaseObstacle,
): Promise<Loaded | string> {
  try {
    const loaded = await load(pair);
    return obstacleOf(loaded.trial, obstacle) ?? loaded;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.message;
  }
}

/** The first image, in the order of the templates, that can be loaded and whose base images can be had. */
async function chooseFirst({ pairs, notBuilt, load, obstacle }: Choice): Promise<Chosen> {
  const [only] = pairs;
  if (only !== undefined && pairs.length + notBuilt.length === 1) {
    const loaded = await load(only);
    refuseObstacle(loaded.trial, obstacle);
    return { chosen: [loaded], left: [], reason: sampleOf(pairs, only).reason };
  }
  const refused: NotBuilt[] = [];
  for (const pair of pairs) {
    const loaded = await loadOrReason(pair, load, obstacle);
    if (typeof loaded !== "string") {
      const left = [...notBuilt, ...refused, ...leftOut(pairs.slice(refused.length + 1))];
      return { chosen: [loaded], left, reason: sampleOf(pairs, pair).reason };
    }
    refused.push({ what: pair.image, why: loaded });
  }
  throw nothingToTry([...notBuilt, ...refused]);
}

function nothingToTry(reasons: readonly NotBuilt[]): Problem {
  const [first, ...others] = reasons.map(({ what, why }) => `${what}: ${why}`);
  return new Problem(
    "nothing-to-try",
    first === undefined
      ? "The change touches no recipe: the image builds of the templates are the same on both sides."
      : sentence(`No image that the change touches can be built here. ${first}`),
    "Run `tare recipes` to see what was read, or name images with --images.",
    others.slice(0, 10),
  );
}

/** An image that was asked for and that the change touches, but that cannot be tried: the reason is at hand. */
function refuseUnpaired(
  names: readonly string[],
  pairs: readonly ImagePair[],
  notBuilt: readonly NotBuilt[],
  comparison: RecipeComparison,
): void {
  const namesOf = (job: string, dockerfiles: (string | null | undefined)[]) => [
    job,
    ...dockerfiles.flatMap((path) => (path ? [path, imageName(path)] : [])),
  ];
  for (const name of names) {
    if (pairs.some((pair) => namesOf(pair.proposed.job, [pair.dockerfile]).includes(name))) continue;
    const changed = comparison.changed.find(({ job, base, head }) =>
      namesOf(job, [base?.dockerfile, head?.dockerfile]).includes(name),
    );
    const why = notBuilt.find(({ what }) => what === `job ${changed?.job}`)?.why;
    if (why === undefined) continue;
    throw new Problem(
      "nothing-to-try",
      sentence(`${name} cannot be tried: ${why}`),
      "Mend the template, or name another image with --images.",
    );
  }
}

/** Base images that must come from outside: not those that another job of the templates builds. */
export function basesOf(trial: ImageTrial): string[] {
  const sources = [trial.current, trial.proposed, ...trial.others.map(({ source }) => source)];
  return [...new Set(sources.flatMap((source) => outsideBases(source)))];
}

function outsideBases(source: ImageSource): string[] {
  return [
    ...allBases(source).filter((base) => !source.ownBases.includes(base)),
    ...source.startsFrom.flatMap(outsideBases),
  ];
}

function obstacleOf(trial: ImageTrial, obstacle: BaseObstacle): string | null {
  return (
    basesOf(trial)
      .map(obstacle)
      .find((why) => why !== null) ?? null
  );
}

function refuseObstacle(trial: ImageTrial, obstacle: BaseObstacle): void {
  const why = obstacleOf(trial, obstacle);
  if (why === null) return;
  throw new Problem(
    "base-image-missing",
    `${trial.pair.image} cannot be built here: ${why}.`,
    "Name another image with --images, or use a container engine that can pull public images.",
  );
}

function sentence(text: string): string {
  return text.endsWith(".") ? text : `${text}.`;
}

export function estimateOf(trial: ImageTrial, known: KnownImage): ImageEstimate {
  return estimateOfText(trial.current.text, known);
}

function estimateOfText(text: string, known: KnownImage): ImageEstimate {
  const measured = known(text);
  return measured === null ? guessImage(text) : { ...measured, basis: "measured before" };
}

/** How often each strategy of an image builds it. */
export function shapeOf(
  trial: ImageTrial,
  { repeats, otherRepeats, forks }: Pick<TrialRequest, "repeats" | "otherRepeats" | "forks">,
  known: KnownImage,
): TrialShape {
  const sideOf = (source: ImageSource, times: number): SideShape => ({
    builder: source.recipe.builder,
    repeats: times,
    edits: source.edits.length,
    forks: runsInForks(source) ? forks.length : 0,
    prerequisitesMs: source.startsFrom.reduce(
      (sum, { text, recipe }) => sum + coldRunMs(estimateOfText(text, known), recipe.builder),
      0,
    ),
  });
  return [
    sideOf(trial.current, repeats),
    sideOf(trial.proposed, repeats),
    ...trial.others.map(({ source }) => sideOf(source, otherRepeats)),
  ];
}

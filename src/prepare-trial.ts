import type { ReadingOfChange } from "./bot.ts";
import { refuseUnrunnable } from "./builders/index.ts";
import type { Change, Tree } from "./domain/change.ts";
import type { JobFile, Limits } from "./domain/job.ts";
import { Problem } from "./domain/problem.ts";
import type { Recipe, RecipeComparison } from "./domain/recipe.ts";
import { contextFiles } from "./git/context-files.ts";
import type { Repository } from "./git/repository.ts";
import type { TreeReader } from "./git/tree-reader.ts";
import type { ImageTrial } from "./trials/conduct.ts";
import { loadImageSource, type EditChoice } from "./trials/image-source.ts";
import {
  imageName,
  leftOut,
  pairsNamed,
  pairsOf,
  sampleOf,
  type ImagePair,
  type NotBuilt,
  type Selection,
} from "./trials/plan.ts";
import { namedProject, trialReference, type PipelineContext } from "./trials/references.ts";

const MAX_CONTEXT_BYTES = 512 * 1024 * 1024;

/** What is asked of a trial. */
export type TrialRequest = {
  images: string[];
  repeats: number;
  edit: EditChoice;
  limits: Limits;
  /** `group/project` of the pipeline; null: as the templates name it. */
  projectPath: string | null;
  /** The command that repeats the trial. */
  command: string;
};

/** What a trial will do: images with both their sides, and where their pipeline would run. */
export type PreparedTrial = {
  selection: Selection;
  trials: ImageTrial[];
  context: PipelineContext;
  notes: string[];
};

/** Says why a base image cannot be had on this machine; null where it can. */
export type BaseObstacle = (base: string) => string | null;

/** Chooses the images and loads what their builds need; refuses what no engine is needed to refuse. Nothing is run. */
export async function prepareTrial(
  repository: Repository,
  change: Change,
  reading: ReadingOfChange,
  request: TrialRequest,
  obstacle: BaseObstacle,
): Promise<PreparedTrial> {
  const all = [...reading.base.recipes, ...reading.head.recipes];
  const { context, notes } = pipelineContext(all, request.projectPath);
  const load = createLoader(repository, change, reading, request.edit, context);
  const { pairs, notBuilt: unpaired } = pairsOf(reading.comparison);
  const notBuilt = withRefusals(unpaired, reading.comparison);
  if (request.images.length > 0) {
    refuseUnpaired(request.images, pairs, notBuilt, reading.comparison);
    const chosen = pairsNamed(pairs, request.images);
    const trials: ImageTrial[] = [];
    for (const pair of chosen) trials.push(refuseObstacle(await load(pair), obstacle));
    const rest = pairs.filter((pair) => !chosen.includes(pair));
    const left = [...notBuilt, ...leftOut(rest)];
    const selection = { pairs: chosen, notBuilt: left, reason: "named with --images" };
    return { selection, trials, context, notes };
  }
  const { trial, refused } = await firstBuildable(pairs, notBuilt, load, obstacle);
  const rest = pairs.slice(refused.length + 1);
  const selection = {
    pairs: [trial.pair],
    notBuilt: [...notBuilt, ...refused, ...leftOut(rest)],
    reason: sampleOf(pairs, trial.pair).reason,
  };
  return { selection, trials: [trial], context, notes };
}

/** What a builder refuses of a job says more than what could not be read of it. */
function withRefusals(notBuilt: readonly NotBuilt[], comparison: RecipeComparison): NotBuilt[] {
  return notBuilt.map((entry) => {
    const changed = comparison.changed.find(({ job }) => entry.what === `job ${job}`);
    for (const recipe of [changed?.base, changed?.head]) {
      const why = recipe === null || recipe === undefined ? null : refusalOf(recipe);
      if (why !== null) return { ...entry, why };
    }
    return entry;
  });
}

function refusalOf(recipe: Recipe): string | null {
  try {
    refuseUnrunnable(recipe);
    return null;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.message;
  }
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

type Load = (pair: ImagePair) => Promise<ImageTrial>;

function createLoader(
  repository: Repository,
  change: Change,
  reading: ReadingOfChange,
  edit: EditChoice,
  context: PipelineContext,
): Load {
  const projectDirectory = `/builds/${context.projectPath}`;
  const side = (recipe: Recipe, which: "base" | "head") => {
    const reader = reading.readers[which];
    refuseSide(recipe, reader, context);
    return loadImageSource(
      recipe,
      edit,
      (path) => reader.read(path),
      (path) => contextBelow(repository, change[which], path, projectDirectory),
    );
  };
  return async (pair) => ({
    pair,
    current: await side(pair.current, "base"),
    proposed: await side(pair.proposed, "head"),
  });
}

/** Flags, references and Dockerfiles that no run could be made of. */
function refuseSide(recipe: Recipe, reader: TreeReader, context: PipelineContext): void {
  refuseUnrunnable(recipe);
  for (const reference of [...recipe.images, ...recipe.cacheFrom, ...recipe.cacheTo]) {
    trialReference(reference, context, "registry.invalid", recipe);
  }
  const path = recipe.dockerfile;
  if (path === null || reader.read(path) !== null) return;
  throw new Problem(
    "dockerfile-missing",
    `${recipe.file}:${recipe.line} (job ${recipe.job}) builds ${path}, which cannot be read: ${reader.whyNot(path) ?? "unknown"}.`,
    "Look at the path in the template, or leave this image out with --images.",
  );
}

function contextBelow(
  repository: Repository,
  tree: Tree,
  path: string,
  directory: string,
): Promise<JobFile[]> {
  const into = path === "." ? directory : `${directory}/${path}`;
  return contextFiles(repository, tree, path, { into, maxBytes: MAX_CONTEXT_BYTES });
}

function obstacleOf(trial: ImageTrial, obstacle: BaseObstacle): string | null {
  const bases = [...new Set([...trial.current.bases, ...trial.proposed.bases])];
  return bases.map(obstacle).find((why) => why !== null) ?? null;
}

function refuseObstacle(trial: ImageTrial, obstacle: BaseObstacle): ImageTrial {
  const why = obstacleOf(trial, obstacle);
  if (why === null) return trial;
  throw new Problem(
    "base-image-missing",
    `${trial.pair.image} cannot be built here: ${why}.`,
    "Name another image with --images, or use a container engine that can pull public images.",
  );
}

/** The first image, in the order of the templates, that can be loaded and whose base images can be had; those before it with their reasons. */
async function firstBuildable(
  pairs: readonly ImagePair[],
  notBuilt: readonly NotBuilt[],
  load: Load,
  obstacle: BaseObstacle,
): Promise<{ trial: ImageTrial; refused: NotBuilt[] }> {
  const [only] = pairs;
  if (only !== undefined && pairs.length + notBuilt.length === 1) {
    return { trial: refuseObstacle(await load(only), obstacle), refused: [] };
  }
  const refused: NotBuilt[] = [];
  for (const pair of pairs) {
    try {
      const trial = await load(pair);
      const why = obstacleOf(trial, obstacle);
      if (why === null) return { trial, refused };
      refused.push({ what: pair.image, why });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      refused.push({ what: pair.image, why: error.message });
    }
  }
  const [first, ...others] = [...notBuilt, ...refused].map(({ what, why }) => `${what}: ${why}`);
  throw new Problem(
    "nothing-to-try",
    first === undefined
      ? "The change touches no recipe."
      : sentence(`No image that the change touches can be built here. ${first}`),
    "Run `tare recipes` to see what was read, or name images with --images.",
    others.slice(0, 10),
  );
}

function sentence(text: string): string {
  return text.endsWith(".") ? text : `${text}.`;
}

/** The pipeline's project: as asked, as the templates name it, else one of no name. */
function pipelineContext(
  recipes: readonly Recipe[],
  asked: string | null,
): { context: PipelineContext; notes: string[] } {
  const branch = "main";
  if (asked !== null) return { context: { projectPath: asked, branch }, notes: [] };
  const named = namedProject(recipes);
  if (named !== null) {
    const note = `The pipeline is taken to run in ${named}, the project that the templates name after $CI_REGISTRY.`;
    return { context: { projectPath: named, branch }, notes: [note] };
  }
  const note =
    "The templates name no project: the pipeline is taken to run in group/project (--project sets it).";
  return { context: { projectPath: "group/project", branch }, notes: [note] };
}

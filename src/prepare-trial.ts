import type { ReadingOfChange } from "./bot.ts";
import type { Change, Tree } from "./domain/change.ts";
import type { JobFile, Limits } from "./domain/job.ts";
import { Problem } from "./domain/problem.ts";
import type { Recipe } from "./domain/recipe.ts";
import { contextFiles } from "./git/context-files.ts";
import type { Repository } from "./git/repository.ts";
import type { ImageTrial } from "./trials/conduct.ts";
import { loadImageSource, type EditChoice } from "./trials/image-source.ts";
import { leftOut, pairsNamed, pairsOf, sampleOf, type ImagePair, type Selection } from "./trials/plan.ts";
import { namedProject, type PipelineContext } from "./trials/references.ts";

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

/** Chooses the images and loads what their builds need. Nothing is run. */
export async function prepareTrial(
  repository: Repository,
  change: Change,
  reading: ReadingOfChange,
  request: TrialRequest,
  obstacle: BaseObstacle,
): Promise<PreparedTrial> {
  const all = [...reading.base.recipes, ...reading.head.recipes];
  const { context, notes } = pipelineContext(all, request.projectPath);
  const load = createLoader(repository, change, reading, request.edit, `/builds/${context.projectPath}`);
  const { pairs, notBuilt } = pairsOf(reading.comparison);
  if (request.images.length > 0) {
    const chosen = pairsNamed(pairs, request.images);
    const trials: ImageTrial[] = [];
    for (const pair of chosen) trials.push(refuseObstacle(await load(pair), obstacle));
    const rest = pairs.filter((pair) => !chosen.includes(pair));
    const selection = {
      pairs: chosen,
      notBuilt: [...notBuilt, ...leftOut(rest)],
      reason: "named with --images",
    };
    return { selection, trials, context, notes };
  }
  const trial = await firstBuildable(pairs, notBuilt, load, obstacle);
  const sample = sampleOf(pairs, trial.pair);
  const selection = {
    pairs: [trial.pair],
    notBuilt: [...notBuilt, ...sample.notBuilt],
    reason: sample.reason,
  };
  return { selection, trials: [trial], context, notes };
}

type Load = (pair: ImagePair) => Promise<ImageTrial>;

function createLoader(
  repository: Repository,
  change: Change,
  reading: ReadingOfChange,
  edit: EditChoice,
  projectDirectory: string,
): Load {
  const side = (recipe: Recipe, which: "base" | "head") =>
    loadImageSource(
      recipe,
      edit,
      (path) => reading.readers[which].read(path),
      (path) => contextBelow(repository, change[which], path, projectDirectory),
    );
  return async (pair) => ({
    pair,
    current: await side(pair.current, "base"),
    proposed: await side(pair.proposed, "head"),
  });
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

/** The first image, in the order of the templates, that can be loaded and whose base images can be had. */
async function firstBuildable(
  pairs: readonly ImagePair[],
  notBuilt: Selection["notBuilt"],
  load: Load,
  obstacle: BaseObstacle,
): Promise<ImageTrial> {
  const against = [...notBuilt];
  for (const pair of pairs) {
    try {
      const trial = await load(pair);
      const why = obstacleOf(trial, obstacle);
      if (why === null) return trial;
      against.push({ what: pair.image, why });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      against.push({ what: pair.image, why: error.message });
    }
  }
  throw new Problem(
    "nothing-to-try",
    against.length === 0
      ? "The change touches no recipe."
      : "No image that the change touches can be built here.",
    "Run `tare recipes` to see what was read, or name images with --images.",
    against.slice(0, 10).map(({ what, why }) => `${what}: ${why}`),
  );
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

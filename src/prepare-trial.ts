import type { ReadingOfChange } from "./bot.ts";
import { refuseUnrunnable } from "./builders/index.ts";
import type { ThreadText } from "./claims/types.ts";
import type { Change } from "./domain/change.ts";
import type { LedgerId, Thresholds } from "./domain/comparison.ts";
import type { Limits } from "./domain/job.ts";
import { Problem } from "./domain/problem.ts";
import type { Recipe, RecipeComparison } from "./domain/recipe.ts";
import type { Estimate, UpstreamAccess } from "./domain/report.ts";
import type { Repository } from "./git/repository.ts";
import { chooseImages, estimateOf, shapeOf } from "./choose-images.ts";
import type { Took } from "./lib/history.ts";
import { createLoadImage } from "./load-image.ts";
import type { ImageTrial } from "./trials/conduct.ts";
import { estimateTrial } from "./trials/estimate.ts";
import type { EditChoice, ImageSource } from "./trials/image-source.ts";
import { fitRepeats, type Repeats } from "./trials/fit-repeats.ts";
import { pairsOf, type ImagePair, type NotBuilt, type Selection } from "./trials/plan.ts";
import { namedProject, type PipelineContext } from "./trials/references.ts";
import type { WantedStrategy } from "./trials/strategies.ts";

/** What is asked of a trial. */
export type TrialRequest = {
  images: string[];
  /** Most images of a sample; null where only the budget says. */
  mostImages: number | null;
  /** Timed repeats of current and proposed; of each other strategy. */
  repeats: number;
  otherRepeats: number;
  edits: EditChoice[];
  /** Edits of the Dockerfile that are replayed from the history, at most; `edits` where there are none, or for 0. */
  replay: number;
  /** Strategies to try beside the change's own two. */
  strategies: WantedStrategy[];
  /** Whether upstream can be read where a contributor's pipelines are tried as well; empty where none are. */
  forks: readonly UpstreamAccess[];
  /** Time that images and repeats are chosen for; null for one image and all repeats. */
  budgetMs: number | null;
  limits: Limits;
  thresholds: Thresholds;
  /** Bytes per second between builder and registry; null for a link without a limit. */
  linkBytesPerSecond: number | null;
  /** Whether RUN steps download from one cache, or anew in each run. */
  downloads: "cache" | "direct";
  /** Images of the changed templates that the project wants left alone; null: none. */
  ignores: ((image: string, dockerfile: string) => string | null) | null;
  /** Ledger that decides, and why it is that one. */
  ledger: { id: LedgerId; why: string };
  /** `group/project` of the pipeline; null: as the templates name it. */
  projectPath: string | null;
  /** Messages of the thread whose claims are answered; the change's own is read anyway. */
  thread: ThreadText[];
  /** The command that repeats the trial, as text and as arguments. */
  command: string;
  argv: string[];
};

/** What a trial will do: images with both their sides, and where their pipeline would run. */
export type PreparedTrial = {
  selection: Selection;
  trials: ImageTrial[];
  context: PipelineContext;
  /** Timed repeats of the two sides and of each other strategy: fewer than asked for where the budget holds no more. */
  repeats: Repeats;
  estimate: Estimate;
  notes: string[];
};

/** Says why a base image cannot be had on this machine; null where it can. */
export type BaseObstacle = (base: string) => string | null;

/** What an image of this Dockerfile took in an earlier trial on this machine; null where it never was built. */
export type KnownImage = (dockerfile: string) => Took | null;

/** Chooses the images and loads what their builds need; refuses what no engine is needed to refuse. Nothing is run. */
export async function prepareTrial(
  repository: Repository,
  change: Change,
  reading: ReadingOfChange,
  request: TrialRequest,
  obstacle: BaseObstacle,
  known: KnownImage = () => null,
): Promise<PreparedTrial> {
  const all = [...reading.base.recipes, ...reading.head.recipes];
  const { context, notes } = pipelineContext(all, request.projectPath);
  const { edits, strategies, replay } = request;
  const load = createLoadImage({
    repository,
    change,
    reading,
    edits,
    context,
    strategies,
    replay,
    obstacle,
  });
  const { pairs: changed, notBuilt: unpaired } = pairsOf(reading.comparison);
  const { pairs, ignored } = withoutIgnored(changed, request.ignores);
  const notBuilt = [...withRefusals(unpaired, reading.comparison), ...ignored];
  const choice = { pairs, notBuilt, load, obstacle, request, known };
  const { chosen, left, reason } = await chooseImages(choice, reading.comparison);
  const { kept, equal } = withoutEqual(chosen.map(({ trial }) => trial));
  const refused = chosen.flatMap((loaded) => loaded.refused);
  const images = (repeats: Repeats) =>
    kept.map((trial) => ({
      estimate: estimateOf(trial, known),
      shape: shapeOf(trial, { ...request, repeats: repeats.own, otherRepeats: repeats.others }, known),
    }));
  const asked = { own: request.repeats, others: request.otherRepeats };
  const names = kept.map(({ pair }) => pair.image);
  const fitted = fitRepeats(
    asked,
    request.budgetMs,
    names,
    (repeats) => estimateTrial(images(repeats)).wallMs,
  );
  return {
    selection: {
      pairs: kept.map(({ pair }) => pair),
      notBuilt: [...left, ...equal, ...refused],
      reason,
    },
    trials: kept,
    context,
    repeats: fitted.repeats,
    estimate: estimateTrial(images(fitted.repeats)),
    notes: [
      ...notes,
      ...fitted.notes,
      ...chosen.flatMap((loaded) => loaded.notes),
      ...kept.flatMap(chainNotes),
    ],
  };
}

/** Images that would be built by the very same runs are built once. */
function withoutEqual(trials: readonly ImageTrial[]): { kept: ImageTrial[]; equal: NotBuilt[] } {
  const kept: ImageTrial[] = [];
  const equal: NotBuilt[] = [];
  for (const trial of trials) {
    const twin = kept.find((other) => runsAlike(other, trial));
    if (twin === undefined) kept.push(trial);
    else {
      const what = `${trial.pair.image} (job ${trial.pair.proposed.job})`;
      equal.push({ what, why: `its runs are those of ${twin.pair.image} (job ${twin.pair.proposed.job})` });
    }
  }
  return { kept, equal };
}

function runsAlike(a: ImageTrial, b: ImageTrial): boolean {
  const keyOf = (source: ImageSource) => {
    const { job: _job, file: _file, line: _line, ...recipe } = source.recipe;
    return JSON.stringify([recipe, source.text, source.edits.map(({ text }) => text)]);
  };
  const alike = (left: ImageSource, right: ImageSource) => keyOf(left) === keyOf(right);
  return alike(a.current, b.current) && alike(a.proposed, b.proposed);
}

/** An image that another job builds is built first, in the same registry: its bytes are charged as well. */
function chainNotes({ pair, proposed }: ImageTrial): string[] {
  return proposed.startsFrom.map(
    (source) =>
      `${pair.image} starts from the image of ${source.dockerfile} (job ${source.recipe.job}): that was built first, untimed, and is part of every total.`,
  );
}

function withoutIgnored(
  pairs: readonly ImagePair[],
  ignores: TrialRequest["ignores"],
): { pairs: ImagePair[]; ignored: NotBuilt[] } {
  const ignored: NotBuilt[] = [];
  const kept = pairs.filter((pair) => {
    const why = ignores?.(pair.image, pair.dockerfile) ?? null;
    if (why !== null) ignored.push({ what: pair.image, why });
    return why === null;
  });
  return { pairs: kept, ignored };
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

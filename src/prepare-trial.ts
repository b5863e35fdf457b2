import type { ReadingOfChange } from "./bot.ts";
import { refuseUnrunnable } from "./builders/index.ts";
import type { Change } from "./domain/change.ts";
import type { LedgerId } from "./domain/comparison.ts";
import type { Limits } from "./domain/job.ts";
import { Problem } from "./domain/problem.ts";
import type { Recipe, RecipeComparison } from "./domain/recipe.ts";
import type { Estimate } from "./domain/report.ts";
import type { Repository } from "./git/repository.ts";
import { createLoadImage, type LoadImage } from "./load-image.ts";
import type { ImageTrial } from "./trials/conduct.ts";
import {
  estimateTrial,
  guessImage,
  trialMs,
  type ImageEstimate,
  type TrialShape,
} from "./trials/estimate.ts";
import type { EditChoice, ImageSource } from "./trials/image-source.ts";
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
import { namedProject, type PipelineContext } from "./trials/references.ts";
import { sampleWithin } from "./trials/sample.ts";
import type { WantedStrategy } from "./trials/strategies.ts";
import type { Thresholds } from "./trials/verdict.ts";

/** What is asked of a trial. */
export type TrialRequest = {
  images: string[];
  /** Timed repeats of current and proposed; of each other strategy. */
  repeats: number;
  otherRepeats: number;
  edits: EditChoice[];
  /** Strategies to try beside the change's own two. */
  strategies: WantedStrategy[];
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
  /** The command that repeats the trial, as text and as arguments. */
  command: string;
  argv: string[];
};

/** What a trial will do: images with both their sides, and where their pipeline would run. */
export type PreparedTrial = {
  selection: Selection;
  trials: ImageTrial[];
  context: PipelineContext;
  estimate: Estimate;
  notes: string[];
};

/** Says why a base image cannot be had on this machine; null where it can. */
export type BaseObstacle = (base: string) => string | null;

/** What an image of this Dockerfile took in an earlier trial on this machine; null where it never was built. */
export type KnownImage = (dockerfile: string) => { coldMs: number; bytes: number } | null;

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
  const { edits, strategies } = request;
  const load = createLoadImage({ repository, change, reading, edits, context, strategies });
  const { pairs: changed, notBuilt: unpaired } = pairsOf(reading.comparison);
  const { pairs, ignored } = withoutIgnored(changed, request.ignores);
  const notBuilt = [...withRefusals(unpaired, reading.comparison), ...ignored];
  const choice = { pairs, notBuilt, load, obstacle, request, known };
  const { chosen, left, reason } = await (request.images.length > 0
    ? chooseNamed(choice, reading.comparison)
    : request.budgetMs === null
      ? chooseFirst(choice)
      : chooseSample(choice, request.budgetMs));
  const { kept, equal } = withoutEqual(chosen.map(({ trial }) => trial));
  const refused = chosen.flatMap((loaded) => loaded.refused);
  return {
    selection: {
      pairs: kept.map(({ pair }) => pair),
      notBuilt: [...left, ...equal, ...refused],
      reason,
    },
    trials: kept,
    context,
    estimate: estimateTrial(
      kept.map((trial) => ({ estimate: estimateOf(trial, known), shape: shapeOf(trial, request) })),
    ),
    notes: [...notes, ...kept.flatMap(chainNotes)],
  };
}

type Loaded = { trial: ImageTrial; refused: NotBuilt[] };
type Choice = {
  pairs: ImagePair[];
  notBuilt: NotBuilt[];
  load: LoadImage;
  obstacle: BaseObstacle;
  request: TrialRequest;
  known: KnownImage;
};
type Chosen = { chosen: Loaded[]; left: NotBuilt[]; reason: string };

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
        expectedMs: trialMs(estimate, shapeOf(loaded.trial, request)),
      };
    }),
    budgetMs,
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
      ? "The change touches no recipe."
      : sentence(`No image that the change touches can be built here. ${first}`),
    "Run `tare recipes` to see what was read, or name images with --images.",
    others.slice(0, 10),
  );
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

function estimateOf(trial: ImageTrial, known: KnownImage): ImageEstimate {
  const measured = known(trial.current.text);
  return measured === null ? guessImage(trial.current.text) : { ...measured, basis: "measured before" };
}

function shapeOf(trial: ImageTrial, request: TrialRequest): TrialShape {
  const { repeats, otherRepeats } = request;
  return { repeats, otherRepeats, others: trial.others.length, edits: trial.proposed.edits.length };
}

/** An image that another job builds is built first, in the same registry: its bytes are charged as well. */
function chainNotes({ pair, proposed }: ImageTrial): string[] {
  return proposed.startsFrom.map(
    (source) =>
      `${pair.image} starts from the image of ${source.dockerfile} (job ${source.recipe.job}): that was built first, untimed, and is part of every total.`,
  );
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

/** Base images that must come from outside: not those that another job of the templates builds. */
export function basesOf(trial: ImageTrial): string[] {
  const sources = [trial.current, trial.proposed, ...trial.others.map(({ source }) => source)];
  return [...new Set(sources.flatMap((source) => outsideBases(source)))];
}

function outsideBases(source: ImageSource): string[] {
  return [
    ...source.bases.filter((base) => !source.ownBases.includes(base)),
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

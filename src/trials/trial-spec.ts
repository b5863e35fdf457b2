import { builders } from "../builders/index.ts";
import type { PlannedRun } from "../builders/types.ts";
import type { Limits } from "../domain/job.ts";
import type { Recipe } from "../domain/recipe.ts";
import type { Scenario } from "../domain/report.ts";
import type { ConductOptions } from "./conduct.ts";
import type { ForkSpec } from "./fork.ts";
import { buildFor, filesFor, scenariosOfSource, type ImageSource } from "./image-source.ts";
import {
  expandPredefined,
  forkContext,
  forkNamespace,
  inProject,
  projectDirectoryOf,
  trialReference,
  type PipelineContext,
} from "./references.ts";
import type { Prerequisite } from "./run-build.ts";
import type { TrialSpec } from "./run-trial.ts";

/** What the runs of a trial are described by. */
export type SpecOptions = Pick<
  ConductOptions,
  "limits" | "moreMemoryBytes" | "context" | "images" | "mirrors" | "bases" | "proxy" | "network"
>;

/** One trial of an image with one strategy: jobs by names of their own, references on the trial's registry. */
export function trialSpec(
  name: string,
  source: ImageSource,
  fork: ForkSpec | null,
  options: SpecOptions,
): TrialSpec {
  const pipeline = options.context;
  return {
    name,
    builder: builders[source.recipe.builder],
    prerequisites: prerequisitesOf(`${name}-base`, source, pipeline, options),
    scenarios: scenariosOfSource(source),
    describe: (scenario, host, limits) =>
      describeRun({ name: `${name}-${slug(scenario)}`, source, scenario, pipeline }, host, limits, options),
    fork,
    limits: options.limits,
    moreMemoryBytes: options.moreMemoryBytes,
    network: options.network ?? "host",
    baseDiffIds: (scenario) => options.bases.get(buildFor(source, scenario).finalBase ?? "")?.diffIds ?? [],
  };
}

/** Pipelines of one fork. */
export const FORK_PIPELINES = 2;

/** Whether a contributor's pipelines of an image are tried: not where nothing is edited or the job is upstream's alone. */
export function runsInForks({ edits, recipe }: ImageSource): boolean {
  return edits.length > 0 && recipe.condition !== "upstream";
}

/**
 * A contributor makes the last edit, from where upstream stands before it. null where no fork is asked for, where there
 * is no edit, and where the job runs for upstream alone.
 */
export function forkSpec(
  name: string,
  source: ImageSource,
  options: SpecOptions & Pick<ConductOptions, "forks">,
): ForkSpec | null {
  const edit = scenariosOfSource(source).at(-1);
  if (options.forks.length === 0 || !runsInForks(source) || edit === undefined) return null;
  const pipeline = forkContext(options.context);
  return {
    edit,
    namespace: forkNamespace(options.context),
    upstreams: options.forks,
    prerequisites: prerequisitesOf(`${name}-fork-base`, source, pipeline, options),
    describe: (nth, upstream, host, limits) => {
      const step = { name: `${name}-fork-${nth}-${upstream}`, source, scenario: edit, pipeline };
      return describeRun(step, host, limits, options);
    },
  };
}

function prerequisitesOf(
  name: string,
  { startsFrom }: ImageSource,
  pipeline: PipelineContext,
  options: SpecOptions,
): Prerequisite[] {
  return startsFrom.map((source, index) => ({
    builder: builders[source.recipe.builder],
    describe: (host) => {
      const step: Step = { name: `${name}-${index + 1}`, source, scenario: "cold", pipeline };
      return describeRun(step, host, options.limits, options);
    },
  }));
}

/** One build of an image. `pipeline` is where its references lead; the tree lies where upstream's pipeline has it. */
type Step = { name: string; source: ImageSource; scenario: Scenario; pipeline: PipelineContext };

function describeRun(step: Step, host: string, limits: Limits, options: SpecOptions): PlannedRun {
  const { name, source, scenario, pipeline } = step;
  const recipe = withVariables(source.recipe, host, pipeline);
  const projectDirectory = projectDirectoryOf(options.context);
  const mapped = (references: string[]) => [
    ...new Set(references.map((reference) => trialReference(reference, pipeline, host, recipe))),
  ];
  const context = recipe.context === null || recipe.context.includes("://") ? null : recipe.context;
  return {
    name: limits.memoryBytes === options.limits.memoryBytes ? name : `${name}-roomy`,
    recipe,
    images: mapped(recipe.images),
    cacheFrom: mapped(recipe.cacheFrom),
    cacheTo: mapped(recipe.cacheTo),
    pulls: mapped(recipe.pulls),
    files: filesFor(source, scenario, projectDirectory),
    projectDirectory,
    dockerfile: `${projectDirectory}/${source.dockerfile}`,
    context: context === null ? null : inProject(projectDirectory, context),
    registryHost: host,
    mirrors: options.mirrors,
    proxy: options.proxy,
    image: options.images[recipe.builder] ?? "",
    limits,
  };
}

/** Build arguments may name the pipeline's registry: the image that a FROM line starts from, for instance. */
function withVariables(recipe: Recipe, host: string, context: PipelineContext): Recipe {
  const buildArgs = Object.entries(recipe.buildArgs).map(([name, value]) => [
    name,
    value === null ? null : expandPredefined(value, context, host),
  ]);
  return { ...recipe, buildArgs: Object.fromEntries(buildArgs) as Recipe["buildArgs"] };
}

export function slug(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
}

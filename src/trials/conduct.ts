import { builders } from "../builders/index.ts";
import type { BuildRun } from "../builders/types.ts";
import type { Limits } from "../domain/job.ts";
import type { ImageReport, Scenario, StrategyReport } from "../domain/report.ts";
import type { LedgerId } from "../domain/comparison.ts";
import { editReport, filesFor, type ImageSource } from "./image-source.ts";
import type { ImagePair } from "./plan.ts";
import { SCENARIOS } from "./plan.ts";
import { trialReference, type PipelineContext } from "./references.ts";
import { runTrial, type TrialDoors, type TrialRecord, type TrialSpec } from "./run-trial.ts";
import { repeatDifferences, summarizeRuns } from "./summarize.ts";
import { judgeImage, THRESHOLDS } from "./verdict.ts";

/** Both sides of one image, ready to be tried in turn. */
export type ImageTrial = { pair: ImagePair; current: ImageSource; proposed: ImageSource };

export type ConductOptions = {
  repeats: number;
  limits: Limits;
  moreMemoryBytes: number | null;
  context: PipelineContext;
  ledger: LedgerId;
  link: string;
  /** Container images of the builders on the engine. */
  images: { docker: string; kaniko: string };
  baseHost: string | null;
  /** By the name that a Dockerfile uses. */
  bases: ReadonlyMap<string, { digest: string | null; diffIds: string[] }>;
  /** Makes names of jobs unique on the engine. */
  runId: string;
};

export type ConductDoors = Omit<TrialDoors, "onRun"> & { onProgress(progress: Progress): void };

/** One run about to start: how many of at most `total` are behind it. */
export type Progress = { done: number; total: number; label: string };

type Side = { role: "current" | "proposed"; source: ImageSource; records: TrialRecord[] };

/** Tries one image: current and proposed in turn (A B A B), each repeat in a new registry. */
export async function conductImage(
  trial: ImageTrial,
  options: ConductOptions,
  doors: ConductDoors,
  signal: AbortSignal,
): Promise<{ image: ImageReport; notes: string[] }> {
  const sides: Side[] = [
    { role: "current", source: trial.current, records: [] },
    { role: "proposed", source: trial.proposed, records: [] },
  ];
  const total = sides.length * options.repeats * SCENARIOS.length;
  let done = 0;
  for (let repeat = 1; repeat <= options.repeats; repeat++) {
    for (const side of sides) {
      const label = `${trial.pair.image} ${side.source.recipe.strategy} (${side.role})`;
      // A trial that was killed or failed is not repeated: it would end the same way.
      if (side.records.some((record) => hasFailed(record))) continue;
      const runDoors: TrialDoors = {
        ...doors,
        onRun: (scenario, timed) => {
          doors.onProgress({
            done,
            total,
            label: `${label}, ${scenario}${timed ? "" : ", more memory"}, repeat ${repeat}`,
          });
          done += timed ? 1 : 0;
        },
      };
      const spec = specOf(side, trial.pair.image, repeat, options);
      side.records.push(await runTrial(spec, runDoors, signal));
    }
  }
  return reportImage(trial, sides, options);
}

function hasFailed(record: TrialRecord): boolean {
  return record.runs.some((run) => run.result.outcome !== "succeeded");
}

function specOf(side: Side, image: string, repeat: number, options: ConductOptions): TrialSpec {
  const { source, role } = side;
  const { recipe } = source;
  const base = source.finalBase === null ? undefined : options.bases.get(source.finalBase);
  const name = `${options.runId}-${slug(image)}-${role}-${repeat}`;
  return {
    name,
    builder: builders[recipe.builder],
    scenarios: [...SCENARIOS],
    describe: (scenario, host, limits) =>
      describeRun(`${name}-${slug(scenario)}`, source, scenario, host, limits, options),
    limits: options.limits,
    moreMemoryBytes: options.moreMemoryBytes,
    baseDiffIds: base?.diffIds ?? [],
  };
}

function describeRun(
  name: string,
  source: ImageSource,
  scenario: Scenario,
  host: string,
  limits: Limits,
  options: ConductOptions,
): BuildRun {
  const { recipe } = source;
  const projectDirectory = `/builds/${options.context.projectPath}`;
  const mapped = (references: string[]) => [
    ...new Set(references.map((reference) => trialReference(reference, options.context, host, recipe))),
  ];
  const context = recipe.context === null || recipe.context.includes("://") ? null : recipe.context;
  return {
    name: limits.memoryBytes === options.limits.memoryBytes ? name : `${name}-roomy`,
    recipe,
    images: mapped(recipe.images),
    cacheFrom: mapped(recipe.cacheFrom),
    cacheTo: mapped(recipe.cacheTo),
    files: filesFor(source, scenario, projectDirectory),
    projectDirectory,
    dockerfile: `${projectDirectory}/${source.dockerfile}`,
    context: context === null ? null : context === "." ? projectDirectory : `${projectDirectory}/${context}`,
    registryHost: host,
    baseHost: options.baseHost,
    image: options.images[recipe.builder],
    limits,
  };
}

function slug(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
}

function reportImage(
  trial: ImageTrial,
  sides: readonly Side[],
  options: ConductOptions,
): { image: ImageReport; notes: string[] } {
  const strategies = sides.map((side): StrategyReport => {
    const { recipe } = side.source;
    return {
      strategy: recipe.strategy,
      role: side.role,
      job: recipe.job,
      recipe,
      droppedFlags: side.records[0]?.dropped ?? [],
      privileges: builders[recipe.builder].privileges,
      runs: summarizeRuns(SCENARIOS, side.records),
    };
  });
  const { verdict, figures } = judgeImage(strategies, options.ledger, THRESHOLDS, options.link);
  const names = [...new Set([...trial.current.bases, ...trial.proposed.bases])];
  const image: ImageReport = {
    image: trial.pair.image,
    dockerfile: trial.pair.dockerfile,
    bases: names.map((name) => ({ name, digest: options.bases.get(name)?.digest ?? null, from: name })),
    edit: editReport(trial.proposed),
    strategies,
    verdict,
    figures,
  };
  const notes = sides.flatMap((side) =>
    repeatDifferences(`${trial.pair.image}, ${side.source.recipe.strategy}`, SCENARIOS, side.records),
  );
  return { image, notes };
}

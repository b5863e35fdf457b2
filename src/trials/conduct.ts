import { builders } from "../builders/index.ts";
import type { JobNetwork, Limits } from "../domain/job.ts";
import type { Mirror } from "../domain/mirror.ts";
import type { BuilderId } from "../domain/recipe.ts";
import type { CleanupOutcome } from "../domain/registry.ts";
import type { ImageReport, StrategyReport, UpstreamAccess } from "../domain/report.ts";
import { labelOf, type LedgerId, type Thresholds } from "../domain/comparison.ts";
import { allBases, editReports, scenariosOfSource, type ImageSource } from "./image-source.ts";
import type { ImagePair } from "./plan.ts";
import type { PipelineContext } from "./references.ts";
import { simulateCleanup } from "./simulate-cleanup.ts";
import { runTrial, type TrialDoors, type TrialRecord } from "./run-trial.ts";
import { repeatDifferences, summarizeRuns } from "./summarize.ts";
import { summarizeForks } from "./summarize-forks.ts";
import { FORK_PIPELINES, forkSpec, runsInForks, slug, trialSpec } from "./trial-spec.ts";
import { judgeImage } from "./verdict.ts";

/** A strategy that the change does not name, tried to compare. */
export type Alternative = { variant: string | null; source: ImageSource };

/** Both sides of one image and what else is tried with it, ready to be tried in turn. */
export type ImageTrial = {
  pair: ImagePair;
  current: ImageSource;
  proposed: ImageSource;
  others: Alternative[];
  /** The same with synthetic edits, where these are real ones: an old Dockerfile may not build any more. */
  synthetic: (() => Promise<ImageTrial>) | null;
};

export type ConductOptions = {
  /** Timed repeats of current and proposed, and of each other strategy. */
  repeats: number;
  otherRepeats: number;
  limits: Limits;
  moreMemoryBytes: number | null;
  context: PipelineContext;
  ledger: LedgerId;
  thresholds: Thresholds;
  link: string;
  /** Container images of the builders on the engine, those that are used. */
  images: Partial<Record<BuilderId, string>>;
  /** Where base images are pulled from instead of their own registries. */
  mirrors: readonly Mirror[];
  /** By the name that a Dockerfile uses. */
  bases: ReadonlyMap<string, { digest: string | null; diffIds: string[] }>;
  /** Whether upstream can be read where a contributor's pipelines are tried as well; empty where none are. */
  forks: readonly UpstreamAccess[];
  /** Address of the proxy that RUN steps download through; null where they download by themselves. */
  proxy: string | null;
  /** Where the jobs run: `gated` where the change is not trusted; `host` if left out. */
  network?: JobNetwork;
  /** Makes names of jobs unique on the engine. */
  runId: string;
};

export type ConductDoors = Omit<TrialDoors, "onRun"> & {
  onProgress(progress: Progress): void;
  /** Whether the time budget allows one more trial that is expected to take this long; the first of a side is always run. */
  hasTimeFor(expectedMs: number): boolean;
};

/** One run about to start: how many of at most `total` are behind it. */
export type Progress = { done: number; total: number; label: string };

type Side = {
  role: StrategyReport["role"];
  variant: string | null;
  source: ImageSource;
  repeats: number;
  records: TrialRecord[];
};

/** Tries one image: current and proposed in turn (A B A B), then each other strategy; each repeat in a new registry. */
export async function conductImage(
  trial: ImageTrial,
  options: ConductOptions,
  doors: ConductDoors,
  signal: AbortSignal,
): Promise<{ image: ImageReport; notes: string[]; machineMs: number }> {
  const { repeats, otherRepeats } = options;
  const sides: Side[] = [
    { role: "current", variant: null, source: trial.current, repeats, records: [] },
    { role: "proposed", variant: null, source: trial.proposed, repeats, records: [] },
    ...trial.others.map(({ variant, source }): Side => ({
      role: "other",
      variant,
      source,
      repeats: otherRepeats,
      records: [],
    })),
  ];
  const conducting: Conducting = { image: trial.pair.image, options, doors, signal, done: 0, total: 0 };
  conducting.total = runsOf(sides, options);
  const notes = await inTurn(sides.slice(0, 2), conducting);
  const rescues = sides.slice(0, 2).flatMap((side) => rescueOf(side, sides));
  conducting.total += runsOf(rescues, options);
  const others = [...sides.slice(2), ...rescues];
  notes.push(...(await inTurn(others, conducting)));
  return reportImage(trial, [...sides.slice(0, 2), ...others], options, notes);
}

type Conducting = {
  image: string;
  options: ConductOptions;
  doors: ConductDoors;
  signal: AbortSignal;
  done: number;
  total: number;
};

/** Runs the given sides in turn until each has its repeats, or until the budget ends. Returns what was left out. */
async function inTurn(sides: readonly Side[], conducting: Conducting): Promise<string[]> {
  const notes: string[] = [];
  const most = Math.max(0, ...sides.map((side) => side.repeats));
  for (let repeat = 1; repeat <= most; repeat++) {
    const due = sides.filter((side) => repeat <= side.repeats && !side.records.some(hasFailed));
    const expectedMs = due.reduce((sum, side) => sum + meanMs(side.records), 0);
    if (repeat > 1 && due.length > 0 && !conducting.doors.hasTimeFor(expectedMs)) {
      notes.push(`${conducting.image}: the time budget ended after ${repeat - 1} of ${most} repeats.`);
      break;
    }
    for (const side of due) await tryOnce(side, repeat, conducting);
  }
  return notes;
}

function meanMs(records: readonly TrialRecord[]): number {
  return records.reduce((sum, record) => sum + record.machineMs, 0) / Math.max(1, records.length);
}

async function tryOnce(side: Side, repeat: number, conducting: Conducting): Promise<void> {
  const { image, options, doors, signal } = conducting;
  const label = `${image} ${nameOf(side)} (${side.role})`;
  const runDoors: TrialDoors = {
    ...doors,
    onRun: (what, why) => {
      const remark = why === "timed" ? "" : `, ${why}`;
      doors.onProgress({
        done: conducting.done,
        total: conducting.total,
        label: `${label}, ${what}${remark}, repeat ${repeat}`,
      });
      conducting.done += why === "timed" ? 1 : 0;
    },
  };
  const what = side.role === "other" ? slug(nameOf(side)) : side.role;
  const name = `${options.runId}-${slug(image)}-${what}-${repeat}`;
  // What a fork stores and is refused is the same each time.
  const fork = repeat === 1 ? forkSpec(name, side.source, options) : null;
  const spec = trialSpec(name, side.source, fork, options);
  side.records.push(await runTrial(spec, runDoors, signal));
}

/** Runs of these sides at most; pipelines of forks come with a side's first repeat. */
function runsOf(sides: readonly Side[], { forks }: ConductOptions): number {
  return sides.reduce((sum, { source, repeats }) => {
    const pipelines = runsInForks(source) ? FORK_PIPELINES * forks.length : 0;
    return sum + repeats * scenariosOfSource(source).length + pipelines;
  }, 0);
}

function nameOf(side: Side): string {
  return labelOf({ strategy: side.source.recipe.strategy, variant: side.variant });
}

/** A trial that was killed or failed is not repeated: it would end the same way. */
function hasFailed(record: TrialRecord): boolean {
  return record.runs.some((run) => run.result.outcome !== "succeeded");
}

const SMALLER_MEMORY = "--compressed-caching=false";

/** kaniko keeps compressed layers in memory unless told otherwise: where that is what kills it, it is tried without. */
function rescueOf(side: Side, sides: readonly Side[]): Side[] {
  const { recipe } = side.source;
  const killed = side.records.some((record) =>
    record.runs.some((run) => run.timed && run.result.outcome === "out-of-memory"),
  );
  const told = recipe.flags.some((flag) => flag.startsWith("--compressed-caching"));
  const asked = sides.some((other) => other.role === "other" && other.variant === "uncompressed");
  if (recipe.builder !== "kaniko" || !killed || told || asked) return [];
  const source = { ...side.source, recipe: { ...recipe, flags: [...recipe.flags, SMALLER_MEMORY] } };
  return [{ role: "other", variant: "uncompressed", source, repeats: 1, records: [] }];
}

/** What a cleanup leaves of what the first repeat stored; nothing where no run left anything. */
function cleanupOf(record: TrialRecord | undefined): CleanupOutcome[] {
  if (!record?.last) return [];
  const left = record.runs.filter(({ result }) => result.outcome === "succeeded");
  const warm = left.find(({ scenario }) => scenario === "warm");
  const uses = left.map(({ traffic }) => traffic);
  return simulateCleanup(record.last, uses, warm?.traffic ?? null);
}

function reportImage(
  trial: ImageTrial,
  sides: readonly Side[],
  options: ConductOptions,
  notes: string[],
): { image: ImageReport; notes: string[]; machineMs: number } {
  const strategies = sides.map((side): StrategyReport => {
    const { recipe } = side.source;
    return {
      strategy: recipe.strategy,
      variant: side.variant,
      role: side.role,
      job: recipe.job,
      recipe,
      droppedFlags: side.records[0]?.dropped ?? [],
      privileges: builders[recipe.builder].privileges,
      needs: builders[recipe.builder].needs,
      runs: summarizeRuns(scenariosOfSource(side.source), side.records),
      forks: summarizeForks(side.records[0]?.forks ?? []),
      cleanup: cleanupOf(side.records[0]),
    };
  });
  const { verdict, figures } = judgeImage(strategies, options.ledger, options.thresholds, options.link);
  const sources = [trial.current, trial.proposed];
  const names = [...new Set(sources.flatMap((source) => allBases(source)))];
  const image: ImageReport = {
    image: trial.pair.image,
    dockerfile: trial.pair.dockerfile,
    bases: names.map((name) => ({ name, digest: options.bases.get(name)?.digest ?? null, from: name })),
    edits: editReports(trial.proposed),
    strategies,
    verdict,
    figures,
  };
  const differences = sides.flatMap((side) =>
    repeatDifferences(`${trial.pair.image}, ${nameOf(side)}`, scenariosOfSource(side.source), side.records),
  );
  const machineMs = sides.reduce(
    (sum, side) => sum + side.records.reduce((spent, record) => spent + record.machineMs, 0),
    0,
  );
  const remarks = sides.flatMap((side) =>
    side.records.flatMap((record) =>
      record.remarks.map((remark) => `${trial.pair.image}, ${nameOf(side)}, ${remark}`),
    ),
  );
  return { image, notes: [...new Set([...notes, ...remarks, ...differences])], machineMs };
}

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Job, JobResult, ServiceSpec } from "../src/domain/job.ts";
import { UNLIMITED_LOOPBACK } from "../src/domain/report.ts";
import { createEngineExecutor } from "../src/executors/engine.ts";
import { cacheDirectory } from "../src/lib/cache-directory.ts";
import { createDownloadCache, type DownloadCache } from "../src/network/download-cache.ts";
import { startRegistry, type TrialRegistry } from "../src/registry/trial-registry.ts";
import { conductImage, type ConductDoors, type ConductOptions } from "../src/trials/conduct.ts";
import type { LiveTestbed } from "../test/live/live-testbed.ts";
import type { ExampleStrategies } from "./example-strategies.ts";
import type { DoneRuns } from "./shell-plan.ts";
import { timedEngine, type Asked } from "./timed-engine.ts";

/** Milliseconds by what they were spent on; together the wall time. */
export type Phases = Record<string, number>;

export type ByTare = { wallMs: number; phases: Phases; done: DoneRuns; storedBytes: number[] };

export type Matrix = AsyncDisposable & {
  /** One trial of one strategy, as `tare trial` conducts it, without set-up, base images and the report. */
  runByTare(strategy: string): Promise<ByTare>;
};

export async function openMatrix(live: LiveTestbed, example: ExampleStrategies): Promise<Matrix> {
  const downloads = await createDownloadCache({ directory: join(cacheDirectory(process.env), "downloads") });
  return {
    runByTare: (strategy) => runByTare(live, example, downloads, strategy),
    [Symbol.asyncDispose]: () => downloads.close(),
  };
}

async function runByTare(
  live: LiveTestbed,
  example: ExampleStrategies,
  downloads: DownloadCache,
  strategy: string,
): Promise<ByTare> {
  const phases: Phases = {};
  const spend: Spend = (name, ms) => (phases[name] = (phases[name] ?? 0) + ms);
  const done: Partial<DoneRuns> & Pick<DoneRuns, "jobs"> = { jobs: [] };
  const doors: ConductDoors = {
    run: timedRun(live, done.jobs, spend),
    startRegistry: timedRegistry(live, done, spend),
    onProgress: () => {},
    hasTimeFor: () => true,
    missedDownloads: () => downloads.take().missed > 0,
    monotonicMs: () => performance.now(),
  };
  const startMs = performance.now();
  const { image } = await conductImage(
    example.trialOf(strategy),
    conductOptions(live, example, downloads.address),
    doors,
    new AbortController().signal,
  );
  const wallMs = performance.now() - startMs;
  spend("rest", wallMs - Object.values(phases).reduce((sum, ms) => sum + ms, 0));
  const runs = image.strategies.at(-1)?.runs ?? [];
  for (const { scenario, outcome, failure } of runs)
    if (outcome !== "succeeded") throw new Error(`${strategy}, ${scenario}: ${failure?.join("\n")}`);
  const storedBytes = runs.map((run) => Number(run.ledgers?.stored));
  const { registry, host, jobs } = done;
  if (registry === undefined || host === undefined) throw new Error(`${strategy} had no registry`);
  return { wallMs, phases, done: { registry, host, jobs }, storedBytes };
}

type Spend = (name: string, ms: number) => void;

/** Repeats of the change's own two are none: the strategy is tried alone, as one beside them. */
function conductOptions(live: LiveTestbed, example: ExampleStrategies, proxy: string): ConductOptions {
  const { prepared, request } = example;
  const { tools } = live.testbed;
  const { name, servedDigest, diffIds } = live.base;
  return {
    repeats: 0,
    otherRepeats: 1,
    limits: request.limits,
    moreMemoryBytes: null,
    context: prepared.context,
    ledger: request.ledger.id,
    thresholds: request.thresholds,
    link: UNLIMITED_LOOPBACK,
    images: Object.fromEntries(
      Object.entries(tools.builders).map(([builder, tool]) => [builder, tool.image]),
    ),
    mirrors: live.mirrors,
    bases: new Map([[name, { digest: servedDigest, diffIds }]]),
    forks: [],
    proxy,
    runId: `bench-${randomBytes(3).toString("hex")}`,
  };
}

function timedRun(live: LiveTestbed, jobs: Job[], spend: Spend): ConductDoors["run"] {
  const asked: Asked[] = [];
  const executor = createEngineExecutor(
    timedEngine(live.testbed.engine, asked),
    process.env["TARE_PRIVILEGES"],
  );
  return async (job, signal) => {
    asked.length = 0;
    jobs.push(job);
    const startMs = performance.now();
    const result = await executor.run(job, signal);
    spendRun(job, result, asked, performance.now() - startMs, spend);
    return result;
  };
}

/** Parts of one run. What they leave of the whole is Tare's watching: memory, state and log of the container. */
function spendRun(job: Job, result: JobResult, asked: readonly Asked[], wholeMs: number, spend: Spend): void {
  const ms = (what: string) =>
    asked.filter((each) => each.what === what).reduce((sum, each) => sum + each.endMs - each.startMs, 0);
  const builtMs = result.commands.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  const first = JSON.stringify(job.commands[0]?.argv);
  const begun = asked.find(({ what, options }) => what === "exec" && wordsOf(options) === first);
  const started = asked.find(({ what }) => what === "start");
  const readyMs = begun === undefined || started === undefined ? 0 : begun.startMs - started.endMs;
  const parts: Phases = {
    create: ms("createContainer"),
    files: ms("putArchive"),
    "start, build and push": ms("start") + builtMs,
    "daemon ready": readyMs,
    remove: ms("remove"),
    "kill events": ms("getEvents"),
  };
  for (const [name, part] of Object.entries(parts)) spend(name, part);
  spend("state, memory, log", wholeMs - Object.values(parts).reduce((sum, part) => sum + part, 0));
}

function wordsOf(options: unknown): string {
  return JSON.stringify((options as { Cmd?: string[] }).Cmd);
}

function timedRegistry(
  live: LiveTestbed,
  done: Partial<DoneRuns>,
  spend: Spend,
): ConductDoors["startRegistry"] {
  const { executor, tools } = live.testbed;
  return async (name) => {
    const spent = async <T>(what: string, task: () => Promise<T>): Promise<T> => {
      const startMs = performance.now();
      const value = await task();
      spend(what, performance.now() - startMs);
      return value;
    };
    const startService = (spec: ServiceSpec) => {
      done.registry = spec;
      return executor.service(spec);
    };
    const registry = await spent("registry start", () =>
      startRegistry({ name, image: tools.registry.image, volume: null, startService }),
    );
    done.host = registry.host;
    return timedTrialRegistry(registry, spent);
  };
}

function timedTrialRegistry(
  registry: TrialRegistry,
  spent: <T>(what: string, task: () => Promise<T>) => Promise<T>,
): TrialRegistry {
  return {
    ...registry,
    snapshot: () => spent("snapshot", () => registry.snapshot()),
    traffic: () => spent("traffic", () => registry.traffic()),
    mark: () => spent("mark", () => registry.mark()),
    rollBack: () => spent("roll-back", () => registry.rollBack()),
    remove: () => spent("registry removal", () => registry.remove()),
  };
}

import type Docker from "dockerode";
import { Problem } from "../domain/problem.ts";
import type { Job, JobResult, Outcome, Service, ServiceSpec } from "../domain/job.ts";
import { freeBytes } from "../lib/disk.ts";
import { isRunning, ownIdentity } from "../lib/process-identity.ts";
import { archiveOf } from "./archive.ts";
import { createFromImage } from "./create-container.ts";
import { lastingParent, listParents, removeParent } from "./cgroup.ts";
import { encloseJob, type Enclosure, type GateOptions } from "./enclosure.ts";
import type { Engine } from "./engine-connection.ts";
import { createGateCheck, type HeldJob } from "./gate-check.ts";
import { hostConfig } from "./host-config.ts";
import { sweepDisks } from "./job-disk.ts";
import { killAll } from "./kill-all.ts";
import { watchMemory, type MemoryWatch } from "./memory-watch.ts";
import { daemonPrivileges, type DaemonPrivileges } from "./privileges.ts";
import { refuseLimits } from "./refuse-limits.ts";
import { runCommands, runMain } from "./run-container.ts";
import { startService } from "./service.ts";

/** Label of every container that Tare makes; its value names the process that owns it. */
export const OWNER_LABEL = "dev.tare.owner";

export type EngineExecutor = {
  run(job: Job, signal: AbortSignal): Promise<JobResult>;
  service(spec: ServiceSpec): Promise<Service>;
  /** What is missing here to hold jobs of others, in words; none where nothing is. */
  missingForGate(): Promise<string[]>;
  /** Problem gate-impossible where jobs that ask for this would be refused, before there are any. */
  refuseUnheld(jobs: readonly HeldJob[]): Promise<void>;
  /** Removes what processes that are gone have left: containers, their volumes and cgroups. Returns how many. */
  sweep(): Promise<number>;
};

/** Runs jobs as containers of an engine, each with its own limits, storage and cgroup. */
export function createEngineExecutor(
  engine: Engine,
  privilegeSetting?: string,
  gate: GateOptions | null = null,
): EngineExecutor {
  const owner = ownIdentity();
  const labels = { [OWNER_LABEL]: owner };
  const context = { owner, labels, privileges: daemonPrivileges(privilegeSetting), gate };
  const check = createGateCheck(engine, gate, (job, signal) => runJob(engine, job, context, signal));
  return {
    async run(job, signal) {
      signal.throwIfAborted();
      if (job.network === "gated") await check.refuse([job]);
      return runJob(engine, job, context, signal);
    },
    service: (spec) => startService(engine.docker, spec, labels),
    missingForGate: () => check.missing(),
    refuseUnheld: (jobs) => check.refuse(jobs),
    sweep: () => sweep(engine),
  };
}

type RunContext = {
  owner: string;
  labels: Record<string, string>;
  privileges: DaemonPrivileges;
  gate: GateOptions | null;
};

/** A job in its network and on its disk, which go with it. */
async function runJob(
  engine: Engine,
  job: Job,
  context: RunContext,
  signal: AbortSignal,
): Promise<JobResult> {
  signal.throwIfAborted();
  refuseLimits(job.limits, engine.facts);
  const enclosure = await encloseJob(engine, job, context);
  try {
    return await runEnclosed(engine, job, context, enclosure, signal);
  } finally {
    await enclosure.remove();
  }
}

async function runEnclosed(
  engine: Engine,
  job: Job,
  context: RunContext,
  enclosure: Enclosure,
  signal: AbortSignal,
): Promise<JobResult> {
  const parent = lastingParent(job.name, engine.facts);
  const container = await createContainer(engine, job, parent, context, enclosure);
  // One signal for all reasons to stop: the caller's, and the job's own time limit.
  const deadline = AbortSignal.timeout(job.limits.durationMs);
  const stop = AbortSignal.any([signal, deadline]);
  const kill = () => void killAll(container, parent, engine.facts.local);
  stop.addEventListener("abort", kill, { once: true });
  let memory: MemoryWatch | null = null;
  try {
    await enclosure.take(container);
    if (job.files.length > 0) await container.putArchive(await archiveOf(job.files), { path: "/" });
    memory = await watchMemory(engine, container, parent);
    const result =
      job.commands.length === 0
        ? await runMain(container, job, memory, stop)
        : await runCommands(container, job, memory, stop);
    const reading = await memory.finish();
    if (result.failed) await refuseFullDisk(engine);
    const outcome = outcomeOf(result.failed, reading.kills, {
      canceled: signal.aborted,
      late: deadline.aborted,
    });
    const { commands, log, clock } = result;
    return {
      outcome,
      commands,
      log,
      clock,
      memoryPeakBytes: reading.peakBytes,
      anonymousPeakBytes: reading.anonymousBytes,
      memoryKills: reading.kills,
    };
  } catch (error) {
    if (!(error instanceof Problem)) await refuseFullDisk(engine);
    throw error;
  } finally {
    stop.removeEventListener("abort", kill);
    memory?.stop();
    await container.remove({ force: true, v: true }).catch(() => {});
    if (parent !== null) removeParent(parent);
  }
}

/** An engine with less room than this fails in ways that look like the build's own. */
const FULL_DISK_BYTES = 64 * 1024 ** 2;

/** What failed for want of room is the operator's to mend, not the change's fault. */
async function refuseFullDisk(engine: Engine): Promise<void> {
  const { local, rootDirectory } = engine.facts;
  if (!local || rootDirectory === null) return;
  const free = await freeBytes(rootDirectory).catch(() => null);
  if (free === null || free >= FULL_DISK_BYTES) return;
  throw new Problem(
    "disk-full",
    `The disk of the container engine is full: ${free} B are free at ${rootDirectory}.`,
    "Make room there, or set TARE_CACHE to a directory on a larger disk, and run it again.",
  );
}

function outcomeOf(
  failed: boolean,
  kills: number | "unknown",
  ended: { canceled: boolean; late: boolean },
): Outcome {
  if (ended.canceled) return "canceled";
  if (kills !== "unknown" && kills > 0) return "out-of-memory";
  if (ended.late) return "timed-out";
  return failed ? "failed" : "succeeded";
}

function createContainer(
  engine: Engine,
  job: Job,
  parent: string | null,
  context: RunContext,
  { network, storage }: Enclosure,
): Promise<Docker.Container> {
  const [program, ...rest] = job.main;
  return createFromImage(engine.docker, {
    name: `tare-${job.name}`,
    Image: job.image,
    Entrypoint: program === undefined ? [] : [program],
    Cmd: rest,
    Env: Object.entries(job.environment).map(([name, value]) => `${name}=${value}`),
    WorkingDir: job.workingDirectory,
    Labels: context.labels,
    ...(storage.Volumes === undefined ? {} : { Volumes: storage.Volumes }),
    HostConfig: hostConfig(job, parent, context.privileges, engine.facts, {
      network,
      mounts: storage.Mounts,
    }),
  });
}

async function sweep({ docker, facts }: Engine): Promise<number> {
  // Before the containers: each was there before its cgroup, so that one which starts meanwhile is not taken for left.
  const parents = listParents();
  const containers = await docker.listContainers({ all: true, filters: { label: [OWNER_LABEL] } });
  const left = containers.filter((container) => !isRunning(container.Labels[OWNER_LABEL] ?? ""));
  for (const container of left) await docker.getContainer(container.Id).remove({ force: true, v: true });
  const used = new Set(
    containers.filter((container) => !left.includes(container)).flatMap((container) => container.Names),
  );
  for (const name of parents) if (!used.has(`/tare-${name}`)) removeParent(`/tare/${name}`);
  if (facts.local && facts.rootDirectory !== null) await sweepDisks(facts.rootDirectory);
  return left.length;
}

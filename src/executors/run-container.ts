import type Docker from "dockerode";
import type { Job, JobResult } from "../domain/job.ts";
import { Outage } from "../domain/problem.ts";
import { errorText } from "../lib/error-text.ts";
import { exec } from "./exec.ts";
import { followLog } from "./follow-log.ts";
import { collectLines, parseNanoseconds, readTimestamped } from "./log-lines.ts";
import type { MemoryWatch } from "./memory-watch.ts";

const READY_LIMIT_MS = 60_000;

/** What a container did, before it is known why it ended. */
export type Ran = { failed: boolean; commands: JobResult["commands"]; log: JobResult["log"]; clock: string };

/** The main process is the command: the engine's clock times it from start to end. */
export async function runMain(
  container: Docker.Container,
  job: Job,
  memory: MemoryWatch,
  stop: AbortSignal,
): Promise<Ran> {
  await start(container, stop);
  await memory.started();
  const startedMs = parseNanoseconds((await container.inspect()).State.StartedAt);
  const log = await followLog(container, startedMs, job.limits.logBytes, container.wait());
  const { State } = await container.inspect();
  // The engine may write down the end of a process of a millisecond before its start.
  const endMs = Math.max(0, parseNanoseconds(State.FinishedAt) - startedMs);
  return {
    failed: State.ExitCode !== 0,
    commands: [{ phase: "build and push", startMs: 0, endMs, exitCode: State.ExitCode }],
    log,
    clock: "the engine's, from the start of the process to its end",
  };
}

/** Commands are run in a container whose main process is a daemon: Tare's own clock times each. */
export async function runCommands(
  container: Docker.Container,
  job: Job,
  memory: MemoryWatch,
  stop: AbortSignal,
): Promise<Ran> {
  await start(container, stop);
  await memory.started();
  if (job.ready !== null) await untilReady(container, job.ready, stop);
  const originMs = performance.now();
  const lines = collectLines(job.limits.logBytes);
  const commands: Ran["commands"] = [];
  for (const command of job.commands) {
    if (stop.aborted) break;
    const startMs = performance.now() - originMs;
    const exitCode = await exec(container, command.argv, command.workingDirectory, (stream, chunk) =>
      lines.write(stream, chunk, performance.now() - originMs),
    );
    // A last line without an end is not glued to the next command's first.
    lines.end(performance.now() - originMs);
    commands.push({ phase: command.phase, startMs, endMs: performance.now() - originMs, exitCode });
    if (exitCode !== 0 && !command.mayFail) break;
  }
  const failed =
    commands.length < job.commands.length ||
    job.commands.some((command, index) => !command.mayFail && commands[index]?.exitCode !== 0);
  const log = lines.end(performance.now() - originMs);
  return {
    failed,
    commands,
    log,
    clock: "Tare's own, from the start of the command to the end of its output",
  };
}

async function start(container: Docker.Container, stop: AbortSignal): Promise<void> {
  try {
    await container.start();
    // A kill that came before the start had nothing to end.
    if (stop.aborted) await container.kill().catch(() => {});
  } catch (error) {
    throw new Outage(
      `The engine could not start a container: ${errorText(error)}`,
      "Run `tare doctor`: it tells what this engine may do.",
      { cause: error },
    );
  }
}

async function untilReady(container: Docker.Container, argv: string[], stop: AbortSignal): Promise<void> {
  const deadline = performance.now() + READY_LIMIT_MS;
  while (performance.now() < deadline && !stop.aborted) {
    const { State } = await container.inspect();
    if (!State.Running) break;
    if ((await exec(container, argv, "/", () => {})) === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (stop.aborted) return;
  const log = await container.logs({ stdout: true, stderr: true, tail: 8, follow: false, timestamps: true });
  throw new Outage(
    `The daemon of the job did not answer: ${readTimestamped(log, 0)
      .map((entry) => entry.line)
      .join(" / ")}`,
    "Run `tare doctor`: it tells what this engine may do.",
  );
}

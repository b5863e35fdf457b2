import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type Docker from "dockerode";
import { codeOf } from "../lib/error-text.ts";
import { processCgroupOf, processDirectory, processesOf } from "./cgroup.ts";

/** How long the engine is waited for before the kernel is asked itself. */
const ENGINE_MS = 1_500;
const LIMIT_MS = 5_000;

/**
 * Kills a container with everything in it: the first process of a container takes all others along. Where the engine is
 * late, busy with the job's own noise for instance, the cgroup is killed. `parent` is a cgroup that is known already.
 */
export async function killAll(
  container: Docker.Container,
  parent: string | null,
  local: boolean,
): Promise<void> {
  const begun = performance.now();
  const asked = container.kill().catch(() => {});
  const directory = parent === null ? await cgroupOf(container, local) : processDirectory(parent);
  await Promise.race([asked, pause(ENGINE_MS)]);
  if (directory === null) return;
  while (performance.now() - begun < LIMIT_MS) {
    const left = processesOf(directory);
    if (left.length === 0) return;
    if (performance.now() - begun > ENGINE_MS) await killGroup(directory, left);
    await pause(50);
  }
}

/** null where it is gone already, or where this machine does not have it. */
async function cgroupOf(container: Docker.Container, local: boolean): Promise<string | null> {
  if (!local) return null;
  const pid = await container.inspect().then(
    ({ State }) => State.Pid,
    () => 0,
  );
  return pid > 0 ? processCgroupOf(pid) : null;
}

/** Version 2 kills a group as one; version 1 one by one, until no more are born. */
async function killGroup(directory: string, processes: readonly number[]): Promise<void> {
  try {
    await writeFile(join(directory, "cgroup.kill"), "1", { flag: "r+" });
  } catch {
    for (const pid of processes) killOne(pid);
  }
}

function killOne(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (codeOf(error) !== "ESRCH") throw error;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

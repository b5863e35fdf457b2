import { readFileSync } from "node:fs";

/**
 * Process id that the first line of a file names, where that process was started with this argument; null where it was not,
 * or does not run: a number that another program got since is not it.
 */
export function daemonPid(pidFile: string, argument: string): number | null {
  try {
    const pid = Number(readFileSync(pidFile, "utf8").split("\n", 1)[0]);
    const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return argv.includes(argument) ? pid : null;
  } catch {
    return null;
  }
}

/** Sends a signal to the process that `find` names, and waits until it names none, at most so long. */
export async function endDaemon(
  find: () => number | null,
  signal: NodeJS.Signals,
  limitMs: number,
): Promise<void> {
  const pid = find();
  if (pid === null) return;
  process.kill(pid, signal);
  const deadline = performance.now() + limitMs;
  while (find() !== null && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 50));
}

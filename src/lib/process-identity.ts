import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** Start time of a process in clock ticks since boot, as /proc tells; null where there is no such process. */
function startTicks(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name may hold spaces and brackets: the fields start behind the last bracket.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

/** Names this process in a way that no later process repeats: host, process id, start time. */
export function ownIdentity(): string {
  return `${hostname()}/${process.pid}/${startTicks(process.pid) ?? "0"}`;
}

/** True where the process that `ownIdentity` named is still running. Another host's process counts as running. */
export function isRunning(identity: string): boolean {
  const [host, pid, ticks] = identity.split("/");
  if (host !== hostname()) return true;
  const now = startTicks(Number(pid));
  if (now === null) return process.platform !== "linux" && signalReaches(Number(pid));
  return ticks === "0" || ticks === now;
}

function signalReaches(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

import { readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";

const ROOT = "/sys/fs/cgroup";

/** What the memory cgroup of a job tells. Bytes; `kills` is null where the kernel does not count for the whole tree. */
export type MemoryReading = { peakBytes: number; anonymousBytes: number | null; kills: number | null };

function readNumber(path: string): number | null {
  try {
    const value = Number(readFileSync(path, "utf8").trim());
    return Number.isFinite(value) ? value : null;
  } catch {
    return null;
  }
}

function readField(path: string, field: string): number | null {
  try {
    const line = readFileSync(path, "utf8")
      .split("\n")
      .find((text) => text.startsWith(`${field} `));
    return line === undefined ? null : Number(line.slice(field.length + 1));
  } catch {
    return null;
  }
}

/** Directory of the memory cgroup of a process of this host, from /proc/PID/cgroup; null where it cannot be seen. */
export function memoryCgroupOf(pid: number): string | null {
  try {
    for (const line of readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n")) {
      const [, controllers, ...path] = line.split(":");
      if (controllers?.split(",").includes("memory")) return join(ROOT, "memory", path.join(":"));
    }
    for (const line of readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n")) {
      if (line.startsWith("0::")) return join(ROOT, line.slice(3));
    }
  } catch {
    // The process is gone or another host's.
  }
  return null;
}

/**
 * Reads a memory cgroup of version 1 (memory.max_usage_in_bytes) or 2 (memory.peak, kernel 5.19 or later).
 * Version 1 counts kills in the killed task's own group only, so `kills` is null there.
 */
export function readMemory(directory: string): MemoryReading | null {
  const v1 = readNumber(join(directory, "memory.max_usage_in_bytes"));
  if (v1 !== null) {
    return {
      peakBytes: v1,
      anonymousBytes: readField(join(directory, "memory.stat"), "total_rss"),
      kills: null,
    };
  }
  const v2 = readNumber(join(directory, "memory.peak"));
  if (v2 === null) return null;
  return {
    peakBytes: v2,
    anonymousBytes: readField(join(directory, "memory.stat"), "anon"),
    kills: readField(join(directory, "memory.events"), "oom_kill"),
  };
}

/**
 * Directory of a parent cgroup that outlives its containers, so that its peak can be read after the last of them.
 * Version 1 with the cgroupfs driver only; null elsewhere.
 */
export function lastingParent(
  name: string,
  engine: { cgroupDriver: string; cgroupVersion: string },
): string | null {
  if (engine.cgroupVersion !== "1" || engine.cgroupDriver !== "cgroupfs" || process.getuid?.() !== 0)
    return null;
  return `/tare/${name}`;
}

/** Directory under which the memory controller shows a parent cgroup of version 1. */
export function memoryDirectory(parent: string): string {
  return join(ROOT, "memory", parent);
}

function removeTree(directory: string): void {
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) removeTree(join(directory, entry.name));
    }
    rmdirSync(directory);
  } catch {
    // Gone already, or still in use: the next sweep tries again.
  }
}

/** Removes a parent cgroup under every controller once its containers are gone. */
export function removeParent(parent: string): void {
  for (const controller of controllers()) {
    removeTree(join(ROOT, controller, parent));
    try {
      // The directory of all jobs goes with the last of them.
      rmdirSync(join(ROOT, controller, "tare"));
    } catch {
      // Another job is still there.
    }
  }
}

/** Names of the parents that Tare made and that are still there. */
export function listParents(): string[] {
  const names = new Set<string>();
  for (const controller of controllers()) {
    try {
      for (const entry of readdirSync(join(ROOT, controller, "tare"), { withFileTypes: true })) {
        if (entry.isDirectory()) names.add(entry.name);
      }
    } catch {
      // This controller has none.
    }
  }
  return [...names];
}

function controllers(): string[] {
  try {
    return readdirSync(ROOT, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

/** Directory under which the pids controller shows a parent cgroup of version 1. */
export function processDirectory(parent: string): string {
  return join(ROOT, "pids", parent);
}

/** Directory of the cgroup by which every process of a container is found: of the pids controller, or of version 2. */
export function processCgroupOf(pid: number): string | null {
  try {
    const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n");
    for (const line of lines) {
      const [, controllers, ...path] = line.split(":");
      if (controllers?.split(",").includes("pids")) return join(ROOT, "pids", path.join(":"));
    }
    const unified = lines.find((line) => line.startsWith("0::"));
    return unified === undefined ? null : join(ROOT, unified.slice(3));
  } catch {
    // The process is gone or another host's.
    return null;
  }
}

/** Processes of a cgroup and of those below it; none where it is gone. */
export function processesOf(directory: string): number[] {
  try {
    const own = readFileSync(join(directory, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
    const below = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...own, ...below.flatMap(({ name }) => processesOf(join(directory, name)))];
  } catch {
    return [];
  }
}

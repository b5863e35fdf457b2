import type Docker from "dockerode";
import { memoryCgroupOf, memoryDirectory, readMemory } from "./cgroup.ts";
import type { Engine } from "./engine-connection.ts";

/** Watches the memory of one container and of everything it starts, from before its start to after its end. */
export type MemoryWatch = {
  started(): Promise<void>;
  finish(): Promise<{
    peakBytes: number | "unknown";
    anonymousBytes: number | "unknown";
    kills: number | "unknown";
  }>;
  stop(): void;
};

const SAMPLE_MS = 100;

export async function watchMemory(
  engine: Engine,
  container: Docker.Container,
  parent: string | null,
): Promise<MemoryWatch> {
  const oom = await countKillEvents(engine.docker, container.id);
  let directory = parent === null ? null : memoryDirectory(parent);
  let peak = 0;
  let anonymous: number | null = null;
  let counted: number | null = null;
  const sample = () => {
    const reading = directory === null ? null : readMemory(directory);
    if (reading === null) return;
    peak = Math.max(peak, reading.peakBytes);
    if (reading.anonymousBytes !== null) anonymous = Math.max(anonymous ?? 0, reading.anonymousBytes);
    counted = reading.kills === null ? counted : Math.max(counted ?? 0, reading.kills);
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    async started() {
      if (!engine.facts.local) return;
      directory ??= memoryCgroupOf((await container.inspect()).State.Pid);
      sample();
      // A group goes with its container, unless it is a parent that lasts: its marks are read while it is there.
      timer = setInterval(sample, SAMPLE_MS);
    },
    async finish() {
      sample();
      const { State } = await container.inspect();
      // The engine notices a kill on its own thread: the flag of the container can be later than its end.
      if (!State.OOMKilled && oom.count() === 0) await new Promise((resolve) => setTimeout(resolve, 50));
      const kills = Math.max(oom.count(), counted ?? 0, State.OOMKilled ? 1 : 0);
      return { peakBytes: peak === 0 ? "unknown" : peak, anonymousBytes: anonymous ?? "unknown", kills };
    },
    stop() {
      clearInterval(timer);
      oom.stop();
    },
  };
}

/** Counts the engine's out-of-memory events of a container. */
async function countKillEvents(docker: Docker, id: string): Promise<{ count(): number; stop(): void }> {
  const stream = await docker.getEvents({ filters: { container: [id], event: ["oom"] } });
  let count = 0;
  stream.on("data", (chunk: Buffer) => (count += chunk.toString("utf8").split("\n").filter(Boolean).length));
  stream.on("error", () => {});
  return { count: () => count, stop: () => (stream as unknown as { destroy(): void }).destroy() };
}

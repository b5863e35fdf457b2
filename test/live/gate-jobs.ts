import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { Job, Limits } from "../../src/domain/job.ts";

const MIB = 1024 ** 2;

const LIMITS: Limits = {
  cpus: 0.5,
  memoryBytes: 128 * MIB,
  processes: 64,
  durationMs: 20_000,
  logBytes: 100_000,
  diskBytes: 64 * MIB,
};

/** A gated job whose main process is a script of a shell. `mark` is a number of seconds that no other process sleeps. */
export function hostileJob(
  image: string,
  script: (mark: string) => string,
  { limits, ...more }: Omit<Partial<Job>, "limits"> & { limits?: Partial<Limits> } = {},
): { job: Job; mark: string } {
  const hex = randomBytes(3);
  const mark = String(700_000_000 + hex.readUIntBE(0, 3));
  const job: Job = {
    name: `gate-${process.pid}-${hex.toString("hex")}`,
    image,
    main: ["sh", "-c", script(mark)],
    ready: null,
    commands: [],
    environment: {},
    workingDirectory: "/",
    files: [],
    volumes: ["/work"],
    privileges: "none",
    limits: { ...LIMITS, ...limits },
    network: "gated",
    services: [],
    ...more,
  };
  return { job, mark };
}

/** Processes of this machine whose command line names a mark. */
export function survivors(mark: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(mark);
      } catch {
        return false;
      }
    });
}

/** Mounts of jobs' disks, and of layers on them. */
export function diskMounts(): string[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return lines.filter((line) => line.includes(`,gate-${process.pid}-`));
}

/** How long something took to come true, in milliseconds; the limit where it did not. */
export async function untilTrue(holds: () => boolean, limitMs: number): Promise<number> {
  const begun = performance.now();
  while (!holds() && performance.now() - begun < limitMs) await new Promise((go) => setTimeout(go, 20));
  return performance.now() - begun;
}

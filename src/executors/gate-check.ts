import type { Job, JobResult } from "../domain/job.ts";
import { Problem } from "../domain/problem.ts";
import { run as spawn } from "../lib/spawn.ts";
import { canEnforce } from "./can-enforce.ts";
import type { Engine } from "./engine-connection.ts";
import type { GateOptions } from "./enclosure.ts";
import { attemptAll } from "./gate-attempt.ts";

/** Whether jobs of others can be held here. The machine is looked at once, when it is first asked. */
export type GateCheck = {
  missing(): Promise<string[]>;
  /** Problem gate-impossible where gated jobs like these would not be held as they must. */
  refuse(jobs: readonly HeldJob[]): Promise<void>;
};

/** What a job asks for of a machine that is to hold it. */
export type HeldJob = Pick<Job, "privileges" | "limits">;

type RunJob = (job: Job, signal: AbortSignal) => Promise<JobResult>;

export function createGateCheck(engine: Engine, gate: GateOptions | null, runJob: RunJob): GateCheck {
  let looked: Promise<string[]> | null = null;
  const missing = () => (looked ??= look(engine, gate, runJob));
  return {
    missing,
    async refuse(jobs) {
      const faults = [...new Set(jobs.flatMap((job) => faultsOf(job))), ...(await missing())];
      if (faults.length === 0) return;
      throw new Problem(
        "gate-impossible",
        "A job of code that is not trusted cannot be held on this machine, so nothing of it was started.",
        "Mend what is missing (`tare doctor` tells it), or have somebody read the change and run it as trusted.",
        faults,
      );
    },
  };
}

async function look(engine: Engine, gate: GateOptions | null, runJob: RunJob): Promise<string[]> {
  if (gate === null) return ["no gate was set up"];
  return canEnforce(engine.facts, {
    isRoot: () => process.getuid?.() === 0,
    lackedPrograms,
    attempt: () => attemptAll(gate.holderImage, runJob),
  });
}

/** What a job itself asks for that nothing here holds. */
function faultsOf(job: HeldJob): string[] {
  const faults: string[] = [];
  if (job.limits.diskBytes === null) faults.push("the job has no limit of its disk");
  // On the machine's own users namespace these are ways out: release agents, kernel modules, devices.
  if (job.privileges === "mounts")
    faults.push(
      "its builder mounts file systems (CAP_SYS_ADMIN without a filter): that leads out of a container",
    );
  if (job.privileges === "daemon")
    faults.push(
      "its builder runs a daemon in the job, with nearly every capability: that leads out of a container",
    );
  return faults;
}

async function lackedPrograms(programs: readonly string[]): Promise<string[]> {
  const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
  const found = await Promise.all(
    programs.map(async (name) => {
      const { exitCode } = await spawn("/bin/sh", ["-c", 'command -v "$1"', "sh", name], { env });
      return exitCode === 0;
    }),
  );
  return programs.filter((_, index) => found[index] !== true);
}

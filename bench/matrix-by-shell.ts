import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Engine } from "../src/executors/engine-connection.ts";
import { removeParent } from "../src/executors/cgroup.ts";
import { OWNER_LABEL } from "../src/executors/engine.ts";
import { ownIdentity } from "../src/lib/process-identity.ts";
import type { Phases } from "./matrix-by-tare.ts";
import { loopCgroup, writeShellPlan, type DoneRuns } from "./shell-plan.ts";

const LOOP = join(import.meta.dirname, "matrix.sh");
/** Debian's docker.io, which the engine is of as well; another one may be before it on the path. */
const DEBIANS = "/usr/bin/docker";

export type ByShell = { wallMs: number; phases: Phases; storedBytes: number[] };

/** The same runs by the loop. Its steps are timed from here, as their names arrive. */
export async function runByShell(
  directory: string,
  done: DoneRuns,
  port: number,
  engine: Pick<Engine, "address" | "facts">,
  docker = existsSync(DEBIANS) ? DEBIANS : "docker",
): Promise<ByShell> {
  writeShellPlan(directory, done, port, engine.facts);
  const phases: Phases = {};
  const startMs = performance.now();
  let [step, sinceMs] = ["shell", startMs];
  const next = (name: string) => {
    const nowMs = performance.now();
    phases[step] = (phases[step] ?? 0) + nowMs - sinceMs;
    [step, sinceMs] = [name, nowMs];
  };
  const child = spawn("sh", [LOOP, directory], {
    env: {
      ...process.env,
      DOCKER: docker,
      DOCKER_HOST: engine.address,
      // What a bench that was killed left is swept like everything else of Tare's.
      LABEL: `${OWNER_LABEL}=${ownIdentity()}`,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { promise: ended, resolve } = Promise.withResolvers<number | null>();
  child.once("close", resolve);
  createInterface({ input: child.stdout }).on("line", next);
  const exitCode = await ended;
  next("");
  const wallMs = performance.now() - startMs;
  for (const parent of done.jobs.map((job) => loopCgroup(job, engine.facts)))
    if (parent !== null) removeParent(parent);
  if (exitCode !== 0) throw new Error(`the loop ended with ${exitCode}: ${lastOf(join(directory, "log"))}`);
  const sizes = readFileSync(join(directory, "sizes"), "utf8").trim().split("\n");
  return { wallMs, phases, storedBytes: sizes.map((line) => Number.parseInt(line, 10) * 1024) };
}

function lastOf(path: string): string {
  return existsSync(path)
    ? readFileSync(path, "utf8").trim().split("\n").slice(-10).join("\n")
    : "it said nothing";
}

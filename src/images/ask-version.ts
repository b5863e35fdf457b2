import { DEFAULT_LIMITS, type Job, type JobResult } from "../domain/job.ts";
import { Outage } from "../domain/problem.ts";
import type { BuilderId } from "../domain/recipe.ts";
import type { EngineExecutor } from "../executors/engine.ts";

/** How each program is asked for its version. kaniko is never run outside a container: a build empties `/`. */
const ASKED: Readonly<Record<BuilderId | "registry", string[]>> = {
  docker: ["dockerd", "--version"],
  buildkit: ["buildkitd", "--version"],
  kaniko: ["/kaniko/executor", "version"],
  buildah: ["buildah", "--version"],
  registry: ["registry", "--version"],
};

const LIMITS = { ...DEFAULT_LIMITS, cpus: 1, memoryBytes: 256 * 1024 ** 2, durationMs: 60_000 };

/** What the program in an image prints as its version, `29.7.2` or `v0.32.2`; null where it prints none. `lines` are its words. */
export async function askVersion(
  executor: Pick<EngineExecutor, "run">,
  tool: BuilderId | "registry",
  image: string,
): Promise<{ version: string | null; lines: string[] }> {
  const job: Job = {
    name: `version-${tool}-${process.pid}`,
    image,
    main: ASKED[tool],
    ready: null,
    commands: [],
    environment: {},
    workingDirectory: "/",
    files: [],
    volumes: [],
    privileges: "none",
    limits: LIMITS,
  };
  let result: JobResult;
  try {
    result = await executor.run(job, new AbortController().signal);
  } catch (error) {
    // An engine does not start a program that is not in the image.
    if (error instanceof Outage) return { version: null, lines: [error.message] };
    throw error;
  }
  const lines = result.log.map(({ line }) => line);
  const said = /(?<![\w.])v?\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?/.exec(lines.join("\n"))?.[0] ?? null;
  return { version: result.outcome === "succeeded" ? said : null, lines };
}

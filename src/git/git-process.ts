import { spawnSync } from "node:child_process";
import { Outage, Problem } from "../domain/problem.ts";
import { run } from "../lib/spawn.ts";
import type { SpawnOptions, SpawnResult } from "../lib/spawn.ts";

/** Runs the system's git; any exit code is a result. A missing git is a Problem. */
export async function git(
  argv: readonly string[],
  options: SpawnOptions & { env: Record<string, string> },
): Promise<SpawnResult> {
  try {
    return await run("git", argv, options);
  } catch (error) {
    throw isMissing(error) ? gitMissing() : error;
  }
}

/** The same for the few readers that must answer at once. Standard output up to 256 MiB. */
export function gitSync(
  argv: readonly string[],
  options: { env: Record<string, string>; input?: string },
): Buffer {
  const result = spawnSync("git", argv, { ...options, maxBuffer: 1 << 28 });
  if (isMissing(result.error)) throw gitMissing();
  if (result.error) throw result.error;
  if (result.status !== 0) throw gitBroken(argv, result.stderr.toString("utf8"));
  return result.stdout;
}

/** Standard output of a call that only a broken repository or machine can make fail. */
export async function gitOutput(
  argv: readonly string[],
  options: SpawnOptions & { env: Record<string, string> },
): Promise<Buffer> {
  const result = await git(argv, options);
  if (result.exitCode !== 0) throw gitBroken(argv, result.stderr);
  return result.stdout;
}

/** Git's own words, one line each, without empty lines; the first `limit`. */
export function gitLines(stderr: string, limit = 20): string[] {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  return lines.length > limit
    ? [...lines.slice(0, limit), `… and ${lines.length - limit} more lines`]
    : lines;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function gitMissing(): Problem {
  return new Problem(
    "configuration",
    "git cannot be started.",
    "Install git 2.39 or later and put it on PATH.",
  );
}

function gitBroken(argv: readonly string[], stderr: string): Outage {
  const said = gitLines(stderr, 5).join("; ");
  return new Outage(
    `git ${argv.find((word) => !word.startsWith("-")) ?? ""} failed: ${said || "it said nothing"}`,
    "Check the repository with `git fsck` and the disk's free space, then try again.",
  );
}

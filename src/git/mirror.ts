import { mkdir } from "node:fs/promises";
import { Outage } from "../domain/problem.ts";
import { redact } from "../lib/redact.ts";
import { gitEnvironment } from "./environment.ts";
import { git, gitLines } from "./git-process.ts";
import { makeBare, readRemote } from "./remote.ts";

/** Where a mirror keeps what HEAD of the other side was. */
const HEAD_REF = "refs/tare/head";

/** Environment of calls on a mirror. */
export function mirrorEnvironment(directory: string): Record<string, string> {
  return gitEnvironment([], { GIT_DIR: directory });
}

/**
 * Fetches HEAD of another repository with its whole history into a bare one, only what is new, and returns its commit. What a
 * rewritten history leaves behind stays readable. Null where the other side has no such repository or no commit, which
 * looks the same as one that does not answer: who knows that it was there treats null as an outage.
 */
export async function fetchMirror(
  directory: string,
  url: string,
  signal?: AbortSignal,
): Promise<string | null> {
  const remote = readRemote(url);
  const env = { ...remote.environment, GIT_DIR: directory };
  const stop = signal ? { signal } : {};
  const probe = await git(["ls-remote", "--quiet", "--", remote.url, "HEAD"], { env, ...stop });
  const head = /^([0-9a-f]{40,64})\tHEAD$/m.exec(probe.stdout.toString("latin1"))?.[1];
  if (probe.exitCode !== 0 || head === undefined) return null;
  await mkdir(directory, { recursive: true });
  await makeBare(directory, env);
  if ((await mirroredHead(directory)) === head) return head;
  const alone = ["--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance"];
  const argv = ["fetch", "--quiet", ...alone, "--", remote.url, `+HEAD:${HEAD_REF}`];
  const result = await git(argv, { env, ...stop });
  if (result.exitCode === 0) return mirroredHead(directory);
  const said = gitLines(redact(result.stderr, remote.secrets), 10);
  throw new Outage(
    `Fetching from ${redact(remote.url, remote.secrets)} failed: ${said.join("; ")}`,
    "Check the address, the network and the disk; it will be tried again.",
  );
}

async function mirroredHead(directory: string): Promise<string | null> {
  const env = mirrorEnvironment(directory);
  const result = await git(["rev-parse", "--quiet", "--verify", `${HEAD_REF}^{commit}`], { env });
  return result.exitCode === 0 ? result.stdout.toString("latin1").trim() : null;
}

/** The newest commit that both have; null where either is missing or they have none. */
export async function mergeBase(directory: string, a: string, b: string): Promise<string | null> {
  const result = await git(["merge-base", "--", a, b], { env: mirrorEnvironment(directory) });
  return result.exitCode === 0 ? result.stdout.toString("latin1").trim() : null;
}

/** True where the mirror has the commit. */
export async function hasCommit(directory: string, commit: string): Promise<boolean> {
  const result = await git(["cat-file", "-e", `${commit}^{commit}`], { env: mirrorEnvironment(directory) });
  return result.exitCode === 0;
}

import { Outage, Problem } from "../domain/problem.ts";
import { redact } from "../lib/redact.ts";
import { git, gitLines, gitOutput } from "./git-process.ts";
import { makeBare, readRemote } from "./remote.ts";

export type FetchOptions = {
  /** Directory of the bare repository that keeps what was fetched; made where it is missing. */
  cacheDir: string;
  /** http(s) URL, file:// URL or absolute path. Credentials in it travel in the environment. */
  url: string;
  /** Full names of refs to fetch, for example `refs/heads/main`. */
  refs: readonly string[];
  /** Commits that must be there afterwards; only missing ones are fetched. */
  shas: readonly string[];
  /** A secret header for the URL's host, for example `Authorization: Basic …`. */
  header?: string;
  signal?: AbortSignal;
};

/** Fetches of one directory wait for each other: git's lock files would make the second one fail. */
const waiting = new Map<string, Promise<unknown>>();

/**
 * Makes commits of another repository readable: into a bare repository, without history, tags, submodules
 * or hooks. Open it with `openRepository(cacheDir)`. A failing network is an Outage, a missing commit a Problem.
 */
export async function fetchCommits(options: FetchOptions): Promise<void> {
  const before = waiting.get(options.cacheDir) ?? Promise.resolve();
  const mine = before.then(
    () => fetchNow(options),
    () => fetchNow(options),
  );
  waiting.set(options.cacheDir, mine);
  try {
    await mine;
  } finally {
    if (waiting.get(options.cacheDir) === mine) waiting.delete(options.cacheDir);
  }
}

async function fetchNow(options: FetchOptions): Promise<void> {
  const remote = readRemote(options.url, options.header);
  const env = { ...remote.environment, GIT_DIR: options.cacheDir };
  const signal = options.signal ? { signal: options.signal } : {};
  await makeBare(options.cacheDir, env);
  const shas = await missing(options.shas.map(checkSha), env);
  const refs = options.refs.map(checkRef);
  if (shas.length === 0 && refs.length === 0) return;
  // A ref of its own keeps each commit from being collected.
  const specs = [
    ...shas.map((sha) => `+${sha}:refs/tare/commits/${sha}`),
    ...refs.map((ref) => `+${ref}:refs/tare/${ref}`),
  ];
  const alone = ["--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance"];
  const argv = ["fetch", "--quiet", "--depth=1", ...alone, "--", remote.url, ...specs];
  const result = await git(argv, { env, ...signal });
  const absent = await missing(options.shas, env);
  if (result.exitCode === 0 && absent.length === 0) return;
  const said = gitLines(redact(result.stderr, remote.secrets), 10);
  // Only a remote that still answers can be said to lack something.
  const probe = await git(["ls-remote", "--quiet", "--", remote.url], { env, ...signal, maxBytes: 1 << 28 });
  if (probe.exitCode === 0) throw notThere(redact(options.url, remote.secrets), [...absent, ...refs], said);
  throw new Outage(
    `Fetching from ${redact(remote.url, remote.secrets)} failed: ${said.join("; ")}`,
    "Check the address, the network and the credentials; it will be tried again.",
  );
}

function notThere(url: string, names: string[], said: string[]): Problem {
  return new Problem(
    "revision-missing",
    `${url} does not have ${names.join(", ")}.`,
    "It was deleted or force-pushed away: push it again, or name a revision that is there.",
    said,
  );
}

/** Commits that the repository does not hold yet. */
async function missing(shas: readonly string[], env: Record<string, string>): Promise<string[]> {
  if (shas.length === 0) return [];
  const input = shas.map((sha) => `${sha}^{tree}\n`).join("");
  const output = await gitOutput(["cat-file", "--batch-check"], { env, input });
  const lines = output.toString("latin1").split("\n");
  return shas.filter((_, index) => !/^[0-9a-f]+ tree /.test(lines[index] ?? ""));
}

function checkSha(sha: string): string {
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(sha)) return sha;
  throw new Problem(
    "revision-missing",
    `${JSON.stringify(sha)} is no commit id.`,
    "Give all 40 hexadecimal digits.",
  );
}

function checkRef(ref: string): string {
  if (/^refs\/[^\s:^~?*[\\\p{Cc}]+$/u.test(ref) && !ref.includes("..")) return ref;
  throw new Problem(
    "revision-missing",
    `${JSON.stringify(ref)} is no full ref name.`,
    "Give it as refs/heads/NAME.",
  );
}

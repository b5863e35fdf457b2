import { git, gitOutput } from "./git-process.ts";
import { gitEnvironment } from "./environment.ts";
import { parseTreeListing } from "./objects.ts";
import type { Preimage } from "./preimages.ts";
import type { Repository } from "./repository.ts";

/** The commit whose files are most like those that a patch was made on. */
export type BlobMatch = { commit: string; matched: number; of: number };

/** FACTS 7.2: older than this a guess is worth little. */
const DAYS = 14;

/**
 * Looks for the state that patches were made on, among the first parents of `revision` in the 14 days before `at`: the one
 * with the most of the patches' blobs, of several the latest. Null where none has any, or where there is no history.
 */
export async function matchBlobs(
  repository: Repository,
  revision: string,
  wanted: readonly Preimage[],
  at: Date,
): Promise<BlobMatch | null> {
  if (wanted.length === 0) return null;
  const [newest, ...steps] = await history(
    repository,
    revision,
    wanted.map(({ path }) => path),
    at,
  );
  if (newest === undefined) return null;
  const state = await blobsAt(repository, newest.commit, wanted);
  let best: BlobMatch = { commit: newest.commit, matched: count(state, wanted), of: wanted.length };
  for (const step of [newest, ...steps]) {
    if (best.matched === wanted.length) break;
    if (step.parent === null || step.before.length === 0) continue;
    for (const { path, blob } of step.before) state.set(path, blob);
    const matched = count(state, wanted);
    if (matched > best.matched) best = { commit: step.parent, matched, of: wanted.length };
  }
  return best.matched === 0 ? null : best;
}

function count(state: ReadonlyMap<string, string | null>, wanted: readonly Preimage[]): number {
  return wanted.filter(({ path, blob }) => {
    const found = state.get(path) ?? null;
    return blob === null ? found === null : found?.startsWith(blob) === true;
  }).length;
}

/** A commit, and the blobs that the paths had before it where it changed them. */
type Step = { commit: string; parent: string | null; before: { path: string; blob: string | null }[] };

async function history(
  repository: Repository,
  revision: string,
  paths: readonly string[],
  at: Date,
): Promise<Step[]> {
  const until = Math.floor(at.getTime() / 1000);
  const shape = [
    "--first-parent",
    "--diff-merges=first-parent",
    "--raw",
    "--no-abbrev",
    "--no-renames",
    "-z",
  ];
  const span = [`--since=${until - DAYS * 86_400}`, `--until=${until}`, "--no-show-signature"];
  // A shallow clone's borders are the clone's own to know, so its own directory is asked.
  const env = gitEnvironment([], { GIT_DIR: repository.gitDirectory });
  const log = async (...more: string[]) => {
    const result = await git(["log", ...shape, ...span, "--format=%x01%H %P", ...more], { env });
    return result.exitCode === 0 ? result.stdout.toString("utf8").split("\u0001").flatMap(readStep) : [];
  };
  // Without paths the newest commit is the tip of that day, whatever it touches.
  const newest = await log("--max-count=1", "--no-patch", revision, "--");
  const touching = await log("--full-history", revision, "--", ...paths);
  return [...newest.map((step) => ({ ...step, before: [] })), ...touching];
}

function readStep(record: string): Step[] {
  const [head = "", ...rest] = record.split("\0");
  const [commit, parent] = head.trim().split(" ");
  if (commit === undefined || commit === "") return [];
  const before: Step["before"] = [];
  for (let index = 0; index < rest.length; index += 1) {
    const raw = /:\d{6} \d{6} ([0-9a-f]+) [0-9a-f]+ [A-Z]/u.exec(rest[index] ?? "");
    const path = rest[index + 1];
    if (raw === null || path === undefined) continue;
    const id = raw[1] ?? "";
    before.push({ path, blob: /^0+$/u.test(id) ? null : id });
  }
  return [{ commit, parent: parent ?? null, before }];
}

async function blobsAt(
  repository: Repository,
  commit: string,
  wanted: readonly Preimage[],
): Promise<Map<string, string | null>> {
  const argv = ["ls-tree", "-r", "-z", "--full-tree", commit, "--", ...wanted.map(({ path }) => path)];
  const listing = await gitOutput(argv, { env: repository.environment });
  return new Map(parseTreeListing(listing).map(({ path, id }) => [path, id]));
}

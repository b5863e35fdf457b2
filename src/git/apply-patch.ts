import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Tree } from "../domain/change.ts";
import { Problem } from "../domain/problem.ts";
import { git, gitLines, gitOutput } from "./git-process.ts";
import { MAX_PATCH_BYTES, holdsDiff, readings } from "./patch-text.ts";
import type { Repository } from "./repository.ts";

/** The tree that a patch makes. `notes` say what had to be done to make it fit. */
export type AppliedPatch = { tree: string; notes: string[] };

type Attempt = { applied: AppliedPatch } | { unreadable: string[] } | { refused: string[] };

let indexes = 0;

/**
 * Applies a patch to a tree in a throw-away index, with a three-way merge where the lines have moved.
 * Nothing of it is ever opened by path. Problems: `change-empty`, `change-unreadable`, `unsafe-path`,
 * `patch-does-not-apply`, `already-applied`.
 */
export async function applyPatch(
  repository: Repository,
  base: Tree,
  patch: Uint8Array,
): Promise<AppliedPatch> {
  if (patch.byteLength > MAX_PATCH_BYTES) {
    throw new Problem(
      "change-unreadable",
      `The patch has ${patch.byteLength} bytes; the limit is ${MAX_PATCH_BYTES}.`,
      "Send a smaller patch, or name a revision of the repository.",
    );
  }
  if (!holdsDiff(patch)) {
    throw new Problem(
      "change-empty",
      "The change holds no diff.",
      "Give the output of `git format-patch` or `git diff`, or a mail with the patch in its text.",
    );
  }
  const attempts: Attempt[] = [];
  for (const reading of readings(patch)) {
    const attempt = await attemptPatch(repository, base, reading.patch);
    if ("applied" in attempt) {
      if (reading.note !== null) attempt.applied.notes.unshift(reading.note);
      return attempt.applied;
    }
    attempts.push(attempt);
  }
  throw failure(base, attempts);
}

async function attemptPatch(repository: Repository, base: Tree, patch: Uint8Array): Promise<Attempt> {
  indexes += 1;
  const index = join(repository.scratch, `index-${indexes}`);
  const env = { ...repository.environment, GIT_INDEX_FILE: index };
  const apply = (...flags: string[]) =>
    git(["apply", "--whitespace=nowarn", ...flags, "-"], { env, input: patch });
  try {
    const listing = await apply("--numstat", "-z");
    if (listing.exitCode !== 0) return { unreadable: gitLines(listing.stderr) };
    refuseUnsafePaths(listing.stdout);
    await gitOutput(["read-tree", base.tree], { env });
    const notes: string[] = [];
    const plain = await apply("--cached");
    if (plain.exitCode !== 0) {
      const reverse = await apply("--cached", "--check", "--reverse");
      if (reverse.exitCode === 0) throw alreadyThere(base);
      const merged = await apply("--cached", "--3way");
      if (merged.exitCode !== 0) return { refused: gitLines(plain.stderr) };
      notes.push("The patch was made on another state of these files; a three-way merge made it fit.");
    }
    const tree = (await gitOutput(["write-tree"], { env })).toString("latin1").trim();
    if (tree === base.tree) throw alreadyThere(base);
    await refuseLinks(env, base.tree, tree);
    return { applied: { tree, notes } };
  } finally {
    await rm(index, { force: true });
    await rm(`${index}.lock`, { force: true });
  }
}

/** git refuses such paths by itself, in words only; a Problem needs to know. */
function refuseUnsafePaths(numstat: Buffer): void {
  for (const record of numstat.toString("utf8").split("\0")) {
    const path = record.split("\t").slice(2).join("\t");
    const steps = path.split("/");
    if (path.startsWith("/") || steps.some((step) => step === ".." || /^\.git$/i.test(step))) {
      throw unsafe(`The patch writes to ${JSON.stringify(path)}, outside of the repository's files.`);
    }
  }
}

/** Looks at the tree that came out rather than at the patch's text: modes there are what counts. */
async function refuseLinks(env: Record<string, string>, base: string, tree: string): Promise<void> {
  const output = await gitOutput(["diff-tree", "-r", "-z", "--raw", "--no-renames", base, tree], { env });
  const fields = output.toString("utf8").split("\0");
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const mode = fields[at]?.split(" ")[1];
    const path = fields[at + 1] ?? "";
    if (mode === "120000") throw unsafe(`The patch makes ${path} a symlink.`);
    if (mode === "160000") throw unsafe(`The patch makes ${path} a submodule.`);
  }
}

function unsafe(message: string): Problem {
  return new Problem(
    "unsafe-path",
    message,
    "Leave this file out of the patch; Tare builds only from regular files inside of the repository.",
  );
}

function alreadyThere(base: Tree): Problem {
  return new Problem(
    "already-applied",
    `The patch is already applied in ${describe(base)}.`,
    "Name the commit before it as the base with --base.",
    [],
    "Say what it applies to, if it was made on an earlier state.",
  );
}

function failure(base: Tree, attempts: Attempt[]): Problem {
  const refused = attempts.find((attempt) => "refused" in attempt);
  if (refused) {
    return new Problem(
      "patch-does-not-apply",
      `The patch does not apply to ${describe(base)}, not even with a three-way merge.`,
      "Name the commit it was made on with --base, or check that --repo is its repository.",
      refused.refused,
      `Rebase it on ${describe(base)}, or say what it applies to.`,
    );
  }
  return new Problem(
    "change-unreadable",
    "The patch is damaged: git cannot read it.",
    "Send it again as `git format-patch` wrote it; mail programs that wrap lines or change spaces break patches.",
    attempts.flatMap((attempt) => ("unreadable" in attempt ? attempt.unreadable : [])),
  );
}

function describe(tree: Tree): string {
  return tree.commit === null ? `tree ${tree.tree.slice(0, 12)}` : `commit ${tree.commit.slice(0, 12)}`;
}

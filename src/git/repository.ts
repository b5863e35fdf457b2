import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tree } from "../domain/change.ts";
import { Problem } from "../domain/problem.ts";
import { gitEnvironment } from "./environment.ts";
import { git, gitLines } from "./git-process.ts";
import { writeQuotedPath } from "./quoted-path.ts";

/**
 * A repository opened for reading. Objects are read and made through a throw-away bare repository that
 * borrows the user's objects: nothing is written to the user's side, and none of its settings are used.
 */
export type Repository = {
  /** Directory as the requester named it; for messages only. */
  directory: string;
  /** The user's git directory; only names (branches, tags, HEAD) are looked up there. */
  gitDirectory: string;
  /** The throw-away directory. */
  scratch: string;
  /** Environment of every call on objects. */
  environment: Record<string, string>;
  /** Text of blobs already read, by object id: two trees of one change share nearly all of them. */
  texts: Map<string, string>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

const SCRATCH = "tare-git-";

/** Opens the repository that holds `directory`, a checkout or bare. Problem `repository-missing` where there is none. */
export async function openRepository(directory: string): Promise<Repository> {
  const { gitDirectory, objects, format } = await locate(directory);
  const scratch = await mkdtemp(join(tmpdir(), `${SCRATCH}${process.pid}-`));
  const close = () => rm(scratch, { recursive: true, force: true });
  try {
    await makeScratch(scratch, objects, format);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    directory,
    gitDirectory,
    scratch,
    environment: gitEnvironment([], { GIT_DIR: scratch }),
    texts: new Map(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function locate(directory: string) {
  const asked = ["--absolute-git-dir", "--git-path", "objects", "--show-object-format"];
  const argv = ["-C", directory, "rev-parse", "--path-format=absolute", ...asked];
  const result = await git(argv, { env: gitEnvironment() });
  // A path with a line break cannot be told from two answers: it is refused with the rest.
  const [gitDirectory, objects, format, ...more] = result.stdout.toString("utf8").split("\n");
  if (result.exitCode !== 0 || !gitDirectory || !objects || !format || more.join("") !== "") {
    throw new Problem(
      "repository-missing",
      `${directory} is not a git repository that can be read.`,
      "Name the directory of a checkout or of a bare clone with --repo; `git clone` makes one.",
      gitLines(result.stderr),
    );
  }
  return { gitDirectory, objects, format };
}

/** Written by hand rather than by `git init`, which would copy templates and cost a process. */
async function makeScratch(scratch: string, objects: string, format: string): Promise<void> {
  const extension = format === "sha1" ? "" : `[extensions]\n\tobjectformat = ${format}\n`;
  const version = format === "sha1" ? 0 : 1;
  await mkdir(join(scratch, "refs"));
  await mkdir(join(scratch, "objects", "info"), { recursive: true });
  await Promise.all([
    writeFile(join(scratch, "HEAD"), "ref: refs/heads/none\n"),
    writeFile(
      join(scratch, "config"),
      `[core]\n\trepositoryformatversion = ${version}\n\tbare = true\n${extension}`,
    ),
    writeFile(join(scratch, "objects", "info", "alternates"), `${writeQuotedPath(objects)}\n`),
  ]);
}

/** Resolves a commit, tag, branch or tree of the repository. Problem `revision-missing` where there is none. */
export async function resolveTree(repository: Repository, revision: string): Promise<Tree> {
  if (revision === "" || revision.startsWith("-") || /[\0\n]/.test(revision)) {
    throw new Problem(
      "revision-missing",
      `${JSON.stringify(revision)} cannot be a revision.`,
      "Name a commit, a tag or a branch, for example HEAD or v8.2.0.",
    );
  }
  // Names are read from standard input, so that no name can be taken for an option.
  const result = await git(["cat-file", "--batch-check"], {
    env: gitEnvironment([], { GIT_DIR: repository.gitDirectory }),
    input: `${revision}^{commit}\n${revision}^{tree}\n`,
  });
  const [commit, tree] = result.stdout
    .toString("utf8")
    .split("\n")
    .map((line) => /^([0-9a-f]{40,64}) (commit|tree) \d+$/.exec(line)?.[1] ?? null);
  if (!tree) {
    throw new Problem(
      "revision-missing",
      `${repository.directory} has no revision ${JSON.stringify(revision)}.`,
      "Name a commit, a tag or a branch that this repository holds, or fetch it first with `git fetch`.",
      gitLines(result.stderr),
    );
  }
  return { commit: commit ?? null, tree };
}

/** Removes throw-away directories of processes that are gone; returns how many. */
export async function sweepRepositories(): Promise<number> {
  const names = await readdir(tmpdir());
  const left = names.filter((name) => {
    const pid = /^tare-git-(\d+)-/.exec(name)?.[1];
    return pid !== undefined && !isAlive(Number(pid));
  });
  for (const name of left) await rm(join(tmpdir(), name), { recursive: true, force: true });
  return left.length;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

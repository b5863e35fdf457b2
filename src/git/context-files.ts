import type { Tree } from "../domain/change.ts";
import type { JobFile } from "../domain/job.ts";
import { Problem } from "../domain/problem.ts";
import { gitOutput } from "./git-process.ts";
import { listFiles, parseTreeListing, readBlobs } from "./objects.ts";
import type { TreeEntry } from "./objects.ts";
import type { Repository } from "./repository.ts";

/** A build context of a tree. */
export type ContextOptions = {
  /** Absolute directory inside the container that the paths are put under. */
  into: string;
  /** Sum of the files' bytes that is still accepted. */
  maxBytes: number;
};

/**
 * Files below `path` (`.` is the root) as stored: executable bits kept, symlinks as symlinks, submodules
 * left out as in a checkout without them. Problems: `context-missing`, `unsafe-path`, `template-too-large`.
 */
export async function contextFiles(
  repository: Repository,
  tree: Tree,
  path: string,
  options: ContextOptions,
): Promise<JobFile[]> {
  const entries = (
    await listFiles(repository, await subtree(repository, tree, path), { sizes: true })
  ).filter((entry) => entry.mode !== "160000");
  const bytes = entries.reduce((sum, entry) => sum + (entry.bytes ?? 0), 0);
  if (bytes > options.maxBytes) {
    throw new Problem(
      "template-too-large",
      `The build context ${path} holds ${bytes} bytes; the limit is ${options.maxBytes}.`,
      "Build from a smaller directory, or raise the limit on the size of a context.",
    );
  }
  const blobs = await readBlobs(
    repository,
    entries.map((entry) => entry.id),
  );
  return entries.map((entry) => jobFile(entry, blobs.get(entry.id) ?? Buffer.alloc(0), options.into));
}

function jobFile(entry: TreeEntry, content: Buffer, into: string): JobFile {
  const path = `${into.replace(/\/+$/, "")}/${entry.path}`;
  if (entry.mode === "120000") return { kind: "symlink", path, target: content.toString("utf8") };
  return { kind: "file", path, content, executable: entry.mode === "100755" };
}

/** Object id of the directory. Links on the way are not followed. */
async function subtree(repository: Repository, tree: Tree, path: string): Promise<string> {
  const steps = path.split("/").filter((step) => step !== "" && step !== ".");
  if (path.startsWith("/") || steps.includes("..") || path.includes("\0")) {
    throw new Problem(
      "unsafe-path",
      `The build context ${JSON.stringify(path)} leaves the tree.`,
      "Name a directory of the repository, relative to its root.",
    );
  }
  if (steps.length === 0) return tree.tree;
  const argv = ["ls-tree", "-z", tree.tree, "--", steps.join("/")];
  const [entry] = parseTreeListing(await gitOutput(argv, { env: repository.environment }));
  if (entry?.mode === "040000") return entry.id;
  throw new Problem(
    "context-missing",
    entry
      ? `The build context ${path} is a ${entry.mode === "120000" ? "symlink" : "file"}, not a directory.`
      : `The tree has no directory ${path} for the build context.`,
    "Correct the context in the template, or add the directory to the repository.",
  );
}

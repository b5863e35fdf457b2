import type { Tree } from "../domain/change.ts";
import { gitOutput, gitSync } from "./git-process.ts";
import { parseBatch, parseTreeListing, readBlobs } from "./objects.ts";
import type { TreeEntry } from "./objects.ts";
import type { Repository } from "./repository.ts";

/** Text files of a tree, read as they are asked for. Paths are relative to the root, without `./`. */
export type TreeReader = {
  /** UTF-8 text of a regular file; null where there is none or it cannot be read: `whyNot` says which. */
  read(path: string): string | null;
  /** Why `read` gave null, for people. */
  whyNot(path: string): string | null;
  /** Whether a path of the tree is anything but a directory. */
  has(path: string): boolean;
  /** Every path of the tree. Costs one listing of the whole tree, once. */
  list(): readonly string[];
  /** Paths of the files that lie in a directory itself; none where there is no such directory. */
  below(directory: string): readonly string[];
};

/** Files beyond this size are no template. */
const MAX_FILE_BYTES = 4 << 20;
/** A directory is read ahead for files of one ending up to this many. */
const MAX_AHEAD = 200;

/**
 * Opens a tree for reading without listing it. What CI templates live in (YAML files of the root, and of
 * directories whose name starts with `.git`) is read ahead; the rest comes a directory at a time, with the
 * neighbours of the same ending, because who asks for one Dockerfile asks for the others.
 */
export async function createTreeReader(repository: Repository, tree: Tree): Promise<TreeReader> {
  const env = repository.environment;
  const listing = (id: string, ...flags: string[]) => gitOutput(["ls-tree", "-z", ...flags, id], { env });
  const root = parseTreeListing(await listing(tree.tree));
  const hidden = root.filter((entry) => entry.mode === "040000" && entry.path.startsWith(".git"));
  const below = await Promise.all(
    hidden.map(async (folder) => parseTreeListing(await listing(folder.id, "-r", "-t"), `${folder.path}/`)),
  );
  const directories = new Map<string, Map<string, TreeEntry>>([["", new Map()]]);
  const known = [...root, ...below.flat()];
  for (const entry of known) remember(directories, entry);
  const ahead = known.filter((entry) => isRegular(entry) && /\.ya?ml$/.test(entry.path));
  const missing = ahead.map((entry) => entry.id).filter((id) => !repository.texts.has(id));
  for (const [id, content] of await readBlobs(repository, missing)) keep(repository, id, content);
  return reader(repository, tree, directories);
}

function remember(directories: Map<string, Map<string, TreeEntry>>, entry: TreeEntry): void {
  const slash = entry.path.lastIndexOf("/");
  const name = entry.path.slice(0, Math.max(slash, 0));
  const directory = directories.get(name) ?? new Map<string, TreeEntry>();
  directories.set(name, directory.set(entry.path, entry));
  if (entry.mode === "040000" && entry.path.startsWith(".git") && !directories.has(entry.path)) {
    directories.set(entry.path, new Map());
  }
}

function reader(
  repository: Repository,
  tree: Tree,
  directories: Map<string, Map<string, TreeEntry>>,
): TreeReader {
  let paths: readonly string[] | null = null;

  const directory = (name: string): Map<string, TreeEntry> => {
    const loaded = directories.get(name);
    if (loaded) return loaded;
    const parent = find(name);
    const entries = new Map<string, TreeEntry>();
    if (parent?.mode === "040000") {
      const output = gitSync(["ls-tree", "-z", parent.id], { env: repository.environment });
      for (const entry of parseTreeListing(output, `${name}/`)) entries.set(entry.path, entry);
    }
    directories.set(name, entries);
    return entries;
  };

  const find = (path: string): TreeEntry | undefined => {
    const slash = path.lastIndexOf("/");
    return directory(path.slice(0, Math.max(slash, 0))).get(path);
  };

  return {
    read: (path) => {
      const entry = find(path);
      if (!entry || !isRegular(entry)) return null;
      if (!repository.texts.has(entry.id)) {
        const siblings = directory(path.slice(0, Math.max(path.lastIndexOf("/"), 0))).values();
        load(repository, entry, [...siblings]);
      }
      return repository.texts.get(entry.id) ?? null;
    },
    whyNot: (path) => {
      const entry = find(path);
      return entry ? refusal(entry, repository) : "there is no such file in the tree";
    },
    has: (path) => {
      const entry = find(path);
      return entry !== undefined && entry.mode !== "040000";
    },
    below: (name) =>
      [...directory(name).values()].filter((entry) => entry.mode !== "040000").map((entry) => entry.path),
    list: () => {
      paths ??= gitSync(["ls-tree", "-r", "-z", "--name-only", tree.tree], { env: repository.environment })
        .toString("utf8")
        .split("\0")
        .slice(0, -1);
      return paths;
    },
  };
}

/** Reads a file and its neighbours of the same ending with one process. */
function load(repository: Repository, entry: TreeEntry, siblings: TreeEntry[]): void {
  const name = entry.path.slice(entry.path.lastIndexOf("/") + 1);
  const ending = name.lastIndexOf(".") > 0 ? name.slice(name.lastIndexOf(".")) : `/${name}`;
  const ids = siblings
    .filter((other) => isRegular(other) && other.path.endsWith(ending) && !repository.texts.has(other.id))
    .map((other) => other.id);
  const wanted = new Set([entry.id, ...ids.slice(0, MAX_AHEAD)]);
  const output = gitSync(["cat-file", "--batch"], {
    env: repository.environment,
    input: `${[...wanted].join("\n")}\n`,
  });
  for (const [id, content] of parseBatch(output)) keep(repository, id, content);
}

function keep(repository: Repository, id: string, content: Buffer): void {
  if (content.length <= MAX_FILE_BYTES) repository.texts.set(id, content.toString("utf8"));
}

function isRegular(entry: TreeEntry): boolean {
  return entry.mode === "100644" || entry.mode === "100755";
}

function refusal(entry: TreeEntry, repository: Repository): string | null {
  if (entry.mode === "120000") return "it is a symlink, and links are not followed";
  if (entry.mode === "160000") return "it is a submodule, and submodules are not fetched";
  if (entry.mode === "040000") return "it is a directory";
  return repository.texts.has(entry.id) ? null : `it is larger than ${MAX_FILE_BYTES} bytes`;
}

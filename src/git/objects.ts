import { isUtf8 } from "node:buffer";
import { Problem } from "../domain/problem.ts";
import { gitOutput } from "./git-process.ts";
import type { Repository } from "./repository.ts";

/** git's file modes, as `git ls-tree` prints them. */
export type Mode = "100644" | "100755" | "120000" | "160000" | "040000";

/** One entry of a tree. `bytes` is null where it was not asked for, or for trees and submodules. */
export type TreeEntry = { mode: Mode; id: string; bytes: number | null; path: string };

/** Reads the output of `git ls-tree -z`, with or without `-l`; `prefix` is put before every path. */
export function parseTreeListing(listing: Buffer, prefix = ""): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (const record of listing.toString("utf8").split("\0")) {
    const tab = record.indexOf("\t");
    if (tab === -1) continue;
    const [mode, , id, size] = record.slice(0, tab).split(/ +/);
    if (!mode || !id) continue;
    const bytes = size === undefined || size === "-" ? null : Number(size);
    entries.push({ mode: mode as Mode, id, bytes, path: prefix + record.slice(tab + 1) });
  }
  return entries;
}

/** Lists every file of a tree, whatever its depth, with sizes where `sizes` asks for them. */
export async function listFiles(
  repository: Repository,
  tree: string,
  options: { sizes?: boolean } = {},
): Promise<TreeEntry[]> {
  const argv = ["ls-tree", "-r", "-z", ...(options.sizes ? ["-l"] : []), tree];
  const listing = await gitOutput(argv, { env: repository.environment });
  if (!isUtf8(listing)) {
    throw new Problem(
      "unsafe-path",
      `Tree ${tree.slice(0, 12)} holds a path that is not UTF-8.`,
      "Rename the file; Tare reads paths as UTF-8 only.",
    );
  }
  return parseTreeListing(listing);
}

/** Blobs by object id, through one `git cat-file --batch`. Each id is read once. */
export async function readBlobs(repository: Repository, ids: Iterable<string>): Promise<Map<string, Buffer>> {
  const wanted = [...new Set(ids)];
  if (wanted.length === 0) return new Map();
  const output = await gitOutput(["cat-file", "--batch"], {
    env: repository.environment,
    input: `${wanted.join("\n")}\n`,
    maxBytes: 2 ** 31,
  });
  return parseBatch(output);
}

/** Reads the output of `git cat-file --batch`. An object that the repository lacks is a Problem. */
export function parseBatch(output: Buffer): Map<string, Buffer> {
  const blobs = new Map<string, Buffer>();
  let at = 0;
  while (at < output.length) {
    const end = output.indexOf(10, at);
    const [id, type, size] = output.toString("latin1", at, end).split(" ");
    if (!id || type !== "blob" || size === undefined) {
      throw new Problem(
        "revision-missing",
        `The repository lacks object ${id ?? "of a tree"}.`,
        "It is a partial or broken clone: run `git fetch --refetch --no-filter`, or clone it again.",
      );
    }
    const bytes = Number(size);
    blobs.set(id, output.subarray(end + 1, end + 1 + bytes));
    at = end + 1 + bytes + 1;
  }
  return blobs;
}

/** A regular file of a tree with its bytes as stored: no filter, attribute or line-ending rule is applied. */
export type TreeFile = { path: string; executable: boolean; content: Buffer };

/** Regular files of a tree whose path passes `filter`. Symlinks and submodules are left out. */
export async function readFiles(
  repository: Repository,
  tree: string,
  filter: (path: string) => boolean,
): Promise<TreeFile[]> {
  const entries = (await listFiles(repository, tree)).filter(
    (entry) => (entry.mode === "100644" || entry.mode === "100755") && filter(entry.path),
  );
  const blobs = await readBlobs(
    repository,
    entries.map((entry) => entry.id),
  );
  return entries.flatMap((entry) => {
    const content = blobs.get(entry.id);
    return content ? [{ path: entry.path, executable: entry.mode === "100755", content }] : [];
  });
}

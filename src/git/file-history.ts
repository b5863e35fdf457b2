import { isUtf8 } from "node:buffer";
import { gitOutput } from "./git-process.ts";
import { readBlobs } from "./objects.ts";
import type { Repository } from "./repository.ts";

/** A file as one commit left it. `path` is its name there: files are followed through renames. */
export type FileVersion = {
  commit: string;
  tree: string;
  path: string;
  text: string;
  subject: string;
  /** Date of the commit, RFC 3339. */
  committedAt: string;
};

/** Commits are looked at up to this many for each version that is wanted: most that touch a file change its text. */
const COMMITS_PER_VERSION = 8;

/** Larger files are no Dockerfiles. */
const MAX_BYTES = 1 << 20;

/**
 * The last `most` versions of a file that differ in their text, oldest first, as the first parents of `commit` tell
 * them: a merge is one step. Renames are followed; where the file was deleted for a while, the version after is next to
 * the one before. Empty where the commit has no such file.
 */
export async function fileHistory(
  repository: Repository,
  commit: string,
  path: string,
  most: number,
): Promise<FileVersion[]> {
  const format = "--format=%x01%H%x00%T%x00%cI%x00%s";
  const log = await gitOutput(
    [
      "log",
      "--first-parent",
      "--diff-merges=first-parent",
      "--follow",
      "--find-renames",
      "--raw",
      "--no-abbrev",
      "-z",
      `--max-count=${most * COMMITS_PER_VERSION}`,
      format,
      commit,
      "--",
      path,
    ],
    { env: repository.environment },
  );
  const touched = log.toString("utf8").split("\u0001").flatMap(readEntry);
  const blobs = await readBlobs(
    repository,
    touched.map(({ blob }) => blob),
  );
  const versions: FileVersion[] = [];
  for (const { blob, ...entry } of touched) {
    const content = blobs.get(blob);
    if (content === undefined || content.length > MAX_BYTES || !isUtf8(content)) continue;
    const text = content.toString("utf8");
    const newer = versions.at(-1);
    // A rename or a change of mode is no edit: the oldest commit with a text is the one that brought it.
    if (newer?.text === text) versions[versions.length - 1] = { ...entry, text };
    else versions.push({ ...entry, text });
  }
  return versions.slice(0, most).toReversed();
}

type Entry = Omit<FileVersion, "text"> & { blob: string };

/** One commit of the log: its head, then raw entries `:modes ids status`, each followed by one or two paths. */
function readEntry(record: string): Entry[] {
  const [commit, tree, committedAt, subject, ...rest] = record.split("\0");
  if (!commit || !tree || committedAt === undefined || subject === undefined) return [];
  for (let at = 0; at < rest.length; at++) {
    const raw = /:\d{6} (\d{6}) [0-9a-f]+ ([0-9a-f]+) ([A-Z])/.exec(rest[at] ?? "");
    if (raw === null) continue;
    const [, mode = "", blob = "", status = ""] = raw;
    const path = rest[at + (status === "R" || status === "C" ? 2 : 1)];
    // Deleted, a symlink or a submodule: there is no text.
    if (path === undefined || !mode.startsWith("100")) return [];
    return [{ commit, tree, committedAt, subject, path, blob }];
  }
  return [];
}

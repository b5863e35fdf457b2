import type { FileDiff } from "../domain/change.ts";
import { gitOutput } from "./git-process.ts";
import { readQuotedPath } from "./quoted-path.ts";
import type { Repository } from "./repository.ts";

/** What turns one tree into another, renames found; by object id, no filter or external program is run. */
export async function diffTrees(repository: Repository, base: string, head: string): Promise<FileDiff[]> {
  const inside = ["--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=none"];
  const argv = ["diff-tree", "-r", "-p", "-M", ...inside, "--src-prefix=a/", "--dst-prefix=b/", base, head];
  const output = await gitOutput(argv, { env: repository.environment });
  return parseDiff(output.toString("utf8"));
}

/** Splits git's diff into files. A line of a hunk never starts with `diff --git`, so the cut is exact. */
export function parseDiff(text: string): FileDiff[] {
  const sections = text.split(/^(?=diff --git )/m);
  return sections.filter((section) => section.startsWith("diff --git ")).map(parseSection);
}

function parseSection(section: string): FileDiff {
  const start = section.search(/^@@ /m);
  const header = (start === -1 ? section : section.slice(0, start)).split("\n");
  const field = (name: string) => header.find((line) => line.startsWith(name))?.slice(name.length);
  const [oldName, newName] = headerNames(header[0] ?? "");
  const isNew = field("new file mode ") !== undefined;
  const isGone = field("deleted file mode ") !== undefined;
  const from = field("rename from ") ?? field("copy from ");
  const to = field("rename to ") ?? field("copy to ");
  return {
    oldPath: isNew ? null : from === undefined ? oldName : readQuotedPath(from),
    newPath: isGone ? null : to === undefined ? newName : readQuotedPath(to),
    hunks: start === -1 ? "" : section.slice(start),
  };
}

/** Names of `diff --git a/x b/x`. Both are the same unless the header says `rename`, so half the line is one name. */
function headerNames(line: string): [string, string] {
  const rest = line.slice("diff --git ".length);
  const half = (rest.length - 1) / 2;
  const strip = (name: string) => readQuotedPath(name).slice(2);
  return [strip(rest.slice(0, half)), strip(rest.slice(half + 1))];
}

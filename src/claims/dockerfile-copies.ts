import { posix } from "node:path";
import { Problem } from "../domain/problem.ts";
import type { Recipe } from "../domain/recipe.ts";
import { readDockerfile } from "../recipes/dockerfile.ts";
import type { DockerfileCopies } from "../domain/report.ts";

/** Files of a tree, as the caller has them. Paths are git's. */
export type ReadableTree = { list(): readonly string[]; read(path: string): string | null };

/** A folder with more Dockerfiles is not one that people mean by "no Dockerfile". */
const MAX_DOCKERFILES = 500;
const TEXT_LENGTH = 80;

/**
 * Dockerfiles that the recipes build, and the others in the same folders, by path, with the lines that copy from the
 * build context. `COPY --from` and addresses are kept apart: they need no context.
 */
export function listDockerfileCopies(tree: ReadableTree, recipes: readonly Recipe[]): DockerfileCopies[] {
  const built = Map.groupBy(recipes, ({ dockerfile }) => dockerfile ?? "");
  built.delete("");
  const folders = new Set([...built.keys()].map((path) => posix.dirname(path)));
  const endings = new Set(
    [...built.keys()].map((path) => posix.extname(path)).filter((ending) => ending !== ""),
  );
  const others = tree
    .list()
    .filter((path) => folders.has(posix.dirname(path)) && looksLikeDockerfile(path, endings));
  const paths = [...new Set([...built.keys(), ...others])].sort().slice(0, MAX_DOCKERFILES);
  return paths.map((path) => {
    const jobs = [...new Set((built.get(path) ?? []).map(({ job }) => job))];
    return { path, jobs, ...copiesIn(tree.read(path), path, built.get(path)?.[0]?.buildArgs ?? {}) };
  });
}

/** By name: `Dockerfile.x`, `x.Dockerfile`, and files with the ending of one that is built. */
function looksLikeDockerfile(path: string, endings: ReadonlySet<string>): boolean {
  const name = posix.basename(path);
  if (name.endsWith(".dockerignore")) return false;
  return (
    /^(?:Dockerfile|Containerfile)(?:\.|$)|\.(?:dockerfile|containerfile)$/i.test(name) ||
    endings.has(posix.extname(name))
  );
}

function copiesIn(
  text: string | null,
  path: string,
  buildArgs: Recipe["buildArgs"],
): Pick<DockerfileCopies, "fromContext" | "fromElsewhere" | "unread"> {
  try {
    const { instructions } = readDockerfile(text, buildArgs, path);
    const lines = (text ?? "").split(/\r?\n/);
    const at = (line: number) => ({ line, text: shortened(logicalLine(lines, line - 1)) });
    const copies = instructions.filter(
      ({ keyword, takesContext }) => takesContext || keyword === "COPY" || keyword === "ADD",
    );
    return {
      fromContext: copies.filter(({ takesContext }) => takesContext).map(({ line }) => at(line)),
      fromElsewhere: copies.filter(({ takesContext }) => !takesContext).map(({ line }) => at(line)),
      unread: null,
    };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { fromContext: [], fromElsewhere: [], unread: error.message };
  }
}

/** A line with those that it goes on in. */
function logicalLine(lines: readonly string[], first: number): string {
  const end = lines.findIndex((line, at) => at >= first && !/\\\s*$/.test(line));
  const all = lines.slice(first, (end === -1 ? first : end) + 1);
  return all.map((line) => line.replace(/\\\s*$/, "")).join(" ");
}

function shortened(line: string): string {
  const text = line.trim().replaceAll(/\s+/g, " ");
  return text.length <= TEXT_LENGTH ? text : `${text.slice(0, TEXT_LENGTH - 1)}…`;
}

import { literal, reasons, render } from "./value.ts";
import type { Value } from "./value.ts";

/** A directory or file of the tree (`.` is its root), or why it cannot be told. */
export type TreePath = { path: string } | { path: null; why: string };

/** Joins path segments below the root of the tree; null where `..` leads out of it. */
export function joinTreePath(directory: string, path: string): string | null {
  const segments: string[] = [];
  for (const segment of `${directory}/${path}`.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") segments.push(segment);
    else if (segments.pop() === undefined) return null;
  }
  return segments.length === 0 ? "." : segments.join("/");
}

/** Variables of the root of the tree: GitLab's and GitHub's. */
const ROOTS: ReadonlySet<string> = new Set(["CI_PROJECT_DIR", "GITHUB_WORKSPACE"]);

/** Path of the tree that a shell word names, read in `directory`. A variable of the root stands for the root. */
export function treePath(value: Value, directory: TreePath): TreePath {
  const written = render(value);
  const [first, ...rest] = value;
  if (first?.kind === "variable" && ROOTS.has(first.name)) {
    const below = literal(rest);
    if (below !== null && (below === "" || below.startsWith("/"))) return inTree(".", below, written);
  }
  const path = literal(value);
  if (path === null) {
    return { path: null, why: reasons(value)[0] ?? `${written} is known only in a pipeline` };
  }
  if (path.startsWith("/") || path.startsWith("~")) {
    return { path: null, why: `${written} is not in the tree` };
  }
  return directory.path === null ? directory : inTree(directory.path, path, written);
}

function inTree(directory: string, path: string, written: string): TreePath {
  const joined = joinTreePath(directory, path);
  return joined === null ? { path: null, why: `${written} leads out of the tree` } : { path: joined };
}

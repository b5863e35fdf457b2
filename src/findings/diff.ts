import type { Change } from "../domain/change.ts";
import type { SourceLine } from "../domain/recipe.ts";
import { changedLines } from "../git/changed-lines.ts";
import type { Side } from "./types.ts";

/** Changed lines of a change: added ones by their place in the head, removed ones by theirs in the base. */
export type Diff = {
  /** Lines of one file, in order. */
  lines(side: Side, file: string): readonly SourceLine[];
  /** Lines of all files, in the order of the diff. */
  all(side: Side): readonly SourceLine[];
  /** Whether a line is one of the diff. */
  has(side: Side, file: string, line: number): boolean;
  /** Place of a file in the diff, for sorting. */
  order(file: string): number;
};

export function diffOf(change: Change): Diff {
  const files = change.files.map(changedLines);
  const all = { head: files.flatMap(({ added }) => added), base: files.flatMap(({ removed }) => removed) };
  const byFile = {
    head: Map.groupBy(all.head, ({ file }) => file),
    base: Map.groupBy(all.base, ({ file }) => file),
  };
  return {
    lines: (side, file) => byFile[side].get(file) ?? [],
    all: (side) => all[side],
    has: (side, file, line) => byFile[side].get(file)?.some((each) => each.line === line) ?? false,
    order: (file) => change.files.findIndex(({ oldPath, newPath }) => newPath === file || oldPath === file),
  };
}

import type { FileDiff } from "../domain/change.ts";
import type { DiffLine } from "../domain/finding.ts";
import type { SourceLine } from "../domain/recipe.ts";

/** Lines of a file's diff with their numbers: added ones as in the new file, removed ones as in the old. */
export function changedLines(file: FileDiff): { added: SourceLine[]; removed: SourceLine[] } {
  const lines = diffLines(file).flat();
  const { oldPath, newPath } = file;
  return {
    added: lines.flatMap(({ mark, head, text }) =>
      mark === "added" && newPath !== null && head !== null ? [{ file: newPath, line: head, text }] : [],
    ),
    removed: lines.flatMap(({ mark, base, text }) =>
      mark === "removed" && oldPath !== null && base !== null ? [{ file: oldPath, line: base, text }] : [],
    ),
  };
}

/** Every line of a file's diff, hunk by hunk. */
export function diffLines(file: FileDiff): DiffLine[][] {
  const hunks: DiffLine[][] = [];
  let base = 0;
  let head = 0;
  for (const text of file.hunks.split("\n")) {
    const header = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(text);
    const said = text.slice(1);
    if (header) {
      base = Number(header[1]);
      head = Number(header[2]);
      hunks.push([]);
    } else if (text.startsWith("+"))
      hunks.at(-1)?.push({ mark: "added", base: null, head: head++, text: said });
    else if (text.startsWith("-"))
      hunks.at(-1)?.push({ mark: "removed", base: base++, head: null, text: said });
    else if (text.startsWith(" "))
      hunks.at(-1)?.push({ mark: "kept", base: base++, head: head++, text: said });
  }
  return hunks;
}

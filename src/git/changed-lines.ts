import type { FileDiff } from "../domain/change.ts";
import type { SourceLine } from "../domain/recipe.ts";

/** Lines of a file's diff with their numbers: added ones as in the new file, removed ones as in the old. */
export function changedLines(file: FileDiff): { added: SourceLine[]; removed: SourceLine[] } {
  const added: SourceLine[] = [];
  const removed: SourceLine[] = [];
  let oldLine = 0;
  let newLine = 0;
  for (const text of file.hunks.split("\n")) {
    const header = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(text);
    if (header) {
      oldLine = Number(header[1]);
      newLine = Number(header[2]);
    } else if (text.startsWith("+")) {
      if (file.newPath !== null) added.push({ file: file.newPath, line: newLine, text: text.slice(1) });
      newLine += 1;
    } else if (text.startsWith("-")) {
      if (file.oldPath !== null) removed.push({ file: file.oldPath, line: oldLine, text: text.slice(1) });
      oldLine += 1;
    } else if (text.startsWith(" ")) {
      oldLine += 1;
      newLine += 1;
    }
  }
  return { added, removed };
}

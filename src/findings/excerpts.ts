import type { Change } from "../domain/change.ts";
import type { DiffExcerpt, DiffLine, Finding } from "../domain/finding.ts";
import { diffLines } from "../git/changed-lines.ts";

/** Lines of the diff before and after the one that is meant. */
const AROUND = 4;
/** A longer line is cut: it is there to be recognised. */
const WIDTH = 300;

/** The diff around each place of a change's findings, once each, in their order. */
export function excerptsOf(change: Change, findings: readonly Finding[]): DiffExcerpt[] {
  const places = new Map(findings.map((finding) => [placeOf(finding), finding]));
  const hunksByFile = new Map<string, DiffLine[][]>();
  return [...places.values()].flatMap(({ file, line, side }) => {
    const diff = change.files.find(({ oldPath, newPath }) => (side === "head" ? newPath : oldPath) === file);
    const key = JSON.stringify([file, side]);
    const hunks = hunksByFile.get(key) ?? (diff === undefined ? [] : diffLines(diff));
    hunksByFile.set(key, hunks);
    const found = hunks.flatMap((hunk) => around(hunk, side, line));
    return found.length === 0 ? [] : [{ file, line, side, lines: found }];
  });
}

function around(hunk: readonly DiffLine[], side: "base" | "head", line: number): DiffLine[] {
  const at = hunk.findIndex((each) => each[side] === line);
  if (at < 0) return [];
  return hunk
    .slice(Math.max(0, at - AROUND), at + AROUND + 1)
    .map((each) => ({ ...each, text: each.text.slice(0, WIDTH).toWellFormed() }));
}

function placeOf({ file, line, side }: Finding): string {
  return JSON.stringify([file, line, side]);
}

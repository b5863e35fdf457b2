import { z } from "zod";
import type { FileDiff } from "../domain/change.ts";
import { formatCount } from "../domain/quantities.ts";
import { Problem } from "../domain/problem.ts";
import type { SourceLine } from "../domain/recipe.ts";
import { editorSchema } from "./editor-schema.ts";
import { OPERATOR_KEYS } from "./operator-file.ts";
import { readSettings, type SettingsText } from "./settings-file.ts";
import { described, globs, imageCount } from "./value-schemas.ts";
import { wishes } from "./wishes.ts";

/** The project's file, at the root of the target branch. */
export const PROJECT_FILE = ".tare.yml";

const images = z.strictObject({
  include: described(globs, "images to try, by name or Dockerfile; all where none is written"),
  ignore: described(globs, "images to leave alone, even where `include` has them", []),
  atMost: described(imageCount, "most images of one change"),
});

const schema = z.strictObject({
  images: described(images, "which images are tried; * stands for any letters but /, ** for any, ? for one"),
  strategies: wishes.strategies,
  edits: wishes.edits,
  replay: wishes.replay,
  repeats: wishes.repeats,
  budget: wishes.budget,
  thresholds: wishes.thresholds,
  ledger: wishes.ledger,
});

/** A project's wishes as written; what is not written is undefined. */
export type ProjectSettings = z.output<typeof schema>;

const REFUSED: Readonly<Record<string, string>> = Object.fromEntries(
  OPERATOR_KEYS.filter((key) => !(key in schema.shape)).map((key) => [
    key,
    "is the operator's to set: a project's file cannot",
  ]),
);

/** Reads the project's file. Problem `project-file` with every fault, one a line: whoever keeps the project can mend it. */
export function readProjectFile(source: SettingsText): ProjectSettings {
  const { settings, faults } = readSettings({ schema, refused: REFUSED }, source);
  if (faults === null) return settings;
  throw new Problem(
    "project-file",
    `${source.path} of the target branch has ${formatCount(faults.length, "fault")}.`,
    "Mend the lines below on the target branch; `tare config` reads the file alone.",
    faults,
  );
}

/** Files of a tree, as src/git reads them. */
type Tree = {
  read(path: string): string | null;
  whyNot(path: string): string | null;
  has(path: string): boolean;
};

/** The project's settings from a tree: give the target branch's, never the head's. Null where it has no such file. */
export function projectSettingsOf(tree: Tree): ProjectSettings | null {
  const text = tree.read(PROJECT_FILE);
  if (text !== null) return readProjectFile({ path: PROJECT_FILE, text });
  if (!tree.has(PROJECT_FILE)) return null;
  throw new Problem(
    "project-file",
    `${PROJECT_FILE} of the target branch cannot be read: ${tree.whyNot(PROJECT_FILE) ?? "unknown"}.`,
    "Make it a regular file of the repository.",
  );
}

/** JSON Schema (draft 2020-12) of the project's file, for editors. */
export function projectJsonSchema(): object {
  return editorSchema(schema, "Tare: the project's file (.tare.yml)");
}

/**
 * The remark on a change that touches the project's file: it has no say in its own answer. The line is the first that
 * differs, of the head where it has the file. Null where the change leaves it alone.
 */
export function projectFileRemark(files: readonly FileDiff[]): SourceLine | null {
  const touched = files.find(({ oldPath, newPath }) => oldPath === PROJECT_FILE || newPath === PROJECT_FILE);
  if (touched === undefined) return null;
  const before = touched.oldPath === PROJECT_FILE;
  const after = touched.newPath === PROJECT_FILE;
  const verb = before ? (after ? "edits" : "removes") : "adds";
  const used = before
    ? "the answer was made with the target branch's"
    : "the answer was made without it, because the target branch has none";
  return {
    file: PROJECT_FILE,
    line: firstChangedLine(touched.hunks, after ? "+" : "-"),
    text: `the change ${verb} ${PROJECT_FILE}: ${used}`,
  };
}

/** 1-based line of the first change in a unified diff, as one side counts; 1 where there is none to see. */
function firstChangedLine(hunks: string, side: "+" | "-"): number {
  const header = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@.*$/mu.exec(hunks);
  if (header === null) return 1;
  const start = Number(side === "+" ? header[2] : header[1]);
  const lines = hunks.slice(header.index + header[0].length + 1).split("\n");
  const unchanged = lines.findIndex((line) => !line.startsWith(" "));
  return Math.max(1, start + Math.max(0, unchanged));
}

import { noInstances, type BuildxInstances } from "./buildx-instances.ts";
import type { Draft, JobFrame } from "./recipe-draft.ts";
import type { ShellCommand } from "./shell-session.ts";
import type { TreeFiles, Unread } from "./types.ts";

/** What is known of a job while its script is followed. */
export type JobReading = {
  frame: JobFrame;
  tree: TreeFiles;
  drafts: Draft[];
  unread: Unread[];
  buildx: BuildxInstances;
  /** References pulled so far, with the conditions that the pull stands under. */
  pulls: { reference: string; conditions: readonly string[] }[];
  /** Files of the tree that the script has written, with the command that did. */
  written: Map<string, string>;
};

/** A reading of a job of which nothing is read yet. */
export function blankReading(frame: JobFrame, tree: TreeFiles): JobReading {
  return { frame, tree, drafts: [], unread: [], buildx: noInstances(), pulls: [], written: new Map() };
}

/** Notes a command that no recipe could be made of. */
export function note(reading: JobReading, command: ShellCommand, why: string): void {
  noteAt(reading, command.file, command.line, command.text, why);
}

/** Notes a text at a line, once. */
export function noteAt(reading: JobReading, file: string, line: number, text: string, why: string): void {
  const { job } = reading.frame;
  const command = text.replaceAll(/\s+/g, " ").slice(0, 200);
  const known = reading.unread.some(
    (old) => old.file === file && old.line === line && old.command === command && old.why === why,
  );
  if (!known) reading.unread.push({ job, file, line, command, why });
}

/** Takes in a build, or notes why it is none. */
export function keep(reading: JobReading, command: ShellCommand, draft: Draft | string): void {
  if (typeof draft === "string") note(reading, command, draft);
  else reading.drafts.push(draft);
}

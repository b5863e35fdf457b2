import type { ScriptFiles } from "./shell-files.ts";
import type { ShellSource } from "./shell-source.ts";
import type { Ending, Outer, ShellState } from "./shell-state.ts";
import type { Field } from "./shell-words.ts";
import type { TreePath } from "./tree-path.ts";
import type { Value } from "./value.ts";

/** A program that a script runs. */
export type ShellCommand = {
  /** The program and its arguments. */
  words: readonly Field[];
  /** Working directory. */
  directory: TreePath;
  /** Conditions that could not be decided and that must hold for the command to run. */
  conditions: readonly string[];
  /** As written, on one line. */
  text: string;
  file: string;
  line: number;
  /** Value that a variable has in the program's environment; null where the shell keeps it to itself. */
  environment(name: string): Value | null;
  /** Names of the variables that the script itself exports. */
  exported: readonly string[];
};

/** States in which a function or a loop was left before its end. */
export type EarlyEnds = Record<Ending["kind"], ShellState[]>;

/** What all shells of one job share. */
export type ShellJob = {
  outer: Outer;
  files: ScriptFiles;
  counter: { commands: number; exhausted: boolean };
  /** Files of the tree that the job writes, with the command that does. */
  written: Map<string, string>;
  run(command: ShellCommand): void;
  /** A script that is called and not read. */
  refuse(command: ShellCommand, why: string): void;
  /** What `echo` appends to a file; null where the line is not told. */
  append?: (target: Value, line: Value | null, conditions: readonly string[]) => void;
};

/** One shell reading one script of a job. */
export type ShellSession = ShellJob & {
  source: ShellSource;
  conditions: readonly string[];
  depth: number;
  /** Where commands of a nested script (`sh -c`) are said: at the outer command. */
  said: number | null;
  ends: EarlyEnds;
};

/** Nothing has ended early so far. */
export function noEnds(): EarlyEnds {
  return { exit: [], return: [], break: [], continue: [] };
}

/** A session for one source of a job. */
export function startSession(source: ShellSource, job: ShellJob): ShellSession {
  return { ...job, source, conditions: [], depth: 0, said: null, ends: noEnds() };
}

/** The same session where one more condition must hold. */
export function within(session: ShellSession, condition: string): ShellSession {
  return { ...session, conditions: [...session.conditions, condition] };
}

/** Source text on one line, cut where it is long. */
export function oneLine(session: ShellSession, start: number, end: number): string {
  const text = session.source.text
    .slice(start, end)
    .replaceAll(/\\\n|\s+/g, " ")
    .replaceAll(/ {2,}/g, " ");
  return text.length > 200 ? `${text.slice(0, 199)}…` : text.trim();
}

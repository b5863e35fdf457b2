import type { ShellSource } from "./shell-source.ts";
import type { Outer } from "./shell-state.ts";
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

/** One shell reading one job's script. */
export type ShellSession = {
  source: ShellSource;
  outer: Outer;
  conditions: readonly string[];
  depth: number;
  /** Where commands of a nested script (`sh -c`) are said: at the outer command. */
  said: number | null;
  counter: { commands: number; exhausted: boolean };
  run(command: ShellCommand): void;
};

/** A session for one source of a job. */
export function startSession(
  source: ShellSource,
  outer: Outer,
  counter: ShellSession["counter"],
  run: ShellSession["run"],
): ShellSession {
  return { source, outer, conditions: [], depth: 0, said: null, counter, run };
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

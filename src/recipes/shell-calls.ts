import { parse } from "unbash";
import type { Command } from "unbash";
import { describe } from "./shell-commands.ts";
import { followNode, followScript } from "./shell.ts";
import { join } from "./shell-branches.ts";
import type { Status } from "./shell-conditions.ts";
import { TELLING_NAME } from "./other-builders.ts";
import { openScript } from "./shell-files.ts";
import { noEnds } from "./shell-session.ts";
import type { ShellSession } from "./shell-session.ts";
import { childState, copyState } from "./shell-state.ts";
import type { ShellFunction, ShellState } from "./shell-state.ts";
import type { Field } from "./shell-words.ts";
import { treePath } from "./tree-path.ts";
import type { Value } from "./value.ts";

/** Deepest nesting of functions, scripts and `sh -c`. */
export const DEEPEST = 20;

/** Calls a function: what it leaves behind stays, however it returns. */
export function callFunction(
  session: ShellSession,
  called: ShellFunction,
  args: readonly Field[],
  state: ShellState,
  local: ReadonlyMap<string, Value>,
): Status {
  if (session.depth >= DEEPEST) return "ordinary";
  const { positional, guards } = state;
  const ends = noEnds();
  const { source, said, body } = called;
  for (const [name, value] of local) state.variables.set(name, value);
  state.positional = args.map((field) => field.value);
  const inner = { ...session, source, said, ends, depth: session.depth + 1 };
  const last = followNode(inner, body, state);
  const early = ends.return.length > 0;
  const failing = state.ended?.kind === "return" && state.ended.failing;
  join(state, ends, ["return"], guards, session.outer);
  state.positional = positional;
  if (early) return "undecided";
  return failing ? "false" : last;
}

/** Runs a script that stands in a text: `sh -c`, `eval`, a here-document. */
export function runText(
  session: ShellSession,
  text: string,
  subshell: boolean,
  node: Command,
  state: ShellState,
  local: ReadonlyMap<string, Value>,
): Status {
  if (session.depth >= DEEPEST) return "ordinary";
  const script = parse(text);
  const source = { ...session.source, text, script };
  const said = session.said ?? node.pos;
  const ends = subshell ? noEnds() : session.ends;
  const inner = { ...session, source, said, ends, depth: session.depth + 1 };
  const target = subshell ? { ...copyState(state), positional: [] } : state;
  for (const [variable, value] of local) target.variables.set(variable, value);
  const status = followScript(inner, script, target);
  return status === "true" || status === "false" ? "ordinary" : status;
}

type Called = { file: Value; args: readonly Value[]; how: "program" | "shell" | "sourced" };

/** Runs a script of the tree; null where the tree has none, or nothing in it builds. */
export function runFile(
  session: ShellSession,
  { file, args, how }: Called,
  words: readonly Field[],
  node: Command,
  state: ShellState,
  local: ReadonlyMap<string, Value>,
): Status | null {
  const { path } = treePath(file, state.directory);
  const command = () => describe(session, words, node, state, local);
  if (path === null) return null;
  const script = openScript(session.files, path, how);
  if (script === null) {
    const missing = session.files.tree.read(path) === null;
    if (!missing || !TELLING_NAME.test(path)) return null;
    session.refuse(command(), `${path} is not in the tree`);
    return "ordinary";
  }
  if (session.written.has(path)) {
    session.refuse(command(), `${path} is written by the job: ${session.written.get(path)}`);
    return "ordinary";
  }
  if ("why" in script || session.depth >= DEEPEST) {
    session.refuse(command(), "why" in script ? script.why : `${path} is called too deep`);
    return "ordinary";
  }
  const ends = noEnds();
  const inner = { ...session, source: script.source, said: null, ends, depth: session.depth + 1 };
  const target = how === "sourced" ? state : childState(state, session.outer, file, args);
  const { positional, guards, name } = state;
  for (const [variable, value] of local) {
    target.variables.set(variable, value);
    target.exported.add(variable);
  }
  if (how === "sourced") {
    state.name = file;
    if (args.length > 0) state.positional = args;
  }
  followScript(inner, script.source.script, target);
  if (how === "sourced") {
    join(state, ends, ["return"], guards, session.outer);
    state.positional = positional;
    state.name = name;
  }
  return "ordinary";
}

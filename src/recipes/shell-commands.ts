import { parse } from "unbash";
import type { Command } from "unbash";
import { followNode, followScript } from "./shell.ts";
import { runBuiltin } from "./shell-builtins.ts";
import type { Status } from "./shell-conditions.ts";
import { oneLine } from "./shell-session.ts";
import type { ShellCommand, ShellSession } from "./shell-session.ts";
import { copyState, directoryValue, readVariable } from "./shell-state.ts";
import type { ShellState } from "./shell-state.ts";
import { expandFields, expandValue } from "./shell-words.ts";
import type { Field, WordContext } from "./shell-words.ts";
import { concatenate, literal, unknown } from "./value.ts";
import type { Value } from "./value.ts";

/** Most commands that are followed in one job, and the deepest nesting of functions and `sh -c`. */
const MOST_COMMANDS = 5000;
const DEEPEST = 20;

/** Follows one simple command: its assignments, its words, and what it runs. */
export function followCommand(session: ShellSession, node: Command, state: ShellState): Status {
  session.counter.commands += 1;
  if (session.counter.commands > MOST_COMMANDS) {
    session.counter.exhausted = true;
    return "ordinary";
  }
  const context = wordContext(session, state);
  const local = new Map<string, Value>();
  for (const part of node.prefix) {
    if (part.type !== "Assignment") continue;
    const value = assignedValue(part, state, context);
    if (node.name === undefined) state.variables.set(part.name, value);
    else local.set(part.name, value);
  }
  if (node.name === undefined) return "true";
  const words = [...expandFields(node.name, context)];
  for (const argument of node.args) {
    if (argument.type === "Word") words.push(...expandFields(argument, context));
    else {
      const value = assignedValue(argument, state, context);
      words.push({ value: concatenate([{ kind: "text", text: `${argument.name}=` }], value), loose: false });
    }
  }
  return runWords(session, words, node, state, local);
}

function assignedValue(
  part: Extract<Command["prefix"][number], { type: "Assignment" }>,
  state: ShellState,
  context: WordContext,
): Value {
  if (part.value.type === "ArrayValue" || part.index !== undefined) {
    return unknown(`$${part.name}`, `$${part.name} is an array`);
  }
  const value = expandValue(part.value, context);
  return part.append === true
    ? concatenate(state.variables.get(part.name) ?? context.lookup(part.name), value)
    : value;
}

/** Runs one command whose words are expanded: a function, a builtin, a nested shell, or a program. */
function runWords(
  session: ShellSession,
  words: readonly Field[],
  node: Command,
  state: ShellState,
  local: ReadonlyMap<string, Value>,
): Status {
  const [program, ...rest] = words;
  if (program === undefined) return "true";
  const name = literal(program.value) ?? "";
  const body = state.functions.get(name);
  if (body !== undefined) {
    if (session.depth >= DEEPEST) return "ordinary";
    const outer = state.positional;
    state.positional = rest.map((field) => field.value);
    const status = followNode({ ...session, depth: session.depth + 1 }, body, state);
    state.positional = outer;
    return status;
  }
  const result = runBuiltin(name, rest, state, (wanted) => readVariable(state, session.outer, wanted));
  switch (result.kind) {
    case "done":
      return result.status;
    case "unwrapped": {
      const environment = new Map([...local, ...result.environment]);
      return runWords(session, result.words, node, state, environment);
    }
    case "nested": {
      if (session.depth >= DEEPEST) return "ordinary";
      const script = parse(result.script);
      const source = { ...session.source, text: result.script, script };
      const said = session.said ?? node.pos;
      const inner = { ...session, source, said, depth: session.depth + 1 };
      const target = result.subshell ? { ...copyState(state), positional: [] } : state;
      for (const [variable, value] of local) target.variables.set(variable, value);
      const status = followScript(inner, script, target);
      return status === "true" || status === "false" ? "ordinary" : status;
    }
    case "program":
      session.run(describe(session, words, node, state, local));
      return "ordinary";
  }
  return result satisfies never;
}

function describe(
  session: ShellSession,
  words: readonly Field[],
  node: Command,
  state: ShellState,
  local: ReadonlyMap<string, Value>,
): ShellCommand {
  const kept = copyState(state);
  const { file, line } = session.source.place(session.said ?? node.name?.pos ?? node.pos);
  return {
    words,
    directory: state.directory,
    conditions: session.conditions,
    text: oneLine(session, node.name?.pos ?? node.pos, node.end),
    file,
    line,
    exported: [...local.keys(), ...kept.exported],
    environment: (name) => {
      const own = local.get(name);
      if (own !== undefined) return own;
      const given = session.outer.names.has(name);
      if (!kept.exported.has(name) && !given) return null;
      return kept.variables.get(name) === null ? null : readVariable(kept, session.outer, name);
    },
  };
}

/** What words of this session are expanded with. */
export function wordContext(session: ShellSession, state: ShellState): WordContext {
  return {
    positional: state.positional,
    lookup: (name) => readVariable(state, session.outer, name),
    isSet: (name) => {
      const own = state.variables.get(name);
      return own !== undefined ? own !== null : session.outer.names.has(name) || name === "PWD";
    },
    assign: (name, value) => state.variables.set(name, value),
    substitute: (script) => {
      if (session.depth >= DEEPEST) return null;
      if (/^\s*pwd\s*$/.test(session.source.text.slice(script.pos, script.end)))
        return directoryValue(state.directory);
      // Escaped backticks have a text of their own: their offsets are not those of the source.
      const said = script.source === undefined ? session.said : (session.said ?? 0);
      const source =
        script.source === undefined ? session.source : { ...session.source, text: script.source };
      followScript({ ...session, source, said, depth: session.depth + 1 }, script, copyState(state));
      return null;
    },
  };
}

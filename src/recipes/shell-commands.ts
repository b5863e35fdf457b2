import type { Command } from "unbash";
import { followScript } from "./shell.ts";
import { DEEPEST, callFunction, runFile, runText } from "./shell-calls.ts";
import { runBuiltin } from "./shell-builtins.ts";
import type { Status } from "./shell-conditions.ts";
import { callsBuilder } from "./other-builders.ts";
import { printedBy } from "./shell-output.ts";
import { noEnds, oneLine } from "./shell-session.ts";
import type { ShellCommand, ShellSession } from "./shell-session.ts";
import { copyState, readVariable } from "./shell-state.ts";
import type { ShellState } from "./shell-state.ts";
import { expandFields, expandValue } from "./shell-words.ts";
import type { Field, WordContext } from "./shell-words.ts";
import { noteRedirects, noteWrites } from "./shell-writes.ts";
import { concatenate, known, literal, render, unknown } from "./value.ts";
import type { Value } from "./value.ts";

/** Most commands that are followed in one job. */
const MOST_COMMANDS = 5000;
/** Most words of one command, and most members of an array: both can be doubled. */
const MOST_WORDS = 2000;

/** Follows one simple command: its assignments, its words, and what it runs. */
export function followCommand(session: ShellSession, node: Command, state: ShellState): Status {
  session.counter.commands += 1;
  if (session.counter.commands > MOST_COMMANDS) {
    session.counter.exhausted = true;
    return "ordinary";
  }
  const context = wordContext(session, state);
  noteRedirects(session, node, context, state);
  const local = new Map<string, Value>();
  for (const part of node.prefix) {
    if (part.type !== "Assignment") continue;
    if (node.name === undefined) assign(part, state, context);
    else local.set(part.name, assignedValue(part, state, context));
  }
  if (node.name === undefined) return "true";
  const words = [...expandFields(node.name, context)];
  for (const argument of node.args) {
    if (argument.type === "Word") words.push(...expandFields(argument, context));
    else if (argument.value.type === "ArrayValue") assign(argument, state, context);
    else {
      const value = assignedValue(argument, state, context);
      words.push({ value: concatenate([{ kind: "text", text: `${argument.name}=` }], value), loose: false });
    }
  }
  if (words.length > MOST_WORDS) {
    session.counter.exhausted = true;
    return "ordinary";
  }
  noteAppends(session, words, node, context, state);
  return runWords(session, words, node, state, local);
}

/** Hands on what `echo` appends to files that the CI system reads after the step. */
function noteAppends(
  session: ShellSession,
  words: readonly Field[],
  node: Command,
  context: WordContext,
  state: ShellState,
): void {
  if (session.append === undefined) return;
  const [program, ...args] = words;
  const plain = render(program?.value ?? []) === "echo" && args.every((word) => !word.loose);
  const shown = args.filter((word, at) => at > 0 || !/^-[neE]+$/.test(render(word.value)));
  const line = concatenate(
    ...shown.flatMap((word, at) => (at === 0 ? [word.value] : [known(" "), word.value])),
  );
  const conditions = [...session.conditions, ...state.guards.map((guard) => guard.text)];
  for (const redirect of node.redirects) {
    if (redirect.type !== "Redirect" || redirect.target === undefined) continue;
    if (redirect.operator === ">>" || redirect.operator === ">")
      session.append(expandValue(redirect.target, context), plain ? line : null, conditions);
  }
}

type AssignmentNode = Extract<Command["prefix"][number], { type: "Assignment" }>;

/** Sets a variable or an array of the shell. */
function assign(part: AssignmentNode, state: ShellState, context: WordContext): void {
  const { name } = part;
  if (part.value.type === "ArrayValue" && part.index === undefined) {
    const fields = part.value.elements.flatMap((word) => expandFields(word, context));
    const scalar = state.variables.get(name);
    const old = state.arrays.get(name) ?? (scalar ? [{ value: scalar, loose: false }] : []);
    const members = part.append === true ? [...old, ...fields] : fields;
    if (members.length > MOST_WORDS) {
      state.arrays.delete(name);
      state.variables.set(name, unknown(`$${name}`, `$${name} has more than ${MOST_WORDS} members`));
      return;
    }
    state.arrays.set(name, members);
    state.variables.set(name, members[0]?.value ?? []);
    return;
  }
  state.variables.set(name, assignedValue(part, state, context));
  state.arrays.delete(name);
}

function assignedValue(part: AssignmentNode, state: ShellState, context: WordContext): Value {
  if (part.value.type === "ArrayValue" || part.index !== undefined) {
    return unknown(`$${part.name}`, `$${part.name} is an array`);
  }
  const value = expandValue(part.value, context);
  return part.append === true
    ? concatenate(state.variables.get(part.name) ?? context.lookup(part.name), value)
    : value;
}

/** Runs one command whose words are expanded: a function, a builtin, a script, or a program. */
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
  const called = state.functions.get(name);
  if (called !== undefined) return callFunction(session, called, rest, state, local);
  const result = runBuiltin(name, rest, state);
  switch (result.kind) {
    case "done":
      return result.status;
    case "unwrapped": {
      const environment = new Map([...local, ...result.environment]);
      return runWords(session, result.words, node, state, environment);
    }
    case "nested":
      if (result.opaque && callsBuilder(result.script)) {
        const why = "what it runs is put together when the job runs";
        session.refuse(describe(session, words, node, state, local), why);
        return "ordinary";
      }
      return runText(session, result.script, result.subshell, node, state, local);
    case "input": {
      const document = node.redirects.find((redirect) => redirect.type === "HereDoc");
      if (document === undefined) break;
      return runText(session, document.body.text, true, node, state, local);
    }
    case "script": {
      const { file, args, sourced } = result;
      const how = sourced ? "sourced" : "shell";
      return runFile(session, { file, args, how }, words, node, state, local) ?? "ordinary";
    }
    case "program": {
      if (!render(program.value).includes("/")) break;
      const args = rest.map((word) => word.value);
      const script = { file: program.value, args, how: "program" } as const;
      const status = runFile(session, script, words, node, state, local);
      if (status !== null) return status;
    }
  }
  const command = describe(session, words, node, state, local);
  noteWrites(session, words, state, command.text);
  session.run(command);
  return "ordinary";
}

/** A program as it is handed on. */
export function describe(
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
    conditions: [...new Set([...session.conditions, ...state.guards.map((guard) => guard.text)])],
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
  const context: WordContext = {
    positional: state.positional,
    name: state.name,
    array: (name) => state.arrays.get(name) ?? null,
    lookup: (name) => readVariable(state, session.outer, name),
    isSet: (name) => {
      const own = state.variables.get(name);
      return own !== undefined ? own !== null : session.outer.names.has(name) || name === "PWD";
    },
    assign: (name, value) => state.variables.set(name, value),
    substitute: (script) => {
      if (session.depth >= DEEPEST) return null;
      // Escaped backticks have a text of their own: their offsets are not those of the source.
      const said = script.source === undefined ? session.said : (session.said ?? 0);
      const source =
        script.source === undefined ? session.source : { ...session.source, text: script.source };
      const after = copyState(state);
      const inner = { ...session, source, said, ends: noEnds(), depth: session.depth + 1 };
      followScript(inner, script, after);
      const read = (path: string) => (session.written.has(path) ? null : session.files.tree.read(path));
      return printedBy(script, context, after, read);
    },
  };
  return context;
}

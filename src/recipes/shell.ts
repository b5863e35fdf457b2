import { parse } from "unbash";
import type {
  AndOr,
  Command,
  CommandNode,
  CompoundList,
  If,
  ParsedScript,
  PipelineNode,
  Statement,
} from "unbash";
import { runBuiltin } from "./shell-builtins.ts";
import { expressionStatus, negate } from "./shell-conditions.ts";
import type { Status } from "./shell-conditions.ts";
import type { ShellSource } from "./shell-source.ts";
import { copyState, directoryValue, mergeStates, readVariable } from "./shell-state.ts";
import type { Outer, ShellState } from "./shell-state.ts";
import { expandFields, expandValue } from "./shell-words.ts";
import type { Field, WordContext } from "./shell-words.ts";
import type { TreePath } from "./tree-path.ts";
import { concatenate, literal, unknown } from "./value.ts";
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

/** Most commands that are followed in one job, and the deepest nesting of functions and `sh -c`. */
const MOST_COMMANDS = 5000;
const DEEPEST = 20;

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

/** Follows a script: variables, directories and conditions are kept, every program is handed to `session.run`. */
export function followScript(session: ShellSession, script: ParsedScript, state: ShellState): Status {
  return followList(session, script.commands, state);
}

function followList(session: ShellSession, statements: readonly Statement[], state: ShellState): Status {
  let status: Status = "true";
  for (const statement of statements) {
    if (state.ended || session.counter.exhausted) break;
    const target = statement.background === true ? copyState(state) : state;
    const { command } = statement;
    status =
      command.type === "AndOr"
        ? followAndOr(session, command, target)
        : followPipeline(session, command, target);
  }
  return status;
}

function followAndOr(session: ShellSession, list: AndOr, state: ShellState): Status {
  let status: Status = "true";
  for (const [at, node] of list.commands.entries()) {
    const operator = at === 0 ? "&&" : list.operators[at - 1];
    if (state.ended) break;
    if (operator === "&&" && status === "false") continue;
    if (operator === "||" && status === "true") continue;
    if ((operator === "&&" && status !== "undecided") || status === "false") {
      status = followPipeline(session, node, state);
      continue;
    }
    const left = oneLine(session, list.pos, list.commands[at - 1]?.end ?? list.pos);
    const condition = operator === "&&" ? left : `${left} fails`;
    const branch = copyState(state);
    const right = followPipeline(within(session, condition), node, branch);
    // A branch that ends the script leaves only the other one to go on.
    const other = copyState(state);
    mergeStates(state, branch.ended ? [other] : [other, branch], condition, session.outer);
    // `a || b` succeeds if `a`, a program, does.
    status = status === "ordinary" ? "ordinary" : right === status ? status : "undecided";
  }
  return status;
}

function followPipeline(session: ShellSession, node: PipelineNode, state: ShellState): Status {
  if (node.type !== "Pipeline") return followNode(session, node, state);
  const alone = node.commands.length === 1;
  let status: Status = "true";
  for (const command of node.commands) {
    status = followNode(session, command, alone ? state : copyState(state));
  }
  return node.prefixes.some((prefix) => prefix.type === "Negation") ? negate(status) : status;
}

function followNode(session: ShellSession, node: CommandNode | CompoundList, state: ShellState): Status {
  switch (node.type) {
    case "Command":
      return followCommand(session, node, state);
    case "CompoundList":
      return followList(session, node.commands, state);
    case "Redirected":
      return followNode(session, node.command, state);
    case "BraceGroup":
      return followList(session, node.body.commands, state);
    case "Subshell":
      return followList(session, node.body.commands, copyState(state));
    case "If":
      return followIf(session, node, state);
    case "While": {
      // Commands of the condition run at least once; the body may not run at all.
      const status = followList(session, node.clause.commands, state);
      if (status === (node.kind === "while" ? "false" : "true")) return "true";
      const clause = oneLine(session, node.clause.pos, node.clause.end);
      return followMaybe(session, node.body, state, `${node.kind} ${clause}`);
    }
    case "For":
    case "Select":
      return followFor(session, node, state);
    case "ArithmeticFor":
      return followMaybe(session, node.body, state, "a counting loop");
    case "Case": {
      const word = oneLine(session, node.word.pos, node.word.end);
      for (const item of node.items) {
        const patterns = item.pattern.map((pattern) => pattern.text).join("|");
        followMaybe(session, item.body, state, `case ${word} in ${patterns}`);
      }
      return "undecided";
    }
    case "Function":
      state.functions.set(node.name.value, node.body);
      return "true";
    case "TestCommand":
      return expressionStatus(node.expression, wordContext(session, state));
    case "ArithmeticCommand":
      return "undecided";
    case "Coproc":
      return followNode(session, node.body, copyState(state));
  }
  return node satisfies never;
}

/** Follows commands that may not run. */
function followMaybe(
  session: ShellSession,
  list: CompoundList,
  state: ShellState,
  condition: string,
): Status {
  const branch = copyState(state);
  followList(within(session, condition), list.commands, branch);
  mergeStates(
    state,
    branch.ended ? [copyState(state)] : [copyState(state), branch],
    condition,
    session.outer,
  );
  return "undecided";
}

function followIf(session: ShellSession, node: If, state: ShellState): Status {
  const branches: ShellState[] = [];
  const undecided: string[] = [];
  let inner = session;
  let complete = false;
  for (const { clause, then } of [node, ...node.elif]) {
    const status = followList(inner, clause.commands, state);
    const condition = oneLine(session, clause.pos, clause.end);
    if (status === "false") continue;
    if (status === "true") {
      branches.push(followBranch(inner, then, state));
      complete = true;
      break;
    }
    branches.push(followBranch(within(inner, condition), then, state));
    undecided.push(condition);
    inner = within(inner, `not ${condition}`);
  }
  if (!complete)
    branches.push(node.else === undefined ? copyState(state) : followBranch(inner, node.else, state));
  const going = branches.filter((branch) => !branch.ended);
  mergeStates(state, going.length > 0 ? going : branches, undecided.join(", "), session.outer);
  return undecided.length === 0 ? "true" : "undecided";
}

function followBranch(session: ShellSession, list: CompoundList, state: ShellState): ShellState {
  const branch = copyState(state);
  followList(session, list.commands, branch);
  return branch;
}

function followFor(
  session: ShellSession,
  node: Extract<CommandNode, { type: "For" | "Select" }>,
  state: ShellState,
): Status {
  const context = wordContext(session, state);
  const name = node.name.value;
  const fields = (node.wordlist ?? []).flatMap((word) => expandFields(word, context));
  const told =
    node.type === "For" &&
    node.wordlist !== undefined &&
    fields.every((field) => !field.loose && !/[*?]/.test(literal(field.value) ?? ""));
  if (told) {
    for (const field of fields) {
      state.variables.set(name, field.value);
      followList(session, node.body.commands, state);
      if (state.ended || session.counter.exhausted) break;
    }
    return "ordinary";
  }
  const words = node.wordlist?.map((word) => word.text).join(" ") ?? "";
  state.variables.set(name, unknown(`$${name}`, `$${name} goes through ${words}`));
  return followMaybe(session, node.body, state, `${name} in ${words}`);
}

function followCommand(session: ShellSession, node: Command, state: ShellState): Status {
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

function wordContext(session: ShellSession, state: ShellState): WordContext {
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

function within(session: ShellSession, condition: string): ShellSession {
  return { ...session, conditions: [...session.conditions, condition] };
}

/** Source text on one line, cut where it is long. */
function oneLine(session: ShellSession, start: number, end: number): string {
  const text = session.source.text
    .slice(start, end)
    .replaceAll(/\\\n|\s+/g, " ")
    .replaceAll(/ {2,}/g, " ");
  return text.length > 200 ? `${text.slice(0, 199)}…` : text.trim();
}

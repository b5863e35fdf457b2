import type { AndOr, CommandNode, CompoundList, If, ParsedScript, PipelineNode, Statement } from "unbash";
import { followCommand, wordContext } from "./shell-commands.ts";
import { expressionStatus, negate } from "./shell-conditions.ts";
import type { Status } from "./shell-conditions.ts";
import { oneLine, within } from "./shell-session.ts";
import type { ShellSession } from "./shell-session.ts";
import { copyState, mergeStates } from "./shell-state.ts";
import type { ShellState } from "./shell-state.ts";
import { expandFields } from "./shell-words.ts";
import { literal, unknown } from "./value.ts";

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

/** Follows one command of any kind. */
export function followNode(
  session: ShellSession,
  node: CommandNode | CompoundList,
  state: ShellState,
): Status {
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

import type { AndOr, CommandNode, CompoundList, If, ParsedScript, PipelineNode, Statement } from "unbash";
import { settle, settleMaybe } from "./shell-branches.ts";
import type { Branch } from "./shell-branches.ts";
import { followCase } from "./shell-case.ts";
import { followCommand, wordContext } from "./shell-commands.ts";
import { expressionStatus, negate } from "./shell-conditions.ts";
import type { Status } from "./shell-conditions.ts";
import { followFor, followMaybe, followWhile } from "./shell-loops.ts";
import { oneLine, within } from "./shell-session.ts";
import type { ShellSession } from "./shell-session.ts";
import { copyState } from "./shell-state.ts";
import type { ShellState } from "./shell-state.ts";
import { noteRedirects } from "./shell-writes.ts";

/** Follows a script: variables, directories and conditions are kept, every program is handed to `session.run`. */
export function followScript(session: ShellSession, script: ParsedScript, state: ShellState): Status {
  return followList(session, script.commands, state);
}

/** Follows commands that stand one after the other. */
export function followList(
  session: ShellSession,
  statements: readonly Statement[],
  state: ShellState,
): Status {
  let status: Status = "true";
  for (const statement of statements) {
    if (state.ended !== null || session.counter.exhausted) break;
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
    if (state.ended !== null) break;
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
    settleMaybe(session, state, branch, condition);
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
      noteRedirects(session, node, wordContext(session, state), state);
      return followNode(session, node.command, state);
    case "BraceGroup":
      return followList(session, node.body.commands, state);
    case "Subshell": {
      const inner = copyState(state);
      return followList(session, node.body.commands, inner);
    }
    case "If":
      return followIf(session, node, state);
    case "While":
      return followWhile(session, node, state);
    case "For":
    case "Select":
      return followFor(session, node, state);
    case "ArithmeticFor":
      return followMaybe(session, node.body, state, "a counting loop");
    case "Case":
      return followCase(session, node, state);
    case "Function":
      state.functions.set(node.name.value, { body: node.body, source: session.source, said: session.said });
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

/** Commands that are taken to succeed where a script asks whether they do: if not, there is no image. */
const MUST_SUCCEED =
  /^(?:sudo )?(?:docker|podman|buildah|buildctl|buildx|\/kaniko\/executor)(?: image| buildx)? (?:-\S+ )*(?:build|bud|b|push|login|tag)\b|^\/kaniko\/executor\b/;

function followIf(session: ShellSession, node: If, state: ShellState): Status {
  const branches: Branch[] = [];
  const undecided: string[] = [];
  let inner = session;
  let complete = false;
  for (const { clause, then } of [node, ...node.elif]) {
    const condition = oneLine(session, clause.pos, clause.end);
    const told = followList(inner, clause.commands, state);
    const status = told === "ordinary" && MUST_SUCCEED.test(condition) ? "true" : told;
    if (status === "false") continue;
    if (status === "true") {
      branches.push({ state: followBranch(inner, then, state), condition: null });
      complete = true;
      break;
    }
    branches.push({ state: followBranch(within(inner, condition), then, state), condition });
    undecided.push(condition);
    inner = within(inner, `not ${condition}`);
  }
  if (!complete) {
    const last = node.else === undefined ? copyState(state) : followBranch(inner, node.else, state);
    branches.push({ state: last, condition: null });
  }
  settle(session, state, branches, undecided.join(", "));
  return undecided.length === 0 ? "true" : "undecided";
}

/** Follows the commands of one branch in a state of its own. */
export function followBranch(session: ShellSession, list: CompoundList, state: ShellState): ShellState {
  const branch = copyState(state);
  followList(session, list.commands, branch);
  return branch;
}

import type { CommandNode, CompoundList } from "unbash";
import { followList } from "./shell.ts";
import { join, settleMaybe } from "./shell-branches.ts";
import { wordContext } from "./shell-commands.ts";
import { negate } from "./shell-conditions.ts";
import type { Status } from "./shell-conditions.ts";
import { oneLine, within } from "./shell-session.ts";
import type { ShellSession } from "./shell-session.ts";
import { copyState } from "./shell-state.ts";
import type { ShellState } from "./shell-state.ts";
import { expandFields } from "./shell-words.ts";
import { literal, unknown } from "./value.ts";

/** Most rounds of one loop that are followed. */
const MOST_ROUNDS = 200;

/** Follows rounds of a loop as long as `next` prepares one, then brings together how the loop was left. */
function followRounds(
  session: ShellSession,
  body: CompoundList,
  state: ShellState,
  next: (round: number) => boolean,
): void {
  const before = state.guards;
  const ends = { ...session.ends, break: [], continue: [] };
  for (let round = 0; round < MOST_ROUNDS && next(round); round += 1) {
    const inner = { ...session, ends: { ...ends, continue: [] } };
    followList(inner, body.commands, state);
    join(state, inner.ends, ["continue"], before, session.outer);
    if (state.ended !== null || session.counter.exhausted) break;
  }
  join(state, ends, ["break", "continue"], before, session.outer);
}

/** Follows commands that may not run. */
export function followMaybe(
  session: ShellSession,
  list: CompoundList,
  state: ShellState,
  condition: string,
): Status {
  const branch = copyState(state);
  followRounds(within(session, condition), list, branch, (round) => round === 0);
  settleMaybe(session, state, branch, condition);
  return "undecided";
}

/** `while` and `until`: round by round as long as the condition is decided. */
export function followWhile(
  session: ShellSession,
  node: Extract<CommandNode, { type: "While" }>,
  state: ShellState,
): Status {
  const ask = (): Status => {
    const status = followList(session, node.clause.commands, state);
    return node.kind === "while" ? status : negate(status);
  };
  // Commands of the condition run at least once; the body may not run at all.
  const answers = [ask()];
  if (answers[0] === "true") {
    followRounds(session, node.body, state, (round) => {
      if (round > 0) answers.push(ask());
      return answers.at(-1) === "true";
    });
  }
  const last = answers.at(-1);
  if (last === "true" || last === "false" || state.ended !== null) return "true";
  const clause = oneLine(session, node.clause.pos, node.clause.end);
  return followMaybe(session, node.body, state, `${node.kind} ${clause}`);
}

/** `for` over words that are told, one after the other; other lists may be empty. */
export function followFor(
  session: ShellSession,
  node: Extract<CommandNode, { type: "For" | "Select" }>,
  state: ShellState,
): Status {
  const context = wordContext(session, state);
  const name = node.name.value;
  const listed =
    node.wordlist === undefined
      ? state.positional?.map((value) => ({ value, loose: false }))
      : node.wordlist.flatMap((word) => expandFields(word, context));
  const fields = listed ?? [];
  const told =
    node.type === "For" &&
    listed !== undefined &&
    fields.every((field) => !field.loose && !/[*?]/.test(literal(field.value) ?? ""));
  if (told) {
    if (fields.length > MOST_ROUNDS) session.counter.exhausted = true;
    followRounds(session, node.body, state, (round) => {
      const field = fields[round];
      if (field !== undefined) state.variables.set(name, field.value);
      return field !== undefined;
    });
    return "ordinary";
  }
  const words = node.wordlist?.map((word) => word.text).join(" ") ?? '"$@"';
  state.variables.set(name, unknown(`$${name}`, `$${name} goes through ${words}`));
  return followMaybe(session, node.body, state, `${name} in ${words}`);
}

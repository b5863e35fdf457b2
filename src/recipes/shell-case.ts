import type { CommandNode, Word } from "unbash";
import { followBranch } from "./shell.ts";
import { settle } from "./shell-branches.ts";
import type { Branch } from "./shell-branches.ts";
import { wordContext } from "./shell-commands.ts";
import type { Status } from "./shell-conditions.ts";
import { patternFrom } from "./shell-parameters.ts";
import { matchingLengths } from "./shell-pattern.ts";
import { oneLine, within } from "./shell-session.ts";
import type { ShellSession } from "./shell-session.ts";
import { copyState } from "./shell-state.ts";
import type { ShellState } from "./shell-state.ts";
import { expandValue } from "./shell-words.ts";
import type { WordContext } from "./shell-words.ts";
import { literal } from "./value.ts";

/** Longest text that is compared with patterns. */
const LONGEST_MATCHED = 4096;

/** `case`: the first item that matches; where that is not decided, each that may. */
export function followCase(
  session: ShellSession,
  node: Extract<CommandNode, { type: "Case" }>,
  state: ShellState,
): Status {
  const context = wordContext(session, state);
  const text = literal(expandValue(node.word, context));
  const written = oneLine(session, node.word.pos, node.word.end);
  const branches: Branch[] = [];
  const undecided: string[] = [];
  let complete = false;
  for (const item of node.items) {
    const status = matches(item.pattern, text, context);
    if (status === "false") continue;
    const condition = `case ${written} in ${item.pattern.map((pattern) => pattern.text).join("|")}`;
    complete = status === "true";
    const isSure = complete && undecided.length === 0;
    const inner = isSure ? session : within(session, condition);
    branches.push({ state: followBranch(inner, item.body, state), condition: isSure ? null : condition });
    if (complete) break;
    undecided.push(condition);
  }
  if (!complete) branches.push({ state: copyState(state), condition: null });
  settle(session, state, branches, undecided.join(", "));
  return undecided.length === 0 ? "ordinary" : "undecided";
}

function matches(patterns: readonly Word[], text: string | null, context: WordContext): Status {
  let status: Status = "false";
  for (const word of patterns) {
    const pattern = patternFrom(word, context);
    if (pattern?.length === 1 && pattern[0]?.kind === "any") return "true";
    if (pattern === null || text === null || text.length > LONGEST_MATCHED) status = "undecided";
    else if (matchingLengths(pattern, text).at(-1) === text.length) {
      if (status === "false") return "true";
    }
  }
  return status;
}

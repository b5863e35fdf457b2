import type { EarlyEnds, ShellSession } from "./shell-session.ts";
import { copyState, mergeStates } from "./shell-state.ts";
import type { Ending, Guard, Outer, ShellState } from "./shell-state.ts";

/** One way that a script may go; `condition` is null where it goes that way if no other does. */
export type Branch = { state: ShellState; condition: string | null };

/** Weakest first: what goes on the longest after it. */
const ORDER: readonly Ending["kind"][] = ["continue", "break", "return", "exit"];

/**
 * Goes on with the branches that did not end. Those that left a function or a loop are kept for its end, and
 * what follows here runs only if they were not taken. A branch that fails ends the job: it asks for nothing.
 */
export function settle(
  session: ShellSession,
  state: ShellState,
  branches: readonly Branch[],
  condition: string,
): void {
  const guards: Guard[] = [];
  for (const { state: branch, condition: taken } of branches) {
    const { ended } = branch;
    if (ended === null || ended.failing) continue;
    session.ends[ended.kind].push(copyState(branch));
    guards.push({ text: taken === null ? condition : `not ${taken}`, until: ended.kind });
  }
  const going = branches.filter((branch) => branch.state.ended === null).map((branch) => branch.state);
  if (going.length > 0) {
    mergeStates(state, going, condition, session.outer);
    state.guards = [...state.guards, ...guards];
    return;
  }
  const rank = (branch: Branch) => ORDER.indexOf(branch.state.ended?.kind ?? "exit");
  const [weakest] = branches.toSorted((a, b) => rank(a) - rank(b));
  if (weakest !== undefined) mergeStates(state, [weakest.state], condition, session.outer);
}

/** Goes on after commands that may not have run: from the state before them, or from theirs. */
export function settleMaybe(
  session: ShellSession,
  state: ShellState,
  branch: ShellState,
  condition: string,
): void {
  const branches = [
    { state: copyState(state), condition: null },
    { state: branch, condition },
  ];
  settle(session, state, branches, condition);
}

/** Ends a function, a loop or one round of it: the states that left it early come together with the last one. */
export function join(
  state: ShellState,
  ends: EarlyEnds,
  kinds: readonly Ending["kind"][],
  before: readonly Guard[],
  outer: Outer,
): void {
  const early = kinds.flatMap((kind) => ends[kind]);
  const { ended } = state;
  const leaves = ended !== null && kinds.includes(ended.kind);
  if (leaves) state.ended = null;
  const last = state.ended === null ? [copyState(state)] : [];
  const all = [...last, ...early.map((branch) => ({ ...branch, ended: null }))];
  if (early.length > 0) mergeStates(state, all, "commands that end early", outer);
  state.guards = state.guards.filter((guard) => before.includes(guard) || !kinds.includes(guard.until));
}

import type { Command, Redirected } from "unbash";
import { oneLine } from "./shell-session.ts";
import type { ShellSession } from "./shell-session.ts";
import type { ShellState } from "./shell-state.ts";
import { expandValue } from "./shell-words.ts";
import type { Field, WordContext } from "./shell-words.ts";
import { joinTreePath, treePath } from "./tree-path.ts";
import { literal, render } from "./value.ts";
import type { Value } from "./value.ts";

/** Notes the files of the tree that a command's output goes to. */
export function noteRedirects(
  session: ShellSession,
  node: Command | Redirected,
  context: WordContext,
  state: ShellState,
): void {
  for (const redirect of node.redirects) {
    if (redirect.type !== "Redirect" || redirect.target === undefined) continue;
    if (!/^(?:>|>>|>\||&>|&>>)$/.test(redirect.operator)) continue;
    written(session, expandValue(redirect.target, context), state, oneLine(session, node.pos, node.end));
  }
}

/** Notes the files of the tree that a program writes by its own arguments. */
export function noteWrites(
  session: ShellSession,
  words: readonly Field[],
  state: ShellState,
  text: string,
): void {
  const [program, ...args] = words;
  const name = render(program?.value ?? []).replace(/^.*\//, "");
  const operands = args.filter((word) => !render(word.value).startsWith("-"));
  if (name === "tee") for (const word of operands) written(session, word.value, state, text);
  // `sed -i EXPRESSION FILE`; each operand is taken for a file, an expression is none of the tree.
  if (name === "sed" && args.some((word) => /^(?:-\w*i|--in-place)/.test(render(word.value)))) {
    for (const word of operands) written(session, word.value, state, text);
  }
  if (name === "cp" || name === "mv" || name === "ln" || name === "install") {
    const target = operands.at(-1);
    if (target === undefined || operands.length < 2) return;
    written(session, target.value, state, text);
    for (const source of operands.slice(0, -1)) {
      const base = literal(source.value)?.replace(/^.*\//, "") ?? "";
      writtenBelow(session, target.value, base, state, text);
    }
  }
  if (name === "curl" || name === "wget") {
    const at = args.findIndex((word) => /^(?:-o|-O|--output|--output-document)$/.test(render(word.value)));
    const file = at === -1 ? undefined : args[at + 1];
    if (file !== undefined) written(session, file.value, state, text);
  }
}

function written(session: ShellSession, target: Value, state: ShellState, text: string): void {
  const { path } = treePath(target, state.directory);
  if (path !== null && path !== ".") session.written.set(path, text);
}

function writtenBelow(
  session: ShellSession,
  target: Value,
  base: string,
  state: ShellState,
  text: string,
): void {
  const { path } = treePath(target, state.directory);
  const joined = path === null || base === "" ? null : joinTreePath(path, base);
  if (joined !== null && joined !== ".") session.written.set(joined, text);
}

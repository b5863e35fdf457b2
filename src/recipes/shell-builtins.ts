import { negate, testStatus } from "./shell-conditions.ts";
import type { Status } from "./shell-conditions.ts";
import type { Ending, ShellState } from "./shell-state.ts";
import type { Field } from "./shell-words.ts";
import { treePath } from "./tree-path.ts";
import { cutText, literal, render, unknown } from "./value.ts";
import type { Value } from "./value.ts";

/** What became of a command: done here, to be run without its wrapper, a script of its own, or a program. */
export type BuiltinResult =
  | { kind: "done"; status: Status }
  | { kind: "unwrapped"; words: readonly Field[]; environment: ReadonlyMap<string, Value> }
  /** `opaque`: nothing is known of what it starts with. */
  | { kind: "nested"; script: string; subshell: boolean; opaque: boolean }
  /** A script of its own, read from a file. */
  | { kind: "script"; file: Value; args: readonly Value[]; sourced: boolean }
  /** A shell that reads its standard input. */
  | { kind: "input" }
  | { kind: "program" };

type Builtin = (words: readonly Field[], state: ShellState) => BuiltinResult;

const done: BuiltinResult = { kind: "done", status: "true" };
const program: BuiltinResult = { kind: "program" };

/** Does what a builtin of the shell does to the state; programs that start other programs are taken off. */
export function runBuiltin(name: string, words: readonly Field[], state: ShellState): BuiltinResult {
  const base = name.slice(name.lastIndexOf("/") + 1);
  const builtin = BUILTINS.get(name) ?? WRAPPERS.get(base);
  return builtin === undefined ? program : builtin(words, state);
}

const BUILTINS = new Map<string, Builtin>([
  ["true", () => done],
  [":", () => done],
  ["false", () => ({ kind: "done", status: "false" })],
  ["test", (words) => ({ kind: "done", status: testStatus(valuesOf(words)) })],
  ["[", (words) => ({ kind: "done", status: testStatus(valuesOf(words).slice(0, -1)) })],
  ["export", (words, state) => declare(words, state, true)],
  ["readonly", (words, state) => declare(words, state, false)],
  ["local", (words, state) => declare(words, state, false)],
  ["declare", (words, state) => declare(words, state, hasFlag(words, "x"))],
  ["typeset", (words, state) => declare(words, state, hasFlag(words, "x"))],
  ["unset", unset],
  ["cd", changeDirectory],
  ["pushd", changeDirectory],
  ["popd", leaveDirectory],
  ["read", read],
  ["exit", (words, state) => end("exit", words, state)],
  ["return", (words, state) => end("return", words, state)],
  ["break", (words, state) => end("break", words, state)],
  ["continue", (words, state) => end("continue", words, state)],
  ["shift", shift],
  ["set", set],
  ["eval", (words) => nested(valuesOf(words), false)],
  [".", source],
  ["source", source],
]);

/** Programs that run the program that follows. */
const WRAPPERS = new Map<string, Builtin>([
  ["sudo", (words) => unwrap(words, /^-(?:u|g|h|p|C|U|r|t)$/)],
  ["exec", (words) => unwrap(words, /^-a$/)],
  ["command", (words) => unwrap(words, /^$/)],
  ["nohup", (words) => unwrap(words, /^$/)],
  ["time", (words) => unwrap(words, /^-[fo]$/)],
  ["nice", (words) => unwrap(words, /^-n$/)],
  ["env", (words) => unwrap(words, /^-[uCS]$/)],
  ["timeout", (words) => unwrap(words, /^-[ks]$/, 1)],
  ["ionice", (words) => unwrap(words, /^-[cn]$/)],
  ["stdbuf", (words) => unwrap(words, /^-[ioe]$/)],
  ["retry", (words) => unwrap(words, /^-\w$/)],
  ...["sh", "bash", "ash", "dash"].map((shell): [string, Builtin] => [shell, runShell]),
]);

function valuesOf(words: readonly Field[]): Value[] {
  return words.map((word) => word.value);
}

function hasFlag(words: readonly Field[], letter: string): boolean {
  return words.some((word) => new RegExp(`^-\\w*${letter}`).test(literal(word.value) ?? ""));
}

/** `NAME=value` of a word, or null. */
function assignment(word: Field): { name: string; value: Value } | null {
  const [first] = word.value;
  const match = first?.kind === "text" ? /^([A-Za-z_]\w*)=/.exec(first.text) : null;
  if (match?.[1] === undefined) return null;
  return { name: match[1], value: cutText(word.value, match[0].length).tail };
}

function declare(words: readonly Field[], state: ShellState, exported: boolean): BuiltinResult {
  for (const word of words) {
    const assigned = assignment(word);
    const name = assigned?.name ?? literal(word.value);
    if (assigned !== null) {
      state.variables.set(assigned.name, assigned.value);
      state.arrays.delete(assigned.name);
    }
    if (exported && name !== null && !name.startsWith("-")) state.exported.add(name);
  }
  return done;
}

function unset(words: readonly Field[], state: ShellState): BuiltinResult {
  for (const word of words) {
    const name = literal(word.value);
    if (name === null || name.startsWith("-")) continue;
    state.variables.set(name, null);
    state.arrays.delete(name);
  }
  return done;
}

function changeDirectory(words: readonly Field[], state: ShellState): BuiltinResult {
  const operand = words.find((word) => !/^-[LPe@]+$|^--$/.test(literal(word.value) ?? ""));
  const written = operand === undefined ? "cd" : `cd ${render(operand.value)}`;
  if (operand === undefined || literal(operand.value) === "-") {
    state.directory = {
      path: null,
      why: `the directory after \`${written}\` is known only when the job runs`,
    };
  } else state.directory = treePath(operand.value, state.directory);
  return { kind: "done", status: "ordinary" };
}

function leaveDirectory(_: readonly Field[], state: ShellState): BuiltinResult {
  state.directory = { path: null, why: "the directory after `popd` is known only when the job runs" };
  return { kind: "done", status: "ordinary" };
}

function read(words: readonly Field[], state: ShellState): BuiltinResult {
  for (const word of words) {
    const name = literal(word.value);
    if (name === null || !/^[A-Za-z_]\w*$/.test(name)) continue;
    state.variables.set(name, unknown(`$${name}`, `$${name} is read when the job runs`));
  }
  return { kind: "done", status: "undecided" };
}

function end(kind: Ending["kind"], words: readonly Field[], state: ShellState): BuiltinResult {
  const [code] = words;
  const text = code === undefined ? "0" : literal(code.value);
  // A status that is not known is taken for a failure, as in `exit $?`.
  const failing = (kind === "exit" || kind === "return") && text !== "0";
  state.ended = { kind, failing };
  return { kind: "done", status: failing ? "false" : "true" };
}

function shift(words: readonly Field[], state: ShellState): BuiltinResult {
  const count = words[0] === undefined ? 1 : Number(literal(words[0].value));
  state.positional = Number.isInteger(count) ? (state.positional?.slice(count) ?? null) : null;
  return done;
}

/** `set -- a b` sets the arguments; options change nothing that is read here. */
function set(words: readonly Field[], state: ShellState): BuiltinResult {
  const dashes = words.findIndex((word) => literal(word.value) === "--");
  const rest = dashes === -1 ? [] : words.slice(dashes + 1);
  if (dashes !== -1)
    state.positional = rest.some((word) => word.loose) ? null : rest.map((word) => word.value);
  return done;
}

function source(words: readonly Field[]): BuiltinResult {
  const [file, ...args] = words;
  if (file === undefined) return done;
  return { kind: "script", file: file.value, args: valuesOf(args), sourced: true };
}

function nested(values: readonly Value[], subshell: boolean): BuiltinResult {
  const texts = values.map((value) => literal(value));
  const script = texts.every((text) => text !== null) ? texts.join(" ") : values.map(render).join(" ");
  return { kind: "nested", script, subshell, opaque: values[0]?.[0]?.kind === "unknown" };
}

/** `sh -c SCRIPT`, `sh FILE ARGUMENTS` and `sh` with a here-document. */
function runShell(words: readonly Field[]): BuiltinResult {
  const flag = words.findIndex((word) => /^-\w*c$/.test(literal(word.value) ?? ""));
  const script = flag === -1 ? undefined : words[flag + 1];
  if (script !== undefined) return nested([script.value], true);
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    const text = literal(word?.value ?? []) ?? "";
    if (text === "-s" || word === undefined) break;
    if (/^[-+]\w*[oO]$/.test(text)) at += 1;
    else if (!/^[-+]/.test(text)) {
      return { kind: "script", file: word.value, args: valuesOf(words.slice(at + 1)), sourced: false };
    }
  }
  return { kind: "input" };
}

/** Takes a wrapper's flags, assignments and leading operands off. */
function unwrap(words: readonly Field[], valued: RegExp, operands = 0): BuiltinResult {
  const environment = new Map<string, Value>();
  let left = operands;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (word === undefined) break;
    const text = literal(word.value) ?? "";
    const assigned = assignment(word);
    if (assigned !== null) environment.set(assigned.name, assigned.value);
    else if (text.startsWith("-")) at += valued.test(text) ? 1 : 0;
    else if (left > 0) left -= 1;
    else return { kind: "unwrapped", words: words.slice(at), environment };
  }
  return { kind: "done", status: negate("undecided") };
}

import type { CompoundList, Function as ShellFunction } from "unbash";
import type { Scope } from "./gitlab-variables.ts";
import type { TreePath } from "./tree-path.ts";
import { render, unknown } from "./value.ts";
import type { Value } from "./value.ts";

/** What a shell knows at one point of its script. */
export type ShellState = {
  /** Set or unset (null) by the script; anything else comes from `outer`. */
  variables: Map<string, Value | null>;
  exported: Set<string>;
  functions: Map<string, ShellFunction["body"] | CompoundList>;
  directory: TreePath;
  positional: readonly Value[] | null;
  /** True after `exit` or `return`. */
  ended: boolean;
};

/** The environment that GitLab gives to the shell. */
export type Outer = { scope: Scope; names: ReadonlySet<string> };

/** State of a shell at its start, in the root of the tree. */
export function startState(): ShellState {
  return {
    variables: new Map(),
    exported: new Set(),
    functions: new Map(),
    directory: { path: "." },
    positional: null,
    ended: false,
  };
}

/** A copy: what a subshell does stays in it. */
export function copyState(state: ShellState): ShellState {
  return {
    ...state,
    variables: new Map(state.variables),
    exported: new Set(state.exported),
    functions: new Map(state.functions),
  };
}

/** Takes over what several branches may have left behind: where they differ, the value depends on the condition. */
export function mergeStates(
  state: ShellState,
  branches: readonly ShellState[],
  condition: string,
  outer: Outer,
): void {
  const names = new Set(branches.flatMap((branch) => [...branch.variables.keys()]));
  for (const name of names) {
    const values = branches.map((branch) => readVariable(branch, outer, name));
    const [first] = values;
    const same = values.every((value) => first !== undefined && render(value) === render(first));
    const why = `$${name} depends on a condition: ${condition}`;
    if (same && first !== undefined) state.variables.set(name, first);
    else state.variables.set(name, unknown(`$${name}`, why));
  }
  for (const branch of branches) {
    for (const name of branch.exported) state.exported.add(name);
    for (const [name, body] of branch.functions) state.functions.set(name, body);
  }
  const [directory] = branches.map((branch) => branch.directory);
  const apart = branches.some((branch) => branch.directory.path !== directory?.path);
  if (apart) state.directory = { path: null, why: `the directory depends on a condition: ${condition}` };
  else if (directory !== undefined) state.directory = directory;
  state.ended = branches.length > 0 && branches.every((branch) => branch.ended);
}

/** Value of a variable; `$PWD` is the directory below the root of the tree. */
export function readVariable(state: ShellState, outer: Outer, name: string): Value {
  const value = state.variables.get(name);
  if (value !== undefined) return value ?? [];
  if (name === "PWD") return directoryValue(state.directory);
  return outer.scope(name);
}

/** A directory of the tree as the shell names it. */
export function directoryValue(directory: TreePath): Value {
  if (directory.path === null) return unknown("$PWD", directory.why);
  const root = { kind: "variable", name: "CI_PROJECT_DIR" } as const;
  return directory.path === "." ? [root] : [root, { kind: "text", text: `/${directory.path}` }];
}

import type { CompoundList, Function as FunctionNode } from "unbash";
import type { Scope } from "./gitlab-variables.ts";
import type { ShellSource } from "./shell-source.ts";
import type { Field } from "./shell-words.ts";
import type { TreePath } from "./tree-path.ts";
import { render, unknown } from "./value.ts";
import type { Value } from "./value.ts";

/** How a list of commands ends before its last one. `failing`: with a status that is known not to be 0. */
export type Ending = { kind: "exit" | "return" | "break" | "continue"; failing: boolean };

/** What must hold for the commands that follow, up to the end of what the ending would leave. */
export type Guard = { text: string; until: Ending["kind"] };

/** A function with the text that it is written in. */
export type ShellFunction = {
  body: FunctionNode["body"] | CompoundList;
  source: ShellSource;
  said: number | null;
};

/** What a shell knows at one point of its script. */
export type ShellState = {
  /** Set or unset (null) by the script; anything else comes from `outer`. */
  variables: Map<string, Value | null>;
  arrays: Map<string, readonly Field[]>;
  exported: Set<string>;
  functions: Map<string, ShellFunction>;
  directory: TreePath;
  /** `$0`: the path of a script as it is called; null in the job's own script. */
  name: Value | null;
  positional: readonly Value[] | null;
  guards: readonly Guard[];
  /** Set after `exit`, `return`, `break` and `continue`. */
  ended: Ending | null;
};

/** The environment that the CI system gives to the shell; `root` is its variable for the root of the tree. */
export type Outer = { scope: Scope; names: ReadonlySet<string>; root?: string };

/** State of a shell at its start, in the root of the tree. */
export function startState(): ShellState {
  return {
    variables: new Map(),
    arrays: new Map(),
    exported: new Set(),
    functions: new Map(),
    directory: { path: "." },
    name: null,
    positional: null,
    guards: [],
    ended: null,
  };
}

/** A copy: what a subshell does stays in it. */
export function copyState(state: ShellState): ShellState {
  return {
    ...state,
    variables: new Map(state.variables),
    arrays: new Map(state.arrays),
    exported: new Set(state.exported),
    functions: new Map(state.functions),
  };
}

/** State of a script that is called as a program: it sees what is exported, and nothing else. */
export function childState(state: ShellState, outer: Outer, name: Value, args: readonly Value[]): ShellState {
  const visible = [...state.variables].filter(([key]) => state.exported.has(key) || outer.names.has(key));
  return {
    ...startState(),
    variables: new Map(visible),
    exported: new Set(state.exported),
    directory: state.directory,
    name,
    positional: args,
    guards: state.guards,
  };
}

/** Takes over what several branches may have left behind: where they differ, the value depends on the condition. */
export function mergeStates(
  state: ShellState,
  branches: readonly ShellState[],
  condition: string,
  outer: Outer,
): void {
  mergeVariables(state, branches, condition, outer);
  for (const branch of branches) {
    for (const name of branch.exported) state.exported.add(name);
    for (const [name, body] of branch.functions) state.functions.set(name, body);
  }
  const [directory] = branches.map((branch) => branch.directory);
  const apart = branches.some((branch) => branch.directory.path !== directory?.path);
  if (apart) state.directory = { path: null, why: `the directory depends on a condition: ${condition}` };
  else if (directory !== undefined) state.directory = directory;
  const [positional = null] = branches.map((branch) => branch.positional);
  const shifted = branches.some(
    (branch) => branch.positional?.map(render).join("\n") !== positional?.map(render).join("\n"),
  );
  state.positional = shifted ? null : positional;
  state.guards = [...new Set(branches.flatMap((branch) => branch.guards))];
  state.ended = branches.every((branch) => branch.ended !== null) ? (branches[0]?.ended ?? null) : null;
}

function mergeVariables(
  state: ShellState,
  branches: readonly ShellState[],
  condition: string,
  outer: Outer,
): void {
  const names = new Set(branches.flatMap((branch) => [...branch.variables.keys(), ...branch.arrays.keys()]));
  for (const name of names) {
    const values = branches.map((branch) => readVariable(branch, outer, name));
    const arrays = branches.map((branch) => branch.arrays.get(name));
    const written = new Set(arrays.map((fields) => fields?.map((field) => render(field.value)).join("\n")));
    const [first] = values;
    const same = values.every((value) => first !== undefined && render(value) === render(first));
    if (same && written.size === 1 && first !== undefined) {
      state.variables.set(name, first);
      const [array] = arrays;
      if (array !== undefined) state.arrays.set(name, array);
    } else {
      state.variables.set(name, unknown(`$${name}`, `$${name} depends on a condition: ${condition}`));
      state.arrays.delete(name);
    }
  }
}

/** Value of a variable; `$PWD` is the directory below the root of the tree. */
export function readVariable(state: ShellState, outer: Outer, name: string): Value {
  const value = state.variables.get(name);
  if (value !== undefined) return value ?? [];
  if (name === "PWD") return directoryValue(state.directory, outer.root);
  return outer.scope(name);
}

/** A directory of the tree as the shell names it. */
export function directoryValue(directory: TreePath, name = "CI_PROJECT_DIR"): Value {
  if (directory.path === null) return unknown("$PWD", directory.why);
  const root = { kind: "variable", name } as const;
  return directory.path === "." ? [root] : [root, { kind: "text", text: `/${directory.path}` }];
}

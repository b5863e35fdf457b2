import type { JobReading } from "../job-reading.ts";
import type { ShellCommand } from "../shell-session.ts";
import type { ScriptCache } from "../shell-source.ts";
import type { Field } from "../shell-words.ts";
import { concatenate, known } from "../value.ts";
import type { Value } from "../value.ts";
import { lineAt } from "../yaml-source.ts";
import type { YamlMap } from "../yaml-source.ts";
import { RUNNER_VARIABLES, contextsOf, nodeValue, scopeOf } from "./contexts.ts";
import type { JobContexts } from "./contexts.ts";
import type { Contexts } from "./expression.ts";

/** A job while its steps are followed. */
export type JobRun = {
  reading: JobReading;
  cache: ScriptCache;
  contexts: JobContexts;
  /** Environment of the job: what the workflow and the job state, and what steps have added to `GITHUB_ENV`. */
  env: Map<string, Value>;
  conditions: readonly string[];
  /** Default shell and directory of `run:` steps. */
  shell: string | null;
  directory: Value;
  /** Tags and labels of `docker/metadata-action` by the path of the bake file that it writes. */
  bakeFiles: Map<string, { tags: Value[]; labels: Value[] }>;
  /** Actions that are being read, to end circles. */
  actions: readonly string[];
  /** Directories that other checkouts lie in: why they are not of the tree, or null where they are this tree. */
  elsewhere: Map<string, string | null>;
  /** Conditions under which the buildx instance in use was made. */
  instance: { conditions: readonly string[] };
  counter: { commands: number; steps: number; exhausted: boolean };
};

/** One step of a job with its own environment. */
export type Step = {
  node: YamlMap;
  id: string | null;
  env: ReadonlyMap<string, Value>;
  contexts: Contexts;
  conditions: readonly string[];
};

/** The contexts of a step: what it sees of its job, with its own environment. */
export function stepContexts(run: JobRun, env: ReadonlyMap<string, Value>): Contexts {
  return contextsOf({ ...run.contexts, env });
}

/** An input of a step; null where it is not given. */
export function inputOf(step: Step, name: string): Value | null {
  const given = step.node.entries.get("with");
  if (given?.kind !== "map") return null;
  const wanted = name.toLowerCase();
  const found = [...given.entries].find(([key]) => key.toLowerCase() === wanted)?.[1];
  return nodeValue(found, step.contexts);
}

/** Text of a node as written. */
export function scalarText(node: YamlMap, key: string): string | null {
  const found = node.entries.get(key);
  return found?.kind === "scalar" && found.type !== "null" ? found.text : null;
}

/** A call of a program as an action makes it: said at the first line of the step. */
export function commandOf(run: JobRun, step: Step, words: readonly Field[]): ShellCommand {
  const { node } = step;
  return {
    words,
    directory: { path: "." },
    conditions: step.conditions,
    text: scalarText(node, "uses") ?? "",
    file: node.source.path,
    line: lineAt(node.source, node.start),
    exported: [...step.env.keys()],
    environment: (name) =>
      step.env.has(name) || RUNNER_VARIABLES.includes(name)
        ? scopeOf(step.env, run.contexts.world, run.reading.frame.job)(name)
        : null,
  };
}

/** `--name=value` as a word. */
export function flagWord(name: string, value: Value): Field {
  return { value: concatenate(known(`--${name}=`), value), loose: false };
}

/** Parts of a value between separators, trimmed, without empty ones. Quotes keep separators where `quotes` is set. */
export function splitValue(value: Value, separators: RegExp, quotes = false): Value[] {
  const parts: Value[] = [];
  let part: Value = [];
  let quoted = false;
  for (const piece of value) {
    if (piece.kind !== "text") {
      part = concatenate(part, [piece]);
      continue;
    }
    let text = "";
    for (const character of piece.text) {
      if (quotes && character === '"') quoted = !quoted;
      if (separators.test(character) && (!quoted || character === "\n")) {
        parts.push(concatenate(part, known(text)));
        part = [];
        text = "";
        quoted = false;
      } else text += character;
    }
    part = concatenate(part, known(text));
  }
  return [...parts, part].map(trimValue).filter((each) => each.length > 0);
}

function trimValue(value: Value): Value {
  const last = value.length - 1;
  return concatenate(
    value.map((piece, at) => {
      if (piece.kind !== "text") return piece;
      let { text } = piece;
      if (at === 0) text = text.trimStart();
      if (at === last) text = text.trimEnd();
      return { kind: "text", text } as const;
    }),
  );
}

/** An input as a switch; null where it is not known. */
export function isTrue(value: Value | null): boolean | null {
  if (value === null || value.length === 0) return false;
  const [first] = value;
  if (value.length > 1 || first?.kind !== "text") return null;
  if (/^(?:true|1)$/i.test(first.text.trim())) return true;
  return /^(?:false|0)$/i.test(first.text.trim()) ? false : null;
}

import { parse } from "unbash";
import { readCommand } from "../build-commands.ts";
import { note, noteAt } from "../job-reading.ts";
import { BUILDERS, callsBuilder } from "../other-builders.ts";
import { mayCallBuilder } from "../script-callees.ts";
import { followScript } from "../shell.ts";
import { startSession } from "../shell-session.ts";
import type { ShellJob } from "../shell-session.ts";
import type { ShellSource } from "../shell-source.ts";
import { startState } from "../shell-state.ts";
import { treePath } from "../tree-path.ts";
import { literal, reasons, render } from "../value.ts";
import type { Value } from "../value.ts";
import { lineAt, lineInScalar } from "../yaml-source.ts";
import type { YamlScalar } from "../yaml-source.ts";
import { RUNNER_VARIABLES, nodeValue, scopeOf } from "./contexts.ts";
import { evaluateText, splitText } from "./expression.ts";
import type { Contexts } from "./expression.ts";
import { toValue } from "../datum.ts";
import { takeFileWrites } from "./file-writes.ts";
import { scalarText } from "./step.ts";
import type { JobRun, Step } from "./step.ts";

/** Follows the script of a `run:` step as the scripts of GitLab's jobs are followed. */
export function readRunStep(run: JobRun, step: Step, script: YamlScalar): void {
  const { reading } = run;
  const shell = scalarText(step.node, "shell") ?? run.shell ?? "bash";
  const { text, variables, place } = fillIn(script, step.contexts);
  const files = { tree: reading.tree, cache: run.cache };
  const names = [...step.env.values(), ...variables.values()].map(render).join("\n");
  const opaque = opaqueReason(script, variables);
  if (opaque !== null && BUILDS.test(`${scalarText(step.node, "name") ?? ""} ${script.text}`)) {
    const line = lineAt(script.source, script.start);
    return noteAt(reading, script.source.path, line, script.text, `what it runs is not known: ${opaque}`);
  }
  const mentions = BUILDERS.test(text) || BUILDERS.test(names);
  const writes = /GITHUB_(?:ENV|OUTPUT)|::set-output/.test(text);
  if (!mentions && !writes && !mayCallBuilder(files, text)) return;
  const at = () => lineAt(script.source, script.start);
  if (!/^(?:ba|da|)sh\b|^bash |\/(?:ba)?sh\b/.test(shell)) {
    if (callsBuilder(text))
      noteAt(reading, script.source.path, at(), text, `a script of ${shell}: only shell scripts are read`);
    return;
  }
  const source = parseScript(run, text, place);
  if (typeof source === "string") {
    if (mentions)
      noteAt(reading, script.source.path, at(), text, `the shell script cannot be read: ${source}`);
    return;
  }
  const outer = scopeOf(step.env, run.contexts.world, reading.frame.job);
  const job: ShellJob = {
    outer: {
      scope: (name) => variables.get(name) ?? outer(name),
      names: new Set([...step.env.keys(), ...RUNNER_VARIABLES]),
      root: "GITHUB_WORKSPACE",
    },
    files,
    counter: run.counter,
    written: reading.written,
    run: (command) =>
      readCommand(reading, { ...command, conditions: [...step.conditions, ...command.conditions] }),
    refuse: (command, why) => note(reading, command, why),
    append: takeFileWrites(run, step),
  };
  const state = startState();
  const wanted = nodeValue(step.node.entries.get("working-directory"), step.contexts) ?? run.directory;
  state.directory = wanted.length === 0 ? { path: "." } : treePath(wanted, { path: "." });
  followScript(startSession(source, job), source.script, state);
  if (run.counter.exhausted && mentions)
    noteAt(reading, script.source.path, at(), reading.frame.job, "the script has too many commands");
}

/** Words of steps that may build an image. */
const BUILDS = /docker|image|build|container|push/i;

/** Why a script that is one expression is not known; null for any other script. */
function opaqueReason(script: YamlScalar, variables: ReadonlyMap<string, Value>): string | null {
  const parts = splitText(script.text.trim());
  const [value] = [...variables.values()];
  if (parts.length !== 1 || parts[0]?.expression === null || value === undefined) return null;
  return reasons(value)[0] ?? null;
}

function parseScript(run: JobRun, text: string, place: ShellSource["place"]): ShellSource | string {
  const script = run.cache.parsed.get(text) ?? parse(text);
  run.cache.parsed.set(text, script);
  const [error] = script.errors ?? [];
  return error === undefined ? { script, text, place } : error.message;
}

type Filled = { text: string; variables: Map<string, Value>; place: ShellSource["place"] };

/**
 * A script with its expressions written in, as GitHub does before any shell sees it. What is not known becomes a
 * variable of a name of its own, so that the shell's reader can follow it.
 */
function fillIn(script: YamlScalar, contexts: Contexts): Filled {
  const variables = new Map<string, Value>();
  const segments: { at: number; original: number }[] = [];
  let text = "";
  for (const part of splitText(script.text)) {
    segments.push({ at: text.length, original: part.start });
    if (part.expression === null) {
      text += part.text;
      continue;
    }
    const value = toValue(evaluateText(part.expression, contexts));
    const plain = literal(value);
    if (plain !== null) {
      text += plain;
      continue;
    }
    const name = nameFor(value, part.expression, variables);
    variables.set(name, value);
    // Nothing is expanded between single quotes: they are left for the variable.
    text += isQuoted(text) ? `'"\${${name}}"'` : `\${${name}}`;
  }
  const place = (offset: number) => {
    const segment = segments.findLast(({ at }) => at <= offset) ?? { at: 0, original: 0 };
    const original = segment.original + (offset - segment.at);
    return { file: script.source.path, line: lineInScalar(script, Math.min(original, script.text.length)) };
  };
  return { text, variables, place };
}

function nameFor(value: Value, expression: string, taken: ReadonlyMap<string, Value>): string {
  const [first] = value;
  if (value.length === 1 && first?.kind === "variable" && !taken.has(first.name)) return first.name;
  const base = `_${expression.trim().replaceAll(/\W+/g, "_").slice(0, 60)}`;
  let name = base;
  for (let at = 2; taken.has(name) && taken.get(name) !== value; at += 1) name = `${base}_${at}`;
  return name;
}

/** Whether the end of a text stands between single quotes of its line. */
function isQuoted(text: string): boolean {
  const line = text.slice(text.lastIndexOf("\n") + 1);
  let single = false;
  let double = false;
  for (let at = 0; at < line.length; at += 1) {
    const character = line.charAt(at);
    if (character === "\\" && !single) at += 1;
    else if (character === "'" && !double) single = !single;
    else if (character === '"' && !single) double = !double;
  }
  return single;
}

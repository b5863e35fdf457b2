import { mapDatum, ofValue } from "../datum.ts";
import type { Datum } from "../datum.ts";
import type { ShellJob } from "../shell-session.ts";
import { concatenate, cutText, known, render, unknown } from "../value.ts";
import type { Value } from "../value.ts";
import type { JobRun, Step } from "./step.ts";

/** Takes in `echo "NAME=value" >> $GITHUB_ENV` and `$GITHUB_OUTPUT`, and names what else is written there. */
export function takeFileWrites(run: JobRun, step: Step): NonNullable<ShellJob["append"]> {
  // `NAME<<EOF`, lines, `EOF`: a value of several lines, as it is being written to either file.
  const open = new Map<string, { name: string; end: string; lines: Value[] }>();
  const set = (file: string, name: string, value: Value) => {
    if (file === "ENV") run.env.set(name, value);
    else if (step.id !== null) setOutput(run, step.id, name, ofValue(value));
  };
  return (target, line, conditions) => {
    const file = /^\$\{?GITHUB_(ENV|OUTPUT)\}?$/.exec(render(target))?.[1];
    if (file === undefined) return;
    const block = open.get(file);
    if (block !== undefined) {
      if (line === null || render(line) !== block.end) {
        block.lines.push(line ?? unknown("…", `a line of ${block.name} is known only when the step runs`));
        return;
      }
      open.delete(file);
      const value = concatenate(
        ...block.lines.flatMap((each, at) => (at === 0 ? [each] : [known("\n"), each])),
      );
      return set(file, block.name, conditions.length === 0 ? value : doubted(block.name, value, conditions));
    }
    const [first] = line ?? [];
    const [, name, end] = /^([\w-]+)(?:=|<<(\S+)$)/.exec(first?.kind === "text" ? first.text : "") ?? [];
    if (line === null || name === undefined) return;
    if (end !== undefined) {
      open.set(file, { name, end, lines: [] });
      return;
    }
    const told = cutText(line, name.length + 1).tail;
    set(file, name, conditions.length === 0 ? told : doubted(name, told, conditions));
  };
}

function doubted(name: string, value: Value, conditions: readonly string[]): Value {
  return unknown(
    render(concatenate(known(""), value)),
    `${name} depends on a condition: ${conditions.join(", ")}`,
  );
}

/** Sets one output of a step. */
export function setOutput(run: JobRun, id: string, name: string, datum: Datum): void {
  const old = run.contexts.steps.get(id);
  const entries = typeof old === "object" && old !== null && old.kind === "map" ? [...old.entries] : [];
  run.contexts.steps.set(id, mapDatum([...entries, [name, datum]]));
}

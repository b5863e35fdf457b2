import { mapDatum, ofValue } from "../datum.ts";
import type { Datum } from "../datum.ts";
import type { ShellJob } from "../shell-session.ts";
import { concatenate, cutText, known, render, unknown } from "../value.ts";
import type { Value } from "../value.ts";
import type { JobRun, Step } from "./step.ts";

/** Takes in `echo "NAME=value" >> $GITHUB_ENV` and `$GITHUB_OUTPUT`, and names what else is written there. */
export function takeFileWrites(run: JobRun, step: Step): NonNullable<ShellJob["append"]> {
  return (target, line, conditions) => {
    const file = /^\$\{?GITHUB_(ENV|OUTPUT)\}?$/.exec(render(target))?.[1];
    if (file === undefined) return;
    const [first] = line ?? [];
    const name = first?.kind === "text" ? /^([\w-]+)=/.exec(first.text)?.[1] : undefined;
    if (line === null || name === undefined) return;
    const told = cutText(line, name.length + 1).tail;
    const value = conditions.length === 0 ? told : doubted(name, told, conditions);
    if (file === "ENV") run.env.set(name, value);
    else if (step.id !== null) setOutput(run, step.id, name, ofValue(value));
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

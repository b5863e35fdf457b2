import { overrideOf } from "../bake/bake-targets.ts";
import type { BakeOverride } from "../bake/bake-targets.ts";
import { readBake } from "../bake/read-bake.ts";
import { exactMap } from "../bake/hcl-evaluate.ts";
import { listDatum, ofValue } from "../datum.ts";
import type { Datum } from "../datum.ts";
import { note } from "../job-reading.ts";
import type { Field } from "../shell-words.ts";
import { treePath } from "../tree-path.ts";
import { cutText, literal, reasons, render } from "../value.ts";
import type { Value } from "../value.ts";
import { contextOf } from "./build-push.ts";
import { commandOf, flagWord, inputOf, splitValue } from "./step.ts";
import type { JobRun, Step } from "./step.ts";

/** Reads a step that is `docker/bake-action`: the call of `docker buildx bake` that it makes. */
export function readBakeAction(run: JobRun, step: Step): void {
  const { reading } = run;
  const base = commandOf(run, step, []);
  const directory = directoryOf(step);
  const command = { ...base, directory, environment: withVars(step, (name) => base.environment(name)) };
  const files: string[] = [];
  const generated = new Map<string, ReadonlyMap<string, Datum>>();
  for (const value of splitValue(inputOf(step, "files") ?? [], /[\n,]/)) {
    const written = run.bakeFiles.get(render(value));
    if (written !== undefined) {
      generated.set("docker-metadata-action", metadataOf(written, generated.get("docker-metadata-action")));
      continue;
    }
    const file = literal(value);
    if (file === null)
      return note(reading, command, reasons(value)[0] ?? `${render(value)} is known only in a pipeline`);
    if (/^https?:/.test(file)) return note(reading, command, `the bake file is not in the tree: ${file}`);
    files.push(file);
  }
  const targets: string[] = [];
  for (const value of splitValue(inputOf(step, "targets") ?? [], /[\n,]/)) {
    const name = literal(value);
    if (name === null)
      return note(reading, command, reasons(value)[0] ?? `${render(value)} is known only in a pipeline`);
    targets.push(name);
  }
  const overrides: BakeOverride[] = [];
  for (const value of splitValue(inputOf(step, "set") ?? [], /\n/)) {
    const override = overrideOf(value);
    if (override === null) return note(reading, command, `set ${render(value)} is not read`);
    overrides.push(override);
  }
  const words: Field[] = ["builder", "load", "no-cache", "provenance", "pull", "push", "sbom"].flatMap(
    (name) => {
      const value = inputOf(step, name);
      return value === null || value.length === 0 ? [] : [flagWord(name, value)];
    },
  );
  readBake(reading, command, { files, targets, overrides, words, generated });
}

function directoryOf(step: Step): ReturnType<typeof treePath> {
  const workdir = inputOf(step, "workdir");
  if (workdir !== null && workdir.length > 0) return treePath(workdir, { path: "." });
  const source = inputOf(step, "source");
  return treePath(contextOf(source).value, { path: "." });
}

/** `vars` of the action come before the environment. */
function withVars(step: Step, environment: (name: string) => Value | null): (name: string) => Value | null {
  const vars = new Map<string, Value>();
  for (const line of splitValue(inputOf(step, "vars") ?? [], /\n/)) {
    const [first] = line;
    const name = first?.kind === "text" ? /^([\w-]+)=/.exec(first.text)?.[1] : undefined;
    if (name !== undefined) vars.set(name, cutText(line, name.length + 1).tail);
  }
  return (name) => vars.get(name) ?? environment(name);
}

/** The target that `docker/metadata-action` writes. */
function metadataOf(
  { tags, labels }: { tags: Value[]; labels: Value[] },
  before: ReadonlyMap<string, Datum> | undefined,
): ReadonlyMap<string, Datum> {
  const attributes = new Map<string, Datum>(before ?? []);
  if (tags.length > 0) attributes.set("tags", listDatum(tags.map(ofValue)));
  const pairs = labels.flatMap((label): [string, Datum][] => {
    const [first] = label;
    const equals = first?.kind === "text" ? first.text.indexOf("=") : -1;
    return first?.kind === "text" && equals > 0
      ? [[first.text.slice(0, equals), ofValue(cutText(label, equals + 1).tail)]]
      : [];
  });
  if (pairs.length > 0) attributes.set("labels", exactMap(pairs));
  return attributes;
}

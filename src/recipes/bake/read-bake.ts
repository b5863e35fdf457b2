import { isPrimitive, toValue, truthOf } from "../datum.ts";
import type { Datum } from "../datum.ts";
import { readDockerBuild } from "../docker-build.ts";
import { keep, noteAt } from "../job-reading.ts";
import type { JobReading } from "../job-reading.ts";
import { unresolve } from "../recipe-draft.ts";
import type { ShellCommand } from "../shell-session.ts";
import type { Field } from "../shell-words.ts";
import { joinTreePath } from "../tree-path.ts";
import { concatenate, known, literal, render } from "../value.ts";
import type { Value } from "../value.ts";
import { readBakeFiles } from "./bake-files.ts";
import { listOf, resolveTargets } from "./bake-targets.ts";
import type { BakeOverride, ResolvedTarget } from "./bake-targets.ts";

/** One call of `docker buildx bake`. */
export type BakeCall = {
  files: readonly string[];
  targets: readonly string[];
  overrides: readonly BakeOverride[];
  /** Flags for every target: `--push`, `--load`, `--no-cache`, `--builder` … */
  words: readonly Field[];
  /** Attributes that files outside of the tree state for targets by name. */
  generated: ReadonlyMap<string, ReadonlyMap<string, Datum>>;
};

/** Reads one call of bake: a recipe for each of its targets, said where the target stands. */
export function readBake(reading: JobReading, command: ShellCommand, call: BakeCall): void {
  if (command.directory.path === null)
    return noteAt(reading, command.file, command.line, command.text, command.directory.why);
  const files = readBakeFiles(reading.tree, command.directory.path, call.files, (name) =>
    command.environment(name),
  );
  for (const { file, line, why } of files.faults) {
    const isFile = files.files.includes(file);
    noteAt(reading, isFile ? file : command.file, isFile ? line : command.line, command.text, why);
  }
  if (files.files.length === 0) return;
  for (const [name, attributes] of call.generated) {
    const at = { file: command.file, line: command.line };
    files.targets.set(name, [
      ...(files.targets.get(name) ?? []),
      { name, attributes: new Map(attributes), at },
    ]);
  }
  const { targets, faults } = resolveTargets(files, call.targets, call.overrides);
  const isBroken = files.faults.some(({ file }) => files.files.includes(file));
  for (const why of isBroken ? [] : faults) noteAt(reading, command.file, command.line, command.text, why);
  for (const target of targets) readTarget(reading, command, call, target, files.files);
}

function readTarget(
  reading: JobReading,
  command: ShellCommand,
  call: BakeCall,
  target: ResolvedTarget,
  files: readonly string[],
): void {
  const at = { ...command, file: target.at.file, line: target.at.line };
  const words = wordsOf(target, call);
  const draft = readDockerBuild(reading, at, words, "docker buildx bake");
  if (typeof draft !== "string") {
    if (target.why !== null) unresolve(draft.recipe, "target", target.why);
    if (target.attributes.has("dockerfile-inline")) {
      draft.recipe.dockerfile = null;
      unresolve(
        draft.recipe,
        "dockerfile",
        `the Dockerfile stands in the bake file (dockerfile-inline of ${target.name})`,
      );
    }
    const written = files.find((file) => reading.written.has(file));
    if (written !== undefined)
      unresolve(draft.recipe, "target", `${written} is written by the job: ${reading.written.get(written)}`);
  }
  keep(reading, at, draft);
}

/** Attributes that are flags of `docker buildx build` as they are. */
const LISTS: Readonly<Record<string, string>> = {
  annotations: "annotation",
  attest: "attest",
  "cache-from": "cache-from",
  "cache-to": "cache-to",
  entitlements: "allow",
  "no-cache-filter": "no-cache-filter",
  output: "output",
  platforms: "platform",
  ssh: "ssh",
  tags: "tag",
  ulimits: "ulimit",
};
const SINGLES: Readonly<Record<string, string>> = {
  network: "network",
  provenance: "provenance",
  sbom: "sbom",
  "shm-size": "shm-size",
  target: "target",
  call: "call",
};
const SWITCHES: Readonly<Record<string, string>> = { "no-cache": "no-cache", pull: "pull" };
const PAIRS: Readonly<Record<string, string>> = {
  args: "build-arg",
  labels: "label",
  contexts: "build-context",
};

function wordsOf(target: ResolvedTarget, call: BakeCall): Field[] {
  const { attributes } = target;
  const words: Field[] = [];
  const add = (flag: string, value: Value) =>
    words.push({ value: concatenate(known(`--${flag}=`), value), loose: false });
  for (const [name, flag] of Object.entries(LISTS))
    for (const item of listOf(attributes.get(name))) {
      const value = optionText(item);
      if (value.length > 0) add(flag, value);
    }
  for (const [name, flag] of Object.entries(SINGLES)) {
    const datum = attributes.get(name);
    if (datum !== undefined && datum !== null && datum !== "") add(flag, toValue(datum));
  }
  for (const [name, flag] of Object.entries(SWITCHES)) {
    const datum = attributes.get(name);
    const holds = truthOf(datum);
    if (holds === null) add(flag, toValue(datum));
    else if (holds && datum !== "false") add(flag, known("true"));
  }
  for (const [name, flag] of Object.entries(PAIRS)) {
    const datum = attributes.get(name);
    if (isPrimitive(datum)) continue;
    if (datum.kind !== "map") {
      add(flag, toValue(datum));
      continue;
    }
    for (const [key, value] of datum.entries)
      if (value !== null && value !== undefined) add(flag, concatenate(known(`${key}=`), toValue(value)));
  }
  for (const item of listOf(attributes.get("secret"))) {
    const id = /(?:^|,)"?id=([\w.-]+)/.exec(render(optionText(item)))?.[1];
    add("secret", known(id === undefined ? "id=unknown" : `id=${id}`));
  }
  words.push(...call.words);
  for (const name of ["push", "load"]) {
    const datum = attributes.get(`set ${name}`);
    if (datum !== undefined) add(name, toValue(datum));
  }
  words.push(...inputs(attributes));
  return words;
}

/** Context and Dockerfile: bake looks for the file in the context. */
function inputs(attributes: ReadonlyMap<string, Datum>): Field[] {
  const context = plainContext(attributes.get("context"));
  const file = attributes.get("dockerfile");
  const words: Field[] = [];
  if (file !== undefined && file !== null && file !== "") {
    const value = toValue(file);
    const [below, name] = [literal(context), literal(value)];
    const joined = below === null || name === null || name.startsWith("/") ? null : joinTreePath(below, name);
    const path = joined === null ? concatenate(context, known("/"), value) : known(joined);
    words.push({
      value: concatenate(known("--file="), name?.startsWith("/") === true ? value : path),
      loose: false,
    });
  }
  return [...words, { value: context, loose: false }];
}

function plainContext(datum: Datum): Value {
  if (datum === undefined || datum === null || datum === "") return known(".");
  const text = typeof datum === "string" ? datum : null;
  return text === null
    ? toValue(datum)
    : known(text.replace(/^cwd:\/\/(?=.)/, "").replace(/^cwd:\/\/$/, "."));
}

/** `type=registry,ref=x`, also where the options stand in a map. */
function optionText(datum: Datum): Value {
  if (isPrimitive(datum) || datum.kind !== "map") return toValue(datum);
  const parts = [...datum.entries].filter(([, value]) => value !== null && value !== undefined);
  return concatenate(
    ...parts.flatMap(([name, value], at) => [known(`${at === 0 ? "" : ","}${name}=`), toValue(value)]),
  );
}

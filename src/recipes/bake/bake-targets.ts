import { isPrimitive, listDatum, ofValue, toValue } from "../datum.ts";
import type { Datum } from "../datum.ts";
import { literal, render } from "../value.ts";
import type { Value } from "../value.ts";
import type { BakeFiles, BakePlace } from "./bake-files.ts";
import { exactMap } from "./hcl-evaluate.ts";

/** A target with all that it inherits. */
export type ResolvedTarget = {
  name: string;
  attributes: Map<string, Datum>;
  at: BakePlace;
  why: string | null;
};

/** Attributes whose entries are merged; of all others the last one wins. */
const MERGED = new Set(["args", "labels", "contexts"]);

/** Most targets that one call builds, and how deep they inherit. */
const MOST_TARGETS = 200;
const DEEPEST = 50;

/** `*.cache-to=x`: which targets, which attribute, an entry of it, and whether it is added. */
export type BakeOverride = {
  pattern: string;
  key: string;
  entry: string | null;
  value: Value;
  adds: boolean;
};

/** Targets that a call names, groups written out, with overrides; or why there are none. */
export function resolveTargets(
  files: BakeFiles,
  names: readonly string[],
  overrides: readonly BakeOverride[],
): { targets: ResolvedTarget[]; faults: string[] } {
  const faults: string[] = [];
  const found = new Set<string>();
  const visit = (name: string, trail: readonly string[]): void => {
    const group = files.groups.get(name);
    if (group !== undefined && !trail.includes(name) && trail.length < DEEPEST) {
      if (group.why !== null) faults.push(`group ${name}: ${group.why}`);
      for (const each of group.targets) visit(each, [...trail, name]);
    }
    if (files.targets.has(name)) found.add(name);
    else if (group === undefined) faults.push(`the bake files have no target ${name}`);
  };
  for (const name of names.length > 0 ? names : ["default"]) visit(name, []);
  const all = [...found];
  if (all.length > MOST_TARGETS)
    faults.push(`${all.length - MOST_TARGETS} targets more than ${MOST_TARGETS} are not read`);
  const targets = all.slice(0, MOST_TARGETS).map((name) => {
    const target = inherit(files, name, []);
    for (const override of overrides) apply(target, override);
    return target;
  });
  return { targets, faults };
}

function inherit(files: BakeFiles, name: string, trail: readonly string[]): ResolvedTarget {
  const stated = files.targets.get(name) ?? [];
  const at = stated[0]?.at ?? { file: files.files[0] ?? "", line: 1 };
  const result: ResolvedTarget = { name, attributes: new Map(), at, why: null };
  if (trail.includes(name) || trail.length > DEEPEST)
    return { ...result, why: `target ${name} inherits from itself` };
  const own = new Map<string, Datum>();
  for (const { attributes } of stated) merge(own, attributes);
  const parents = own.get("inherits");
  for (const parent of listOf(parents)) {
    const text = literal(toValue(parent));
    if (text === null || !files.targets.has(text)) {
      result.why = `it inherits from ${render(toValue(parent))}, which the bake files do not have`;
      continue;
    }
    const inherited = inherit(files, text, [...trail, name]);
    result.why ??= inherited.why;
    merge(result.attributes, inherited.attributes);
  }
  merge(result.attributes, own);
  return result;
}

function merge(into: Map<string, Datum>, from: ReadonlyMap<string, Datum>): void {
  for (const [name, datum] of from) {
    if (datum === null || datum === undefined) continue;
    const old = into.get(name);
    const isMaps = isMap(old) && isMap(datum);
    // A null takes nothing away from what is inherited.
    const told = isMaps
      ? [...datum.entries].filter(([, value]) => value !== null && value !== undefined)
      : [];
    if (MERGED.has(name) && isMaps) into.set(name, exactMap([...old.entries, ...told]));
    else into.set(name, datum);
  }
}

function isMap(datum: Datum): datum is Extract<Datum, { kind: "map" }> {
  return !isPrimitive(datum) && datum.kind === "map";
}

/** Items of a list; one datum that is no list stands alone. */
export function listOf(datum: Datum): readonly Datum[] {
  if (datum === null || datum === undefined || datum === "") return [];
  return !isPrimitive(datum) && datum.kind === "list" ? datum.items : [datum];
}

const NAMES: Readonly<Record<string, string>> = {
  platform: "platforms",
  tag: "tags",
  secrets: "secret",
  outputs: "output",
  annotation: "annotations",
  label: "labels",
  "no-cache-filters": "no-cache-filter",
};
const SINGLE = new Set([
  "context",
  "dockerfile",
  "target",
  "pull",
  "no-cache",
  "network",
  "shm-size",
  "push",
  "load",
  "call",
]);

function apply(target: ResolvedTarget, { pattern, key, entry, value, adds }: BakeOverride): void {
  if (!matches(pattern, target.name)) return;
  const name = NAMES[key] ?? key;
  const old = target.attributes.get(name);
  if (MERGED.has(name)) {
    if (entry !== null)
      target.attributes.set(name, exactMap([...(isMap(old) ? old.entries : []), [entry, ofValue(value)]]));
  } else if (name === "push" || name === "load") target.attributes.set(`set ${name}`, ofValue(value));
  else if (SINGLE.has(name)) target.attributes.set(name, ofValue(value));
  else {
    const kept = adds || target.attributes.get(`set ${name}`) === true ? listOf(old) : [];
    // Several overrides of one list make it up together.
    target.attributes.set(`set ${name}`, true);
    target.attributes.set(name, value.length === 0 ? listDatum(kept) : listDatum([...kept, ofValue(value)]));
  }
}

function matches(pattern: string, name: string): boolean {
  if (pattern === "*" || pattern === name) return true;
  const [head = "", ...rest] = pattern.split("*");
  let at = head.length;
  if (!name.startsWith(head) || rest.length === 0) return false;
  for (const part of rest.slice(0, -1)) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  const tail = rest.at(-1) ?? "";
  return name.endsWith(tail) && name.length - tail.length >= at;
}

/** `target.key=value`, `target.key.entry=value` and `target.key+=value`; null where it is none. */
export function overrideOf(written: Value): BakeOverride | null {
  const [first, ...rest] = written;
  if (first?.kind !== "text") return null;
  const match = /^([^=]*?)\.([a-z-]+)(?:\.([^=]+?))?(\+?)=([\s\S]*)$/.exec(first.text);
  if (match === null) return null;
  const [, pattern = "", key = "", entry, plus, start = ""] = match;
  const value: Value = start === "" ? rest : [{ kind: "text", text: start }, ...rest];
  return { pattern, key, entry: entry ?? null, value, adds: plus === "+" };
}

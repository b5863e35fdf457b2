import { listDatum, mapDatum, ofValue, unknownDatum } from "../datum.ts";
import type { Datum } from "../datum.ts";
import { concatenate, known, literal, reasons, render, unknown, variable } from "../value.ts";
import type { Value } from "../value.ts";
import { inputOf, isTrue, splitValue } from "./step.ts";
import type { JobRun, Step } from "./step.ts";
import { refName, runTime } from "./worlds.ts";
import type { World } from "./worlds.ts";

/** Rules of `docker/metadata-action` where a step names none. */
const DEFAULT_RULES = ["type=schedule", "type=ref,event=branch", "type=ref,event=tag", "type=ref,event=pr"];

/** Order in which the action sorts its tags; the first one is its version. */
const PRIORITIES: Readonly<Record<string, number>> = {
  schedule: 1000,
  semver: 900,
  pep440: 900,
  match: 800,
  edge: 700,
  ref: 600,
  raw: 200,
  sha: 100,
};

type Tag = { value: Value; priority: number; latest: boolean };

/** Reads a step that is `docker/metadata-action`: its outputs are what later steps are given. */
export function readMetadata(run: JobRun, step: Step): void {
  const { world } = run.contexts;
  const images = namesOf(inputOf(step, "images"));
  const flavor = flavorOf(inputOf(step, "flavor"));
  const written = linesOf(inputOf(step, "tags"));
  const rules = written.length > 0 ? written : DEFAULT_RULES.map(known);
  const tags = rules.flatMap((rule) => readRule(rule, world, flavor));
  const sorted = tags.toSorted((a, b) => b.priority - a.priority).map(({ value }) => value);
  if (flavor.latest === true || (flavor.latest === "auto" && tags.some(({ latest }) => latest))) {
    sorted.push(
      concatenate(
        flavor.onLatest ? flavor.prefix : [],
        known("latest"),
        flavor.onLatest ? flavor.suffix : [],
      ),
    );
  }
  const unique = [...new Map(sorted.map((tag) => [render(tag), tag])).values()];
  const names = images.length === 0 ? [null] : images;
  const references = names.flatMap((name) =>
    unique.map((tag) => (name === null ? tag : concatenate(name, known(":"), tag))),
  );
  const labels = labelsOf(step, unique[0] ?? null);
  const separators = { tags: inputOf(step, "sep-tags"), labels: inputOf(step, "sep-labels") };
  run.env.set("DOCKER_METADATA_OUTPUT_VERSION", unique[0] ?? []);
  run.env.set("DOCKER_METADATA_OUTPUT_TAGS", joined(references, separators.tags ?? known("\n")));
  run.env.set("DOCKER_METADATA_OUTPUT_LABELS", joined(labels, separators.labels ?? known("\n")));
  if (step.id === null) return;
  run.contexts.steps.set(step.id, outputs(run, step.id, { references, unique, labels, separators }));
}

/** Lines of an input without its comments. */
function linesOf(value: Value | null): Value[] {
  return splitValue(value ?? [], /\n/).filter(
    (line) => line[0]?.kind !== "text" || !line[0].text.startsWith("#"),
  );
}

type Made = {
  references: Value[];
  unique: Value[];
  labels: Value[];
  separators: { tags: Value | null; labels: Value | null };
};

function outputs(run: JobRun, id: string, { references, unique, labels, separators }: Made): Datum {
  const files = ["bake-file", "bake-file-tags", "bake-file-labels"].map((name): [string, Datum] => {
    const path = `cwd:///metadata/${id}/${name}.json`;
    run.bakeFiles.set(path, {
      tags: name === "bake-file-labels" ? [] : references,
      labels: name === "bake-file-tags" ? [] : labels,
    });
    return [name, path];
  });
  const annotations = `cwd:///metadata/${id}/bake-file-annotations.json`;
  run.bakeFiles.set(annotations, { tags: [], labels: [] });
  return mapDatum([
    ["tags", ofValue(joined(references, separators.tags ?? known("\n")))],
    ["tag-names", ofValue(joined(unique, separators.tags ?? known("\n")))],
    ["labels", ofValue(joined(labels, separators.labels ?? known("\n")))],
    ["annotations", ""],
    ["version", ofValue(unique[0] ?? [])],
    [
      "json",
      mapDatum([["tags", listDatum(references.map(ofValue))]], (name) =>
        unknownDatum(`json.${name}`, runTime(name)),
      ),
    ],
    ...files,
    ["bake-file-annotations", annotations],
  ]);
}

function joined(values: readonly Value[], separator: Value): Value {
  return concatenate(...values.flatMap((value, at) => (at === 0 ? [value] : [separator, value])));
}

/** Names of images; `name=x,enable=false` leaves one out. References are lower case. */
function namesOf(value: Value | null): Value[] {
  return linesOf(value).flatMap((line) => {
    if (!/^(?:name|enable)=/.test(render(line))) return splitValue(line, /,/).map(lowerCase);
    const options = optionsOf(line);
    const name = options.get("name");
    return name === undefined || isTrue(options.get("enable") ?? known("true")) === false
      ? []
      : [lowerCase(name)];
  });
}

function lowerCase(value: Value): Value {
  return value.map((piece) => (piece.kind === "text" ? { ...piece, text: piece.text.toLowerCase() } : piece));
}

/** `a=b,c=d` as a map; its values keep what a pipeline knows. */
function optionsOf(line: Value): Map<string, Value> {
  const options = new Map<string, Value>();
  for (const part of splitValue(line, /,/, true)) {
    const [first, ...rest] = part;
    const text = first?.kind === "text" ? first.text : "";
    const equals = text.indexOf("=");
    if (equals > 0)
      options.set(
        text.slice(0, equals).trim(),
        concatenate(known(text.slice(equals + 1).replaceAll('"', "")), rest),
      );
    else options.set("", part);
  }
  return options;
}

type Flavor = { latest: boolean | "auto"; prefix: Value; suffix: Value; onLatest: boolean };

function flavorOf(value: Value | null): Flavor {
  const flavor: Flavor = { latest: "auto", prefix: [], suffix: [], onLatest: false };
  for (const line of linesOf(value)) {
    const options = optionsOf(line);
    const latest = options.get("latest");
    if (latest !== undefined) flavor.latest = isTrue(latest) ?? "auto";
    flavor.prefix = options.get("prefix") ?? flavor.prefix;
    flavor.suffix = options.get("suffix") ?? flavor.suffix;
    if (isTrue(options.get("onlatest") ?? []) === true) flavor.onLatest = true;
  }
  return flavor;
}

function readRule(rule: Value, world: World, flavor: Flavor): Tag[] {
  const plain = /^(?:type|enable|priority|value|event)=/.test(render(rule)) ? null : rule;
  const options =
    plain === null
      ? optionsOf(rule)
      : new Map([
          ["type", known("raw")],
          ["value", plain],
        ]);
  const type = literal(options.get("type") ?? []) ?? "";
  const enable = expandHandlebars(options.get("enable") ?? known("true"), world);
  const isOn = isTrue(enable);
  if (isOn === false) return [];
  const value = valueOf(type, options, world);
  if (value === null) return [];
  const isLatest =
    type === "semver" || type === "pep440" || type === "match" || (type === "ref" && world.ref === "tag");
  const affix = (name: "prefix" | "suffix") => options.get(name) ?? flavor[name];
  const prefix =
    type === "sha" && !options.has("prefix") ? concatenate(flavor.prefix, known("sha-")) : affix("prefix");
  const priority = Number(literal(options.get("priority") ?? []) ?? "");
  const tag = concatenate(prefix, value, affix("suffix"));
  const why = reasons(enable)[0] ?? "whether this tag is given is not known";
  return [
    {
      value: isOn === null ? unknown(render(tag), why) : expandHandlebars(tag, world),
      priority: options.has("priority") ? priority : (PRIORITIES[type] ?? 0),
      latest: isLatest,
    },
  ];
}

/** The tag of a rule in a world; null where the rule gives none there. */
function valueOf(type: string, options: ReadonlyMap<string, Value>, world: World): Value | null {
  const pattern = options.get("pattern") ?? known("{{version}}");
  switch (type) {
    case "schedule":
      return world.event === "schedule" ? (options.get("pattern") ?? known("nightly")) : null;
    case "semver":
    case "pep440":
    case "match": {
      const given = options.get("value");
      if (given === undefined && world.ref !== "tag") return null;
      if (given !== undefined && given.length === 0 && world.ref !== "tag") return null;
      const exact = given === undefined ? null : literal(given);
      return exact === null
        ? unknown(render(pattern), "it is taken from a Git tag")
        : semver(render(pattern), exact, type);
    }
    case "edge": {
      const branch = literal(options.get("branch") ?? []);
      const isIt = branch === null || branch === "" || world.branch === null || branch === world.branch;
      return world.ref === "branch" && isIt ? known("edge") : null;
    }
    case "ref": {
      const event = literal(options.get("event") ?? []);
      if (event === "branch") return world.ref === "branch" ? slug(refName(world)) : null;
      if (event === "tag") return world.ref === "tag" ? refName(world) : null;
      return world.ref === "pull request"
        ? unknown("pr-{{number}}", runTime("the number of the pull request"))
        : null;
    }
    case "raw":
      return options.get("value") ?? [];
    case "sha":
      return literal(options.get("format") ?? []) === "long"
        ? variable("GITHUB_SHA")
        : variable("GITHUB_SHORT_SHA");
    default:
      return unknown(type, `docker/metadata-action has no tags of type ${type}`);
  }
}

function slug(value: Value): Value {
  return value.map((piece) =>
    piece.kind === "text" ? { ...piece, text: piece.text.replaceAll(/[^\w.-]+/g, "-") } : piece,
  );
}

/** `{{major}}.{{minor}}` of a version that the template states. */
function semver(pattern: string, version: string, type: string): Value {
  const parts = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(.*)$/.exec(version.replace(/^refs\/tags\//, ""));
  if (parts === null || type !== "semver") return unknown(pattern, `it is taken from ${version}`);
  const [, major = "", minor = "0", patch = "0", rest = ""] = parts;
  const names: Record<string, string> = {
    raw: version,
    version: `${major}.${minor}.${patch}${rest}`,
    major,
    minor,
    patch,
  };
  // A pre-release has no tag but its full version.
  const text = rest.startsWith("-") && !pattern.includes("raw") ? (names["version"] ?? "") : pattern;
  return known(text.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (whole, name: string) => names[name] ?? whole));
}

const BUILT_IN: Readonly<Record<string, (world: World) => Value>> = {
  is_default_branch: (world) => known(String(world.ref === "branch")),
  is_not_default_branch: (world) => known(String(world.ref !== "branch")),
  branch: (world) => (world.ref === "branch" ? slug(refName(world)) : []),
  tag: (world) => (world.ref === "tag" ? refName(world) : []),
  sha: () => variable("GITHUB_SHORT_SHA"),
};

/** `{{name}}` of the action's own templates. */
function expandHandlebars(value: Value, world: World): Value {
  return concatenate(
    ...value.flatMap((piece): Value[] => {
      if (piece.kind !== "text") return [[piece]];
      return piece.text.split(/(\{\{[^}]*\}\})/).map((part) => {
        const name = /^\{\{\s*([\w]+)/.exec(part)?.[1];
        if (!part.startsWith("{{")) return known(part);
        return BUILT_IN[name ?? ""]?.(world) ?? unknown(part, runTime(part));
      });
    }),
  );
}

/** Labels that do not change from run to run; the time of the build is left out. */
function labelsOf(step: Step, version: Value | null): Value[] {
  const own: Value[] = [
    concatenate(known("org.opencontainers.image.revision="), variable("GITHUB_SHA")),
    ...(version === null || reasons(version).length > 0
      ? []
      : [concatenate(known("org.opencontainers.image.version="), version)]),
  ];
  const given = linesOf(inputOf(step, "labels"));
  return [...own, ...given];
}

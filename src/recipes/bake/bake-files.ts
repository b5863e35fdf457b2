import { unknownDatum } from "../datum.ts";
import type { Datum } from "../datum.ts";
import { Problem } from "../../domain/problem.ts";
import { joinTreePath } from "../tree-path.ts";
import type { TreeFiles } from "../types.ts";
import { lineCounter } from "../yaml-source.ts";
import type { Value } from "../value.ts";
import { ofValue } from "../datum.ts";
import { readComposeFile } from "./compose-file.ts";
import { evaluateHcl, exactMap } from "./hcl-evaluate.ts";
import type { HclScope } from "./hcl-evaluate.ts";
import { parseHcl } from "./hcl-parse.ts";
import type { HclBody, HclExpression } from "./hcl-parse.ts";
import { HclFault } from "./hcl-tokens.ts";

/** Where a definition stands. */
export type BakePlace = { file: string; line: number };

/** A target as one file states it: its attributes, unmerged. */
export type BakeTarget = { name: string; attributes: Map<string, Datum>; at: BakePlace };

/** Everything that the bake files of one call define. */
export type BakeFiles = {
  targets: Map<string, BakeTarget[]>;
  groups: Map<string, { targets: string[]; why: string | null }>;
  files: string[];
  faults: { file: string; line: number; why: string }[];
};

/** Largest bake file, in characters; most combinations of one target's matrix; most expressions of one call. */
const MOST_CHARACTERS = 1 << 20;
const MOST_COMBINATIONS = 256;
const MOST_EXPRESSIONS = 200_000;

/** Files that bake looks for where none is named, all of those that are there. */
const DEFAULT_FILES = [
  ..."compose.yaml compose.yml docker-compose.yml docker-compose.yaml docker-bake.json docker-bake.hcl".split(
    " ",
  ),
  ..."docker-bake.override.json docker-bake.override.hcl".split(" "),
];

/** Value of a variable in the environment of bake; null where it is not set. */
export type BakeEnvironment = (name: string) => Value | null;

/** Reads the bake files of one call. `names` are paths below `directory`; none: those that bake looks for itself. */
export function readBakeFiles(
  tree: TreeFiles,
  directory: string,
  names: readonly string[],
  environment: BakeEnvironment,
): BakeFiles {
  const read: BakeFiles = { targets: new Map(), groups: new Map(), files: [], faults: [] };
  const wanted =
    names.length > 0
      ? names
      : DEFAULT_FILES.filter((name) => tree.read(joinTreePath(directory, name) ?? "") !== null);
  if (wanted.length === 0) read.faults.push({ file: "", line: 1, why: "there is no bake file in the tree" });
  const bodies: { body: HclBody; file: string; text: string }[] = [];
  for (const name of wanted) {
    const path = joinTreePath(directory, name.replace(/^cwd:\/\//, ""));
    const text = path === null ? null : tree.read(path);
    if (path === null || text === null) {
      read.faults.push({ file: path ?? name, line: 1, why: `${path ?? name} is not in the tree` });
      continue;
    }
    read.files.push(path);
    if (text.length > MOST_CHARACTERS)
      read.faults.push({ file: path, line: 1, why: `${path} is larger than ${MOST_CHARACTERS} characters` });
    else readOne(read, path, text, bodies, environment);
  }
  takeHcl(read, bodies, environment);
  return read;
}

function readOne(
  read: BakeFiles,
  path: string,
  text: string,
  bodies: { body: HclBody; file: string; text: string }[],
  environment: BakeEnvironment,
): void {
  try {
    if (/\.ya?ml$/.test(path)) {
      for (const target of readComposeFile({ path, text }, environment)) {
        add(read, target);
        const all = read.groups.get("default") ?? { targets: [], why: null };
        all.targets.push(target.name);
        read.groups.set("default", all);
      }
    } else if (path.endsWith(".json") || /^\s*\{/.test(text)) {
      bodies.push({ body: jsonBody(JSON.parse(text.replace(/^\uFEFF/, ""))), file: path, text });
    } else bodies.push({ body: parseHcl(text), file: path, text });
  } catch (error) {
    if (error instanceof HclFault) {
      read.faults.push({
        file: path,
        line: lineCounter(text)(error.at),
        why: `the bake file cannot be read: ${error.message}`,
      });
    } else if (error instanceof SyntaxError || error instanceof Problem || error instanceof RangeError)
      read.faults.push({ file: path, line: 1, why: `the bake file cannot be read: ${error.message}` });
    else throw error;
  }
}

function add(read: BakeFiles, target: BakeTarget): void {
  read.targets.set(target.name, [...(read.targets.get(target.name) ?? []), target]);
}

/** HCL's JSON syntax as a body: texts are templates. */
function jsonBody(json: unknown): HclBody {
  const body: HclBody = { attributes: [], blocks: [] };
  if (!isRecord(json)) throw new SyntaxError("its top level is no object");
  for (const [type, value] of Object.entries(json)) {
    if (!/^(?:target|group|variable|function)$/.test(type) || !isRecord(value)) {
      body.attributes.push({ name: type, value: jsonExpression(value), at: 0 });
      continue;
    }
    for (const [label, entry] of Object.entries(value)) {
      const attributes = Object.entries(isRecord(entry) ? entry : {}).map(([name, each]) => ({
        name,
        value: jsonExpression(each),
        at: 0,
      }));
      body.blocks.push({ type, labels: [label], body: { attributes, blocks: [] }, at: 0 });
    }
  }
  return body;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function jsonExpression(json: unknown): HclExpression {
  if (Array.isArray(json)) return { kind: "list", items: json.map(jsonExpression) };
  if (isRecord(json)) {
    const entries = Object.entries(json).map(([name, value]) => ({
      key: { kind: "literal", value: name } as const,
      value: jsonExpression(value),
    }));
    return { kind: "map", entries };
  }
  if (typeof json === "string") {
    if (!json.includes("${")) return { kind: "literal", value: json };
    const { attributes } = parseHcl(`text = ${JSON.stringify(json)}\n`);
    return attributes[0]?.value ?? { kind: "literal", value: json };
  }
  return { kind: "literal", value: typeof json === "number" || typeof json === "boolean" ? json : null };
}

type Source = { body: HclBody; file: string; text: string };

function takeHcl(read: BakeFiles, sources: readonly Source[], environment: BakeEnvironment): void {
  const scope = scopeOf(sources, environment);
  for (const { body, file, text } of sources) {
    const lines = lineCounter(text);
    for (const block of body.blocks) {
      const at = {
        file,
        line:
          block.at === 0 && !text.startsWith(block.type)
            ? lineOfName(text, block.labels[0] ?? "")
            : lines(block.at),
      };
      const [label = ""] = block.labels;
      if (block.type === "group") {
        const targets = listed(block.body, "targets", scope);
        read.groups.set(label, targets);
      } else if (block.type === "target") takeTarget(read, block.body, label, at, scope);
      else if (block.type !== "variable" && block.type !== "function")
        read.faults.push({ ...at, why: `blocks named ${block.type} are not read` });
    }
  }
}

function lineOfName(text: string, name: string): number {
  const at = text.indexOf(`"${name}"`);
  return at === -1 ? 1 : lineCounter(text)(at);
}

function listed(body: HclBody, name: string, scope: HclScope): { targets: string[]; why: string | null } {
  const attribute = body.attributes.find((each) => each.name === name);
  const datum = attribute === undefined ? null : evaluateHcl(attribute.value, scope);
  if (typeof datum !== "object" || datum === null || datum.kind !== "list")
    return { targets: [], why: attribute === undefined ? null : `the list ${name} is not known` };
  const texts = datum.items.flatMap((item) => (typeof item === "string" ? [item] : []));
  return { targets: texts, why: texts.length < datum.items.length ? `not all of ${name} is known` : null };
}

/** Attributes of a target. Maps may be written as blocks: `args { … }`. */
function attributesOf(body: HclBody, scope: HclScope): Map<string, Datum> {
  const attributes = new Map<string, Datum>();
  for (const { name, value } of body.attributes)
    if (name !== "matrix" && name !== "name") attributes.set(name, evaluateHcl(value, scope));
  for (const block of body.blocks) attributes.set(block.type, exactMap(attributesOf(block.body, scope)));
  return attributes;
}

/** A target, or one for each combination of its matrix: then a group has its name. */
function takeTarget(read: BakeFiles, body: HclBody, label: string, at: BakePlace, scope: HclScope): void {
  const stated = (inside: HclScope) => attributesOf(body, inside);
  const matrix = body.attributes.find(({ name }) => name === "matrix");
  if (matrix === undefined) return add(read, { name: label, attributes: stated(scope), at });
  const rows = combinations(evaluateHcl(matrix.value, scope));
  if (typeof rows === "string") {
    read.faults.push({ ...at, why: `target ${label}: ${rows}` });
    return;
  }
  const naming = body.attributes.find(({ name }) => name === "name");
  const names: string[] = [];
  for (const row of rows) {
    const inside: HclScope = { ...scope, name: (name) => (row.has(name) ? row.get(name) : scope.name(name)) };
    const made = naming === undefined ? null : evaluateHcl(naming.value, inside);
    // A name that is not known is only missed where the target is asked for by it.
    const name = typeof made === "string" ? made : `${label} (${names.length + 1})`;
    names.push(name);
    add(read, { name, attributes: stated(inside), at });
  }
  read.groups.set(label, { targets: names, why: null });
}

function combinations(matrix: Datum): Map<string, Datum>[] | string {
  if (typeof matrix !== "object" || matrix === null || matrix.kind !== "map")
    return "its matrix is not known";
  let rows: Map<string, Datum>[] = [new Map()];
  for (const [name, values] of matrix.entries) {
    if (typeof values !== "object" || values === null || values.kind !== "list")
      return `the values of ${name} are not known`;
    if (rows.length * values.items.length > MOST_COMBINATIONS)
      return `its matrix has more than ${MOST_COMBINATIONS} combinations`;
    rows = rows.flatMap((row) => values.items.map((item) => new Map([...row, [name, item]])));
  }
  return rows;
}

/** Variables of all files: the environment first, then the default; attributes at the top level, and functions. */
function scopeOf(sources: readonly Source[], environment: BakeEnvironment): HclScope {
  const stated = new Map<string, HclExpression | null>();
  const types = new Map<string, string>();
  const functions = new Map<string, HclBody>();
  for (const { body } of sources) {
    for (const { name, value } of body.attributes) stated.set(name, value);
    for (const block of body.blocks) {
      const [label = ""] = block.labels;
      if (block.type === "function") functions.set(label, block.body);
      if (block.type !== "variable") continue;
      const find = (name: string) => block.body.attributes.find((each) => each.name === name)?.value;
      const type = find("type");
      if (type?.kind === "name" || type?.kind === "call") types.set(label, type.name);
      stated.set(label, find("default") ?? stated.get(label) ?? null);
    }
  }
  const done = new Map<string, Datum>();
  const open = new Set<string>();
  const budget = { left: MOST_EXPRESSIONS };
  const scope: HclScope = { name: lookup, call, budget };

  function lookup(name: string): Datum {
    if (done.has(name)) return done.get(name);
    if (name === "BAKE_CMD_CONTEXT") return "cwd://";
    if (name === "BAKE_LOCAL_PLATFORM") return "linux/amd64";
    if (name === "target") return unknownDatum("target", "a value of another target is not followed");
    const expression = stated.get(name);
    if (expression === undefined) return unknownDatum(name, `${name} is not defined in the bake files`);
    if (open.has(name)) return unknownDatum(name, `${name} is defined by itself`);
    open.add(name);
    const byDefault = expression === null ? null : evaluateHcl(expression, scope);
    open.delete(name);
    const datum = given(name, byDefault);
    done.set(name, datum);
    return datum;
  }

  function given(name: string, byDefault: Datum): Datum {
    const value = environment(name);
    if (value === null) return byDefault;
    const datum = ofValue(value);
    const isList =
      typeof byDefault === "object" &&
      byDefault !== null &&
      (byDefault.kind === "list" || byDefault.kind === "map");
    if (isList || /^(?:list|set|map|object|tuple)$/.test(types.get(name) ?? ""))
      return unknownDatum(name, `${name} is a list that the environment gives`);
    if (typeof datum !== "string") return datum;
    if (typeof byDefault === "boolean" || types.get(name) === "bool")
      return datum === "true" || datum === "1";
    return typeof byDefault === "number" || types.get(name) === "number" ? Number(datum) : datum;
  }

  function call(name: string, args: readonly Datum[]): Datum | null {
    const body = functions.get(name);
    if (body === undefined) return null;
    const find = (attribute: string) => body.attributes.find((each) => each.name === attribute)?.value;
    const result = find("result");
    const params = namesIn(find("params"));
    const variadic = namesIn(find("variadic_params"));
    if (result === undefined) return unknownDatum(name, `the function ${name} has no result`);
    const own = new Map<string, Datum>(params.map((param, at) => [param, args[at]]));
    const rest = variadic ?? [];
    const [more] = rest;
    if (more !== undefined) own.set(more, { kind: "list", items: args.slice(params.length) });
    if (open.size > 50) return unknownDatum(name, `the function ${name} is called too deep`);
    const mark = `${name}()${open.size}`;
    open.add(mark);
    const made = evaluateHcl(result, {
      ...scope,
      name: (each) => (own.has(each) ? own.get(each) : lookup(each)),
    });
    open.delete(mark);
    return made;
  }

  return scope;
}

/** Names of a function's parameters: `[a, b]`, or one name. */
function namesIn(expression: HclExpression | undefined): string[] {
  if (expression === undefined) return [];
  const nodes = expression.kind === "list" ? expression.items : [expression];
  return nodes.flatMap((node) =>
    node.kind === "name" ? [node.name] : node.kind === "literal" ? [String(node.value)] : [],
  );
}

import { listDatum, ofValue } from "../datum.ts";
import type { Datum } from "../datum.ts";
import { concatenate, known, unknown } from "../value.ts";
import type { Value } from "../value.ts";
import { lineAt, readYaml12 } from "../yaml-source.ts";
import type { SourceFile, YamlMap, YamlNode } from "../yaml-source.ts";
import type { BakeEnvironment, BakeTarget } from "./bake-files.ts";
import { exactMap } from "./hcl-evaluate.ts";

/** Services of a compose file that are built, as targets of bake. Throws a Problem where the file is no YAML. */
export function readComposeFile(source: SourceFile, environment: BakeEnvironment): BakeTarget[] {
  const root = readYaml12(source);
  const services = root?.kind === "map" ? root.entries.get("services") : undefined;
  if (services?.kind !== "map") return [];
  return [...services.entries].flatMap(([name, service]) => {
    const build = service.kind === "map" ? service.entries.get("build") : undefined;
    if (service.kind !== "map" || build === undefined) return [];
    const attributes = attributesOf(service, build, environment);
    const line = lineAt(source, build.start);
    return [{ name: name.replaceAll(".", "_"), attributes, at: { file: source.path, line } }];
  });
}

/** Keys of `build:` with bake's names. */
const KEYS: Readonly<Record<string, string>> = {
  context: "context",
  dockerfile: "dockerfile",
  dockerfile_inline: "dockerfile-inline",
  target: "target",
  args: "args",
  labels: "labels",
  cache_from: "cache-from",
  cache_to: "cache-to",
  platforms: "platforms",
  tags: "tags",
  no_cache: "no-cache",
  pull: "pull",
  network: "network",
  additional_contexts: "contexts",
  shm_size: "shm-size",
  ssh: "ssh",
};

function attributesOf(service: YamlMap, build: YamlNode, environment: BakeEnvironment): Map<string, Datum> {
  const attributes = new Map<string, Datum>();
  const convert = (node: YamlNode): Datum => datumOf(node, environment);
  const image = service.entries.get("image");
  if (image?.kind === "scalar") attributes.set("tags", listDatum([convert(image)]));
  if (build.kind === "scalar") attributes.set("context", convert(build));
  if (build.kind !== "map") return attributes;
  const more = build.entries.get("x-bake");
  const entries = [...build.entries, ...(more?.kind === "map" ? more.entries : [])];
  for (const [key, node] of entries) {
    const name = KEYS[key] ?? (more?.kind === "map" && more.entries.get(key) === node ? key : undefined);
    if (name === undefined) continue;
    const isPairs = name === "args" || name === "labels" || name === "contexts";
    const datum = isPairs ? pairsOf(node, convert, environment) : convert(node);
    const old = attributes.get(name);
    const isMore = name === "tags" && key === "tags" && typeof old === "object" && old?.kind === "list";
    if (isMore && typeof datum === "object" && datum?.kind === "list")
      attributes.set(name, listDatum([...old.items, ...datum.items]));
    else attributes.set(name, datum);
  }
  return attributes;
}

/** `A: b` or `- A=b`. */
function pairsOf(node: YamlNode, convert: (node: YamlNode) => Datum, environment: BakeEnvironment): Datum {
  if (node.kind !== "list") return convert(node);
  const pairs = node.items.flatMap((item): [string, Datum][] => {
    if (item.kind !== "scalar") return [];
    const equals = item.text.indexOf("=");
    // Without a value it is taken from the environment.
    if (equals === -1) return [[item.text, ofEnvironment(environment(item.text))]];
    return [[item.text.slice(0, equals), convert({ ...item, text: item.text.slice(equals + 1) })]];
  });
  return exactMap(pairs);
}

function ofEnvironment(value: Value | null): Datum {
  return value === null ? null : ofValue(value);
}

function datumOf(node: YamlNode, environment: BakeEnvironment): Datum {
  if (node.kind === "list") return listDatum(node.items.map((item) => datumOf(item, environment)));
  if (node.kind === "map")
    return exactMap(
      [...node.entries].map(([name, value]): [string, Datum] => [name, datumOf(value, environment)]),
    );
  if (node.kind !== "scalar" || node.type === "null") return null;
  return ofValue(interpolate(node.text, environment));
}

const VARIABLE = /\$\$|\$(?:(\w+)|\{(\w+)(?:(:?[-?+])((?:[^{}]|\$\{[^{}]*\})*))?\})/g;

/** `$A`, `${A}`, `${A:-b}`, `${A-b}`, `${A:+b}` and `$$` as compose reads them. */
function interpolate(text: string, environment: BakeEnvironment, depth = 0): Value {
  const parts: Value[] = [];
  let end = 0;
  for (const match of text.matchAll(VARIABLE)) {
    const [written, plain, braced, operator, word = ""] = match;
    parts.push(known(text.slice(end, match.index)));
    end = match.index + written.length;
    if (written === "$$") {
      parts.push(known("$"));
      continue;
    }
    const value = environment(plain ?? braced ?? "");
    const isEmpty = value === null || (value.length === 0 && operator?.startsWith(":") === true);
    const other = () =>
      depth > 5 ? unknown(word, "it is nested too deeply") : interpolate(word, environment, depth + 1);
    if (operator?.endsWith("+") === true) parts.push(isEmpty ? [] : other());
    else if (!isEmpty) parts.push(value ?? []);
    else if (operator?.endsWith("-") === true) parts.push(other());
    else
      parts.push(
        operator === undefined
          ? unknown(written, `${written} is not set where compose reads the file`)
          : unknown(written, `${written} must be set`),
      );
  }
  return concatenate(...parts, known(text.slice(end)));
}

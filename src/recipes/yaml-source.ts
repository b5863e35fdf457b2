import { isAlias, isMap, isScalar, isSeq, parseAllDocuments } from "yaml";
import type { Alias, Document, Scalar, YAMLMap, YAMLSeq } from "yaml";
import { Problem } from "../domain/problem.ts";

/** One template file as it is in the tree. */
export type SourceFile = { path: string; text: string };

type Placed = {
  source: SourceFile;
  /** Offsets of the node in the file's text. */
  start: number;
  end: number;
  /** Number of nodes with every alias written out. */
  size: number;
};

/** A scalar as GitLab turns it into text. `kind` of null is the empty value. */
export type YamlScalar = Placed & {
  kind: "scalar";
  text: string;
  type: "string" | "other" | "null";
  style: string;
};
export type YamlList = Placed & { kind: "list"; items: readonly YamlNode[] };
export type YamlMap = Placed & { kind: "map"; entries: ReadonlyMap<string, YamlNode> };
/** `!reference [job, key, …]`. */
export type YamlReference = Placed & { kind: "reference"; path: readonly string[] };
export type YamlNode = YamlScalar | YamlList | YamlMap | YamlReference;

/** Most nodes that one file may have with every alias written out. */
const MOST_NODES = 100_000;
/** GitLab refuses deeper nesting, too. */
const DEEPEST = 100;

/** Counters of the files that were asked about: every command of a script asks for its line. */
const counters = new WeakMap<SourceFile, (offset: number) => number>();

/** 1-based line of an offset in a file. */
export function lineAt(source: SourceFile, offset: number): number {
  const counter = counters.get(source) ?? lineCounter(source.text);
  counters.set(source, counter);
  return counter(offset);
}

/** Tells the 1-based line of an offset. */
export function lineCounter(text: string): (offset: number) => number {
  const breaks = [...text.matchAll(/\n/g)].map((match) => match.index);
  return (offset) => {
    let [low, high] = [0, breaks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((breaks[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}

/** `file:line` of a node, for messages. */
export function placeOf(node: Placed): string {
  return `${node.source.path}:${lineAt(node.source, node.start)}`;
}

/** 1-based line of the file on which the character at `index` of a scalar's text is written. */
export function lineInScalar(scalar: YamlScalar, index: number): number {
  const first = lineAt(scalar.source, scalar.start);
  const written = scalar.source.text.slice(scalar.start, scalar.end);
  // Escapes do not keep the number of characters; such scalars are short, and their first line will do.
  if (scalar.style.startsWith("QUOTE") && /\\|''/.test(written)) return first;
  const skipped = scalar.style.startsWith("BLOCK") ? written.indexOf("\n") + 1 : 0;
  const quote = scalar.style.startsWith("QUOTE") ? 1 : 0;
  // Folding changes white space only: the nth character that is none is the same one on both sides.
  let wanted = scalar.text.slice(0, index).replaceAll(/\s/g, "").length + quote;
  for (let at = skipped; at < written.length; at += 1) {
    if (/\s/.test(written.charAt(at))) continue;
    if (wanted === 0) return lineAt(scalar.source, scalar.start + at);
    wanted -= 1;
  }
  return first;
}

/** A configuration, and the header that declares its inputs; null where there is none. */
export type YamlFile = { root: YamlMap | null; header: YamlMap | null };

/** Reads one YAML file as GitLab's YAML 1.1 reader does. */
export function readYaml(source: SourceFile): YamlFile {
  const documents = parse(source, "1.1");
  const roots = documents.map((document) => createConverter(source, document)());
  const [first, second] = roots;
  // A first document with `spec` declares inputs; the configuration is the second.
  const spec = first?.kind === "map" && second !== undefined ? first.entries.get("spec") : undefined;
  const root = spec === undefined ? first : second;
  const header = spec?.kind === "map" ? spec : null;
  if (root === undefined || (root.kind === "scalar" && root.type === "null")) return { root: null, header };
  if (root.kind !== "map") {
    throw unreadable(`${source.path}:1 is not GitLab CI configuration: its top level is not a mapping`);
  }
  return { root, header };
}

/** Reads one YAML file by YAML 1.2, as GitHub and compose do; null where it is empty. Throws a Problem where it is not valid. */
export function readYaml12(source: SourceFile): YamlNode | null {
  const [document] = parse(source, "1.2");
  if (document === undefined) return null;
  const root = createConverter(source, document)();
  return root.kind === "scalar" && root.type === "null" ? null : root;
}

function parse(source: SourceFile, version: "1.1" | "1.2"): Document[] {
  let documents: Document[];
  try {
    const parsed = parseAllDocuments(source.text, {
      version,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: "silent",
    });
    documents = "empty" in parsed ? [] : parsed;
  } catch (error) {
    if (error instanceof RangeError) throw unreadable(`${source.path} is nested too deeply to be read`);
    throw error;
  }
  const error = documents.flatMap((document) => document.errors)[0];
  if (error !== undefined) {
    const place = `${source.path}:${lineAt(source, error.pos[0])}`;
    throw unreadable(`${place} is not valid YAML: ${error.message}`);
  }
  return documents;
}

function unreadable(message: string): Problem {
  return new Problem("template-unreadable", message, "Mend the file; GitLab's CI lint shows the same fault.");
}

/** One converter per document: anchors are converted once and shared, so that aliases cost nothing. */
function createConverter(source: SourceFile, document: Document): () => YamlNode {
  const anchors = new Map<string, YamlNode | "open">();
  let budget = MOST_NODES;

  function place(node: { range?: readonly number[] | null | undefined }, size: number): Placed {
    const [start = 0, end = start] = node.range ?? [];
    budget -= 1;
    if (size > MOST_NODES || budget < 0) {
      const where = `${source.path}:${lineAt(source, start)}`;
      throw unreadable(`${where} grows to more than ${MOST_NODES} values when its aliases are written out`);
    }
    return { source, start, end, size };
  }

  function convert(node: unknown, depth: number): YamlNode {
    if (depth > DEEPEST) throw unreadable(`${source.path} is nested more than ${DEEPEST} levels deep`);
    if (isAlias(node)) return alias(node);
    if (isMap(node)) return anchored(node.anchor, () => map(node, depth));
    if (isSeq(node)) return anchored(node.anchor, () => list(node, depth));
    if (isScalar(node)) return anchored(node.anchor, () => ({ ...place(node, 1), ...scalar(node) }));
    return { ...place({}, 1), kind: "scalar", text: "", type: "null", style: "PLAIN" };
  }

  function anchored(anchor: string | undefined, make: () => YamlNode): YamlNode {
    if (anchor === undefined) return make();
    anchors.set(anchor, "open");
    const made = make();
    anchors.set(anchor, made);
    return made;
  }

  function alias(node: Alias): YamlNode {
    const target = anchors.get(node.source);
    const where = `${source.path}:${lineAt(source, node.range?.[0] ?? 0)}`;
    if (target === undefined)
      throw unreadable(`${where} names an anchor that is not defined: *${node.source}`);
    if (target === "open") throw unreadable(`${where} is an alias of what it is part of: *${node.source}`);
    return target;
  }

  function list(node: YAMLSeq, depth: number): YamlList | YamlReference {
    const items = node.items.map((item) => convert(item, depth + 1));
    const placed = place(node, 1 + items.reduce((sum, item) => sum + item.size, 0));
    if (node.tag !== "!reference") return { ...placed, kind: "list", items };
    const path = items.map((item) => (item.kind === "scalar" ? item.text : ""));
    return { ...placed, kind: "reference", path };
  }

  function map(node: YAMLMap, depth: number): YamlMap {
    const entries = new Map<string, YamlNode>();
    let size = 1;
    for (const pair of node.items) {
      const value = convert(pair.value, depth + 1);
      size += value.size;
      const key = isScalar(pair.key) ? keyText(pair.key) : null;
      if (key === null)
        throw unreadable(`${source.path}:${lineAt(source, node.range?.[0] ?? 0)} has a key that is not text`);
      // GitLab's reader merges where `<<` stands: what comes later wins.
      if (key !== "<<") entries.set(key, value);
      else for (const [name, merged] of mergedEntries(value)) entries.set(name, merged);
    }
    return { ...place(node, size), kind: "map", entries };
  }

  return () => convert(document.contents, 0);
}

/** Entries of a merge key's value; of several maps the first wins. */
function mergedEntries(value: YamlNode): Iterable<[string, YamlNode]> {
  if (value.kind === "map") return value.entries;
  if (value.kind !== "list") throw unreadable(`${placeOf(value)} merges something that is not a mapping`);
  const merged = new Map<string, YamlNode>();
  for (const item of value.items.toReversed()) {
    for (const [name, entry] of mergedEntries(item)) merged.set(name, entry);
  }
  return merged;
}

function keyText(key: Scalar): string {
  return key.type === "PLAIN" ? (key.source ?? String(key.value)) : String(key.value);
}

function scalar(node: Scalar): Pick<YamlScalar, "kind" | "text" | "type" | "style"> {
  const style = node.type ?? "PLAIN";
  const { value } = node;
  if (typeof value === "string") return { kind: "scalar", text: value, type: "string", style };
  if (value === null || value === undefined) return { kind: "scalar", text: "", type: "null", style };
  return { kind: "scalar", text: rubyText(value, node.source ?? ""), type: "other", style };
}

/** Text of a number or boolean as Ruby writes it: `24.0` stays `24.0`, `1.10` becomes `1.1`, `yes` becomes `true`. */
function rubyText(value: unknown, source: string): string {
  if (typeof value === "boolean") return /^[yn]$/i.test(source) ? source : String(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "number") return source;
  const float = Number.isInteger(value) && /^[-+]?[\d_]+\.[\d_]*$/.test(source);
  return float ? value.toFixed(1) : String(value);
}

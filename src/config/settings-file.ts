import { isMap, isNode, isScalar, LineCounter, parseDocument, visit } from "yaml";
import type { Document, YAMLError } from "yaml";
import { z } from "zod";
import { faultWords } from "./fault-words.ts";
import { nearestKey } from "../domain/nearest-key.ts";

/** A settings file as it was read. `path` is how messages name it. */
export type SettingsText = { path: string; text: string };

/** What was read, or every fault of it as `file:line:column: key.path: message`. */
export type SettingsRead<T> = { settings: T; faults: null } | { settings: null; faults: string[] };

/** What is special about a kind of file: keys that are refused with a reason of their own. */
export type SettingsKind<T extends z.ZodType> = { schema: T; refused: Readonly<Record<string, string>> };

const MAX_BYTES = 64 * 1024;
const MAX_FAULTS = 50;

type Key = string | number;
type Fault = { offset: number; path: readonly Key[]; message: string };
/** Places are looked up for the faults that are shown: a file of nothing but faults costs no time. */
type FindFault = () => Fault;

/** Reads a settings file. Unknown and repeated keys, aliases and files of more than 64 kB are refused. */
export function readSettings<T extends z.ZodType>(
  kind: SettingsKind<T>,
  source: SettingsText,
): SettingsRead<z.output<T>> {
  if (Buffer.byteLength(source.text) > MAX_BYTES) return refusal(`${source.path}:1:1: is larger than 64 kB`);
  const lines = new LineCounter();
  const document = parseDocument(source.text, { version: "1.2", prettyErrors: false, lineCounter: lines });
  const broken = syntaxFaults(document);
  if (broken.length > 0) return told(source, lines, broken);
  // An empty file, or one of comments alone, sets nothing.
  const value: unknown = document.contents === null || isEmpty(document) ? {} : document.toJS();
  const result = kind.schema.safeParse(value, { error: faultWords });
  const issues = (result.error?.issues ?? []).flatMap((issue) => faultsOf(issue, document, kind));
  const faults = [...repeatedKeys(document), ...issues];
  return result.success && faults.length === 0
    ? { settings: result.data, faults: null }
    : told(source, lines, faults);
}

/** What is no YAML, so that nothing can be made of it. Its words are not shown: a secret may be among them. */
function syntaxFaults(document: Document): FindFault[] {
  const faults: FindFault[] = [...document.errors, ...document.warnings]
    .filter(({ code }) => code !== "DUPLICATE_KEY")
    .map((error) => () => ({ offset: error.pos[0], path: [], message: syntaxWords(error) }));
  // Where brackets or keys are wrong, the reader's stack may be, too: the tree is not walked.
  if (faults.length > 0) return faults;
  const refuse = (node: { range?: readonly number[] | null | undefined }, message: string) => {
    faults.push(() => ({ offset: node.range?.[0] ?? 0, path: [], message }));
  };
  visit(document, {
    Alias: (_, alias) => refuse(alias, "is an alias: write the value out"),
    Pair: (_, { key }) => {
      if (!isScalar(key)) refuse(isNode(key) ? key : {}, "is a key that is not text");
    },
  });
  return faults;
}

function syntaxWords({ code, message }: YAMLError): string {
  if (code === "RESOURCE_EXHAUSTION") return "is nested too deeply to be read";
  if (code === "MULTIPLE_DOCS") return "starts a second document: a settings file is one";
  return `is not YAML: ${message.split(/[:\n]/u)[0] ?? ""}`;
}

/** Keys written twice; the rest of the file can still be checked. */
function repeatedKeys(document: Document): FindFault[] {
  return document.errors.map(({ pos: [offset] }) => () => {
    return { offset, path: pathAt(document, offset), message: "is written twice" };
  });
}

function isEmpty(document: Document): boolean {
  return isScalar(document.contents) && document.contents.value === null;
}

/** The path of the key that is written at an offset. */
function pathAt(document: Document, offset: number): Key[] {
  let found: Key[] = [];
  visit(document, {
    Pair: (_, pair, parents) => {
      const key = isScalar(pair.key) ? pair.key : null;
      if (key === null || key.range?.[0] !== offset) return undefined;
      const above = parents.flatMap((parent) =>
        typeof parent === "object" && "key" in parent && isScalar(parent.key)
          ? [String(parent.key.value)]
          : [],
      );
      found = [...above, String(key.value)];
      return visit.BREAK;
    },
  });
  return found;
}

function faultsOf<T extends z.ZodType>(
  issue: z.core.$ZodIssue,
  document: Document,
  kind: SettingsKind<T>,
): FindFault[] {
  const path = issue.path.filter((key) => typeof key !== "symbol");
  if (issue.code !== "unrecognized_keys") {
    return [() => ({ offset: offsetOf(document, path), path, message: issue.message })];
  }
  const known = keysAt(z.toJSONSchema(kind.schema, { io: "input" }), path);
  return issue.keys.map((key) => () => {
    const whole = [...path, key];
    return { offset: offsetOf(document, whole), path: whole, message: unknownKey(key, whole, known, kind) };
  });
}

function unknownKey<T extends z.ZodType>(
  key: string,
  path: readonly Key[],
  known: readonly string[],
  kind: SettingsKind<T>,
): string {
  const why = path.length === 1 && Object.hasOwn(kind.refused, key) ? kind.refused[key] : undefined;
  if (why !== undefined) return why;
  const near = nearestKey(key, known);
  return near === null
    ? `is not known; known here: ${known.join(", ")}`
    : `is not known; did you mean ${near}?`;
}

/** Keys that a schema has at a path. */
function keysAt(schema: z.core.JSONSchema.BaseSchema, path: readonly Key[]): string[] {
  const [first, ...rest] = path;
  if (first === undefined) return Object.keys(schema.properties ?? {});
  const below = schema.properties?.[String(first)] ?? schema.additionalProperties;
  return typeof below === "object" ? keysAt(below, rest) : [];
}

/** Where a key is written; where it is missing, what should hold it. */
function offsetOf(document: Document, path: readonly Key[]): number {
  const parent: unknown = path.length === 0 ? null : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(last));
    if (pair !== undefined && isScalar(pair.key)) return pair.key.range?.[0] ?? 0;
  }
  const node: unknown = document.getIn(path, true);
  if (typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range)) {
    return Number(node.range[0]);
  }
  return path.length === 0 ? 0 : offsetOf(document, path.slice(0, -1));
}

function refusal(fault: string): { settings: null; faults: string[] } {
  return { settings: null, faults: [fault] };
}

function told(
  source: SettingsText,
  lines: LineCounter,
  faults: readonly FindFault[],
): { settings: null; faults: string[] } {
  const texts = faults
    .slice(0, MAX_FAULTS)
    .map((find) => find())
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ offset, path, message }) => {
      const { line, col } = lines.linePos(offset);
      const key = path.length === 0 ? "" : ` ${keyPath(path)}:`;
      return `${source.path}:${line}:${col}:${key} ${message}`;
    });
  const more = faults.length - texts.length;
  return { settings: null, faults: more > 0 ? [...texts, `${source.path}: and ${more} more`] : texts };
}

/** `limits.cpus`, `strategies[0]`, `projects."group/project".ledger`. */
function keyPath(path: readonly Key[]): string {
  return path
    .map((key, index) => {
      if (typeof key === "number") return `[${key}]`;
      const text = /^[\w-]+$/u.test(key) ? key : JSON.stringify(key.slice(0, 80));
      return index === 0 ? text : `.${text}`;
    })
    .join("");
}

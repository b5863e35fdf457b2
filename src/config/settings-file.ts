import { isMap, isScalar, LineCounter, parseDocument, visit } from "yaml";
import type { Document } from "yaml";
import { z } from "zod";
import { faultWords } from "./fault-words.ts";
import { nearestKey } from "./nearest-key.ts";

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

/** Reads a settings file. Unknown and repeated keys, aliases and files of more than 64 kB are refused. */
export function readSettings<T extends z.ZodType>(
  kind: SettingsKind<T>,
  source: SettingsText,
): SettingsRead<z.output<T>> {
  if (Buffer.byteLength(source.text) > MAX_BYTES) return refusal(`${source.path}:1:1: is larger than 64 kB`);
  const lines = new LineCounter();
  const document = parsed(source.text, lines);
  if (document === null) return refusal(`${source.path}:1:1: is nested too deeply to be read`);
  const faults = syntaxFaults(document);
  // What is repeated can still be checked; what is no YAML cannot.
  if (faults.some(({ fatal }) => fatal)) return told(source, lines, faults);
  // An empty file, or one of comments alone, sets nothing.
  const value: unknown = document.contents === null || isEmpty(document) ? {} : document.toJS();
  const result = kind.schema.safeParse(value, { error: faultWords });
  const all = [
    ...faults,
    ...(result.error?.issues ?? []).flatMap((issue) => faultsOf(issue, document, kind)),
  ];
  return result.success && all.length === 0
    ? { settings: result.data, faults: null }
    : told(source, lines, all);
}

function parsed(text: string, lineCounter: LineCounter): Document | null {
  try {
    return parseDocument(text, { version: "1.2", prettyErrors: false, logLevel: "silent", lineCounter });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Faults of the text itself. Its words are not shown: a secret may be among them. */
function syntaxFaults(document: Document): (Fault & { fatal: boolean })[] {
  const faults = [...document.errors, ...document.warnings].map((error) => {
    const repeated = error.code === "DUPLICATE_KEY";
    const message = repeated ? "is written twice" : `is not YAML: ${error.message.split(/[:\n]/u)[0] ?? ""}`;
    const path = repeated ? pathAt(document, error.pos[0]) : [];
    return { offset: error.pos[0], path, message, fatal: !repeated };
  });
  visit(document, {
    Alias: (_, alias) => {
      const message = "is an alias: write the value out";
      faults.push({ offset: alias.range?.[0] ?? 0, path: [], message, fatal: true });
    },
  });
  return faults;
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
): Fault[] {
  const path = issue.path.filter((key) => typeof key !== "symbol");
  if (issue.code !== "unrecognized_keys") {
    return [{ offset: offsetOf(document, path), path, message: issue.message }];
  }
  const known = keysAt(z.toJSONSchema(kind.schema, { io: "input" }), path);
  return issue.keys.map((key) => {
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
  faults: readonly Fault[],
): { settings: null; faults: string[] } {
  const texts = [...faults]
    .sort((a, b) => a.offset - b.offset)
    .map(({ offset, path, message }) => {
      const { line, col } = lines.linePos(offset);
      const key = path.length === 0 ? "" : ` ${keyPath(path)}:`;
      return `${source.path}:${line}:${col}:${key} ${message}`;
    });
  const more = texts.length - MAX_FAULTS;
  const shown = more > 0 ? [...texts.slice(0, MAX_FAULTS), `${source.path}: and ${more} more`] : texts;
  return { settings: null, faults: shown };
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

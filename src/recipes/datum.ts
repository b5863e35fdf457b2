import { concatenate, known, literal, reasons, render } from "./value.ts";
import type { Value } from "./value.ts";

/** A text of which a pipeline knows some part. */
export type RunTimeText = { kind: "text"; value: Value };
/** A value that cannot be told, as written, and why. */
export type UnknownDatum = { kind: "unknown"; text: string; why: string };
/** Entries by lower-case name; `other` answers for names that have none. */
export type DatumMap = {
  kind: "map";
  entries: ReadonlyMap<string, Datum>;
  other: ((name: string) => Datum) | null;
};
export type DatumList = { kind: "list"; items: readonly Datum[] };

/** What an expression of a workflow or of a bake file comes to. */
export type Datum =
  | string
  | number
  | boolean
  | null
  | undefined
  | RunTimeText
  | UnknownDatum
  | DatumMap
  | DatumList;

export type Primitive = string | number | boolean | null;

/** A datum that cannot be told. */
export function unknownDatum(text: string, why: string): UnknownDatum {
  return { kind: "unknown", text, why };
}

/** A map of these entries; their names are compared without case. */
export function mapDatum(
  entries: Iterable<readonly [string, Datum]>,
  other: DatumMap["other"] = null,
): DatumMap {
  return {
    kind: "map",
    entries: new Map([...entries].map(([name, datum]) => [name.toLowerCase(), datum])),
    other,
  };
}

export function listDatum(items: readonly Datum[]): DatumList {
  return { kind: "list", items };
}

export function isPrimitive(datum: Datum): datum is Primitive | undefined {
  return datum === null || typeof datum !== "object";
}

/** A value as a datum: a plain string where all of it is known. */
export function ofValue(value: Value): Datum {
  return literal(value) ?? { kind: "text", value };
}

/** Text of a datum as it is written into a template; lists and maps have none. */
export function toValue(datum: Datum): Value {
  if (datum === null || datum === undefined) return [];
  if (typeof datum !== "object") return known(String(datum));
  switch (datum.kind) {
    case "text":
      return datum.value;
    case "unknown":
      return [{ kind: "unknown", text: datum.text, why: datum.why }];
    case "map":
    case "list":
      return known(datum.kind === "map" ? "Object" : "Array");
  }
  return datum satisfies never;
}

/** Texts one after the other. */
export function joinData(data: readonly Datum[], separator = ""): Datum {
  const parts = data.flatMap((datum, at) =>
    at === 0 || separator === "" ? [toValue(datum)] : [known(separator), toValue(datum)],
  );
  return ofValue(concatenate(...parts));
}

/** An entry of a map or list; null where there is none, as in GitHub's expressions. */
export function entryOf(datum: Datum, name: Datum): Datum {
  if (datum === null || typeof datum !== "object" || datum.kind === "text") return null;
  if (datum.kind === "unknown") return unknownDatum(`${datum.text}.${nameText(name)}`, datum.why);
  if (datum.kind === "list") return typeof name === "number" ? (datum.items[name] ?? null) : null;
  const key = nameText(name);
  const found = datum.entries.get(key.toLowerCase());
  return found !== undefined ? found : (datum.other?.(key) ?? null);
}

function nameText(name: Datum): string {
  return render(toValue(name));
}

/** Whether a datum counts as true; null where that is not known. */
export function truthOf(datum: Datum): boolean | null {
  if (datum === null || datum === undefined) return false;
  if (typeof datum !== "object") return Boolean(datum);
  if (datum.kind === "unknown") return null;
  if (datum.kind !== "text") return true;
  // A variable that GitHub sets is not empty where it is asked for.
  return datum.value.some((piece) => piece.kind !== "unknown") ? true : null;
}

/** Why a datum is not known in full; null where it is, or where a pipeline knows it. */
export function whyUnknown(datum: Datum): string | null {
  if (isPrimitive(datum)) return null;
  if (datum.kind === "unknown") return datum.why;
  return datum.kind === "text" ? (reasons(datum.value)[0] ?? null) : null;
}

/** A JSON value as a datum. */
export function ofJson(json: unknown): Datum {
  if (json === null || json === undefined) return null;
  if (Array.isArray(json)) return listDatum(json.map(ofJson));
  if (typeof json === "object") {
    return mapDatum(Object.entries(json).map(([name, value]): [string, Datum] => [name, ofJson(value)]));
  }
  return typeof json === "string" || typeof json === "number" || typeof json === "boolean" ? json : null;
}

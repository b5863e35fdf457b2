import { isPrimitive, listDatum, mapDatum, toValue, unknownDatum, whyUnknown } from "../datum.ts";
import type { Datum, DatumMap } from "../datum.ts";
import { render } from "../value.ts";
import type { YamlNode } from "../yaml-source.ts";
import { evaluateTemplate } from "./expression.ts";
import type { Contexts } from "./expression.ts";

/** GitHub refuses larger matrices, too. */
const MOST_ROWS = 256;

/** One combination of a matrix: what its job's name says of it, and the `matrix` context. */
export type Row = { label: string; matrix: Datum };

/** Combinations of a job's `strategy: matrix`, or why there are none. */
export function rowsOf(strategy: YamlNode | undefined, contexts: Contexts): Row[] | string {
  const datum = matrixOf(strategy, contexts);
  if (datum === undefined) return [{ label: "", matrix: mapDatum([]) }];
  if (isPrimitive(datum) || datum.kind !== "map") {
    const why = whyUnknown(datum) ?? "the matrix is not known";
    return [{ label: "", matrix: mapDatum([], (name) => unknownDatum(`matrix.${name}`, why)) }];
  }
  return combine(datum);
}

/** The matrix as it is stated; `strategy` may be one expression. Undefined where there is none. */
function matrixOf(strategy: YamlNode | undefined, contexts: Contexts): Datum {
  if (strategy?.kind === "map") {
    const written = strategy.entries.get("matrix");
    return written === undefined ? undefined : datumOf(written, contexts);
  }
  const datum = strategy === undefined ? null : datumOf(strategy, contexts);
  if (isPrimitive(datum)) return undefined;
  return datum.kind === "map" ? datum.entries.get("matrix") : datum;
}

function combine(matrix: DatumMap): Row[] | string {
  const axes = [...matrix.entries].filter(([name]) => name !== "include" && name !== "exclude");
  let rows: Map<string, Datum>[] = axes.length === 0 ? [] : [new Map()];
  for (const [name, values] of axes) {
    const items = itemsOf(values) ?? [
      unknownDatum(`matrix.${name}`, whyUnknown(values) ?? `the values of ${name} are not known`),
    ];
    if (rows.length * items.length > MOST_ROWS) return `the matrix has more than ${MOST_ROWS} jobs`;
    rows = rows.flatMap((row) => items.map((item) => new Map([...row, [name, item]])));
  }
  const excluded = itemsOf(matrix.entries.get("exclude") ?? null) ?? [];
  rows = rows.filter((row) => !excluded.some((each) => matches(row, each)));
  rows = include(
    rows,
    axes.map(([name]) => name),
    matrix.entries.get("include") ?? null,
  );
  if (rows.length > MOST_ROWS) return `the matrix has more than ${MOST_ROWS} jobs`;
  return rows.map((row) => ({ label: labelOf(row), matrix: mapDatum(row) }));
}

/** Items of a list; null where it is not known, or none. */
function itemsOf(datum: Datum): Datum[] | null {
  if (isPrimitive(datum)) return datum === null || datum === undefined ? [] : [datum];
  return datum.kind === "list" ? [...datum.items] : null;
}

function matches(row: ReadonlyMap<string, Datum>, exclusion: Datum): boolean {
  if (isPrimitive(exclusion) || exclusion.kind !== "map" || exclusion.entries.size === 0) return false;
  return [...exclusion.entries].every(([name, value]) => row.has(name) && same(row.get(name), value));
}

function same(a: Datum, b: Datum): boolean {
  return textOf(a) === textOf(b);
}

function textOf(datum: Datum): string {
  if (isPrimitive(datum)) return String(datum ?? "").toLowerCase();
  if (datum.kind === "list") return JSON.stringify(datum.items.map(textOf));
  if (datum.kind === "map")
    return JSON.stringify([...datum.entries].map(([name, value]) => [name, textOf(value)]));
  return render(toValue(datum));
}

/** Adds each include to the rows that it fits, without overwriting an axis; else it is a row of its own. */
function include(rows: Map<string, Datum>[], axes: readonly string[], includes: Datum): Map<string, Datum>[] {
  const items = itemsOf(includes);
  if (items === null) {
    const why = whyUnknown(includes) ?? "the included jobs are not known";
    return [...rows, new Map([["include", unknownDatum("matrix.include", why)]])];
  }
  const original = [...rows];
  const added: Map<string, Datum>[] = [];
  for (const item of items) {
    if (isPrimitive(item) || item.kind !== "map") continue;
    const fits = original.filter((row) =>
      [...item.entries].every(([name, value]) => !axes.includes(name) || same(row.get(name), value)),
    );
    if (fits.length === 0) added.push(new Map(item.entries));
    for (const row of fits) for (const [name, value] of item.entries) row.set(name, value);
  }
  return [...rows, ...added];
}

/** What GitHub writes in brackets behind the job's name. */
function labelOf(row: ReadonlyMap<string, Datum>): string {
  const parts = [...row.values()].flatMap((value) => {
    const flat = isPrimitive(value)
      ? [value]
      : value.kind === "map"
        ? [...value.entries.values()]
        : value.kind === "list"
          ? value.items
          : [value];
    return flat.flatMap((each) => (isPrimitive(each) || each.kind === "text" ? [render(toValue(each))] : []));
  });
  return parts
    .filter((part) => part !== "")
    .join(", ")
    .slice(0, 120);
}

/** A node of YAML as data, its expressions evaluated. */
export function datumOf(node: YamlNode | undefined, contexts: Contexts): Datum {
  if (node === undefined) return null;
  if (node.kind === "list") {
    return listDatum(node.items.map((item) => datumOf(item, contexts)));
  }
  if (node.kind === "map")
    return mapDatum(
      [...node.entries].map(([name, value]): [string, Datum] => [name, datumOf(value, contexts)]),
    );
  if (node.kind !== "scalar" || node.type === "null") return null;
  if (node.type === "string") return evaluateTemplate(node.text, contexts);
  if (node.text === "true" || node.text === "false") return node.text === "true";
  const number = Number(node.text);
  return Number.isNaN(number) ? node.text : number;
}

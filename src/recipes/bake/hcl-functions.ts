import {
  isPrimitive,
  joinData,
  listDatum,
  ofJson,
  ofValue,
  toValue,
  truthOf,
  unknownDatum,
  whyUnknown,
} from "../datum.ts";
import type { Datum } from "../datum.ts";
import { literal, render } from "../value.ts";

type Function = (args: readonly Datum[]) => Datum;

/** What a function of bake's standard library comes to. One that is not known, or not told its words, says why. */
export function callHcl(name: string, args: readonly Datum[]): Datum {
  const written = `${name}(${args.map((arg) => render(toValue(arg)).slice(0, 60)).join(", ")})`;
  const made = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name]?.(args) : undefined;
  if (made !== undefined) return made;
  const why = Object.hasOwn(FUNCTIONS, name)
    ? (args.map(whyUnknown).find((each) => each !== null) ?? `${written} is known only in a pipeline`)
    : `the function ${name} of bake files is not read`;
  return unknownDatum(written, why);
}

/** Text of a datum; undefined where not all of it is known. */
function text(datum: Datum): string | undefined {
  if (!isPrimitive(datum) && datum.kind !== "text") return undefined;
  return literal(toValue(datum)) ?? undefined;
}

/** Applies a function to texts that are known. */
function onTexts(make: (...texts: string[]) => Datum): Function {
  return (args) => {
    const texts = args.map(text);
    return texts.includes(undefined) ? undefined : make(...(texts as string[]));
  };
}

function items(datum: Datum): readonly Datum[] | undefined {
  return !isPrimitive(datum) && datum.kind === "list" ? datum.items : undefined;
}

function onList(make: (list: readonly Datum[], ...rest: Datum[]) => Datum): Function {
  return ([first, ...rest]) => {
    const list = items(first);
    return list === undefined ? undefined : make(list, ...rest);
  };
}

const key = (datum: Datum) => (isPrimitive(datum) ? String(datum) : JSON.stringify(datum));
const isEmpty = (datum: Datum) => datum === null || datum === undefined || datum === "";

function unique(list: readonly Datum[]): Datum {
  return listDatum([...new Map(list.map((item) => [key(item), item])).values()]);
}

function number(make: (a: number, b: number) => Datum): Function {
  return ([a, b]) => (isPrimitive(a) && isPrimitive(b) ? make(Number(a), Number(b)) : undefined);
}

const FUNCTIONS: Readonly<Record<string, Function>> = {
  lower: onTexts((a = "") => a.toLowerCase()),
  upper: onTexts((a = "") => a.toUpperCase()),
  title: onTexts((a = "") => a.replaceAll(/\b\w/g, (letter) => letter.toUpperCase())),
  trimspace: onTexts((a = "") => a.trim()),
  trimprefix: onTexts((a = "", b = "") => (a.startsWith(b) ? a.slice(b.length) : a)),
  trimsuffix: onTexts((a = "", b = "") => (b !== "" && a.endsWith(b) ? a.slice(0, -b.length) : a)),
  replace: onTexts((a = "", b = "", c = "") => a.replaceAll(b, () => c)),
  split: onTexts((separator = "", a = "") => listDatum(a.split(separator))),
  substr: onTexts((a = "", from = "0", length = "-1") =>
    Number(length) < 0 ? a.slice(Number(from)) : a.slice(Number(from), Number(from) + Number(length)),
  ),
  strlen: onTexts((a = "") => a.length),
  basename: onTexts((a = "") => a.slice(a.lastIndexOf("/") + 1)),
  dirname: onTexts((a = "") => (a.includes("/") ? a.slice(0, a.lastIndexOf("/")) : ".")),
  join: ([separator, list]) => {
    const between = text(separator);
    const each = items(list);
    return between === undefined || each === undefined ? undefined : joinData(each, between);
  },
  format: ([template, ...rest]) => {
    const pattern = text(template);
    if (pattern === undefined) return undefined;
    let at = 0;
    const parts = pattern.split(/(%%|%[sdvq])/);
    return joinData(parts.map((part) => (part === "%%" ? "%" : /^%[sdvq]$/.test(part) ? rest[at++] : part)));
  },
  formatlist: ([template, ...rest]) => {
    const lists = rest.map(items);
    const length = Math.max(1, ...lists.map((list) => list?.length ?? 0));
    return listDatum(
      Array.from({ length }, (_, at) =>
        callHcl("format", [
          template,
          ...rest.map((arg, index) => (lists[index] === undefined ? arg : lists[index]?.[at])),
        ]),
      ),
    );
  },
  concat: (lists) => {
    const each = lists.map(items);
    return each.includes(undefined) ? undefined : listDatum((each as Datum[][]).flat());
  },
  compact: onList((list) => listDatum(list.filter((item) => !isEmpty(item)))),
  distinct: onList(unique),
  toset: onList(unique),
  flatten: onList((list) => listDatum(list.flatMap((item) => [...(items(item) ?? [item])]))),
  reverselist: onList((list) => listDatum(list.toReversed())),
  sort: onList((list) => listDatum(list.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)))),
  slice: onList((list, from, to) => listDatum(list.slice(Number(from), Number(to)))),
  index: onList((list, at) => list[Number(at)] ?? null),
  element: onList((list, at) => list[Number(at) % list.length]),
  contains: onList((list, item) =>
    list.some((each) => whyUnknown(each) !== null) ? undefined : list.some((each) => key(each) === key(item)),
  ),
  length: ([datum]) => {
    if (isPrimitive(datum)) return String(datum ?? "").length;
    return datum.kind === "list" ? datum.items.length : datum.kind === "map" ? datum.entries.size : undefined;
  },
  keys: ([datum]) =>
    !isPrimitive(datum) && datum.kind === "map" ? listDatum([...datum.entries.keys()]) : undefined,
  values: ([datum]) =>
    !isPrimitive(datum) && datum.kind === "map" ? listDatum([...datum.entries.values()]) : undefined,
  merge: (maps) => {
    const entries = maps.map((map) =>
      !isPrimitive(map) && map.kind === "map" ? [...map.entries] : undefined,
    );
    return entries.includes(undefined)
      ? undefined
      : { kind: "map", entries: new Map((entries as [string, Datum][][]).flat()), other: null };
  },
  lookup: ([map, name, otherwise]) => {
    const wanted = text(name);
    if (isPrimitive(map) || map.kind !== "map" || wanted === undefined) return undefined;
    return map.entries.has(wanted) ? map.entries.get(wanted) : otherwise;
  },
  coalesce: (args) => {
    for (const arg of args) {
      if (whyUnknown(arg) !== null) return undefined;
      if (!isEmpty(arg)) return arg;
    }
    return null;
  },
  coalescelist: (args) => args.find((arg) => (items(arg)?.length ?? 0) > 0),
  try: (args) => args.find((arg) => arg !== null && whyUnknown(arg) === null),
  equal: ([a, b]) => equalTo(a, b),
  notequal: ([a, b]) => {
    const same = equalTo(a, b);
    return same === undefined ? undefined : !same;
  },
  not: ([a]) => {
    const holds = truthOf(a);
    return holds === null ? undefined : !holds;
  },
  and: ([a, b]) =>
    truthOf(a) === false || truthOf(b) === false
      ? false
      : truthOf(a) === null || truthOf(b) === null
        ? undefined
        : true,
  or: ([a, b]) =>
    truthOf(a) === true || truthOf(b) === true
      ? true
      : truthOf(a) === null || truthOf(b) === null
        ? undefined
        : false,
  add: number((a, b) => a + b),
  subtract: number((a, b) => a - b),
  multiply: number((a, b) => a * b),
  divide: number((a, b) => a / b),
  jsondecode: onTexts((a = "") => {
    try {
      return ofJson(JSON.parse(a));
    } catch {
      return undefined;
    }
  }),
  tostring: ([a]) => (isPrimitive(a) ? String(a ?? "") : a.kind === "text" ? ofValue(a.value) : undefined),
  tonumber: onTexts((a = "") => Number(a)),
};

function equalTo(a: Datum, b: Datum): boolean | undefined {
  if (isPrimitive(a) && isPrimitive(b)) return String(a ?? "") === String(b ?? "");
  if (whyUnknown(a) !== null || whyUnknown(b) !== null) return undefined;
  const [left, right] = [render(toValue(a)), render(toValue(b))];
  return left === right ? true : left === "" || right === "" ? false : undefined;
}

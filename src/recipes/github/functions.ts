import {
  isPrimitive,
  joinData,
  listDatum,
  ofJson,
  toValue,
  truthOf,
  unknownDatum,
  whyUnknown,
} from "../datum.ts";
import type { Datum } from "../datum.ts";
import { literal, render } from "../value.ts";
import { concatenate, known } from "../value.ts";
import { equal } from "./equal.ts";
import type { DecideText } from "./equal.ts";

/** What a function of an expression comes to; `written` is the call for reasons. */
export function callFunction(name: string, args: readonly Datum[], decide: DecideText): Datum {
  const written = `${name}(${args.map((arg) => render(toValue(arg)).slice(0, 80)).join(", ")})`;
  const result = FUNCTIONS[name]?.(args, decide);
  if (result !== undefined) return result;
  const why = args.map(whyUnknown).find((each) => each !== null);
  return unknownDatum(`\${{ ${written} }}`, why ?? `${written} is known only in a pipeline`);
}

/** Names of all functions that GitHub has, with the arguments that they take. */
export const KNOWN_FUNCTIONS =
  "contains startswith endswith format join tojson fromjson hashfiles success always cancelled failure case"
    .split(" ")
    .map((name) => ({ name, minArgs: 0, maxArgs: 255 }));

type Evaluate = (args: readonly Datum[], decide: DecideText) => Datum;

const FUNCTIONS: Readonly<Record<string, Evaluate>> = {
  // A pipeline is followed as far as everything in it succeeds.
  success: () => true,
  always: () => true,
  failure: () => false,
  cancelled: () => false,
  contains: ([where, what], decide) => contains(where, what, decide),
  startswith: ([text, start], decide) => starts(text, start, decide),
  endswith: ([text, end]) => {
    const [a, b] = [plain(text), plain(end)];
    return a === null || b === null ? undefined : a.toLowerCase().endsWith(b.toLowerCase());
  },
  format: ([template, ...rest]) => {
    const text = plain(template);
    return text === null ? undefined : format(text, rest);
  },
  join: ([list, separator]) => {
    const between = separator === undefined ? "," : plain(separator);
    if (between === null || isPrimitive(list)) return isPrimitive(list) ? list : undefined;
    if (list.kind === "list") return joinData(list.items, between);
    return list.kind === "text" ? list : undefined;
  },
  tojson: ([datum]) => {
    const json = jsonOf(datum);
    return json === undefined ? undefined : JSON.stringify(json, null, 2);
  },
  fromjson: ([text]) => {
    if (!isPrimitive(text)) return undefined;
    try {
      return ofJson(JSON.parse(String(text ?? "")));
    } catch {
      return unknownDatum(`\${{ fromJSON('${String(text).slice(0, 40)}') }}`, "fromJSON is given no JSON");
    }
  },
  case: (args) => {
    for (let at = 0; at + 1 < args.length; at += 2) {
      const holds = truthOf(args[at]);
      if (holds === null) return undefined;
      if (holds) return args[at + 1];
    }
    return args.length % 2 === 1 ? args.at(-1) : null;
  },
};

/** Text of a primitive or null where not all of it is known. */
function plain(datum: Datum): string | null {
  if (!isPrimitive(datum) && datum.kind !== "text") return null;
  return literal(toValue(datum));
}

function contains(where: Datum, what: Datum, decide: DecideText): Datum {
  if (!isPrimitive(where) && where.kind === "list") {
    const found = new Set(where.items.map((item) => equal(item, what, decide)));
    if (found.has(true)) return true;
    return found.has(null) ? undefined : false;
  }
  const [text, part] = [plain(where), plain(what)];
  return text === null || part === null ? undefined : text.toLowerCase().includes(part.toLowerCase());
}

function starts(text: Datum, start: Datum, decide: DecideText): Datum {
  const wanted = plain(start)?.toLowerCase();
  if (wanted === undefined) return undefined;
  const whole = plain(text);
  if (whole !== null) return whole.toLowerCase().startsWith(wanted);
  if (isPrimitive(text) || text.kind !== "text") return undefined;
  const [first] = text.value;
  const told = first?.kind === "text" ? first.text.toLowerCase() : "";
  if (told.startsWith(wanted)) return true;
  if (!wanted.startsWith(told)) return false;
  return decide(text.value, known(start as string)) === true ? true : undefined;
}

function format(template: string, args: readonly Datum[]): Datum {
  const parts = template.split(/(\{\{|\}\}|\{\d+\})/);
  return joinData(
    parts.map((part) => {
      if (part === "{{" || part === "}}") return part.charAt(0);
      const index = /^\{(\d+)\}$/.exec(part)?.[1];
      return index === undefined ? part : args[Number(index)];
    }),
  );
}

function jsonOf(datum: Datum): unknown {
  if (isPrimitive(datum)) return datum ?? null;
  if (datum.kind === "list") {
    const items = datum.items.map(jsonOf);
    return items.includes(undefined) ? undefined : items;
  }
  if (datum.kind === "text" || datum.kind === "unknown") return undefined;
  const entries = [...datum.entries].map(([name, value]): [string, unknown] => [name, jsonOf(value)]);
  return datum.other !== null || entries.some(([, value]) => value === undefined)
    ? undefined
    : Object.fromEntries(entries);
}

/** Texts of a template: literal parts and what its expressions come to. */
export function textOf(parts: readonly Datum[]): Datum {
  const value = concatenate(...parts.map(toValue));
  return literal(value) ?? { kind: "text", value };
}

/** All items of a map or list: what `.*` selects. */
export function spread(datum: Datum): Datum {
  if (isPrimitive(datum) || datum.kind === "text") return listDatum([]);
  if (datum.kind === "list") return datum;
  if (datum.kind === "unknown" || datum.other !== null) {
    return datum.kind === "unknown" ? datum : unknownDatum("*", "its members are known only in a pipeline");
  }
  return listDatum([...datum.entries.values()]);
}

import {
  entryOf,
  isPrimitive,
  joinData,
  listDatum,
  toValue,
  truthOf,
  unknownDatum,
  whyUnknown,
} from "../datum.ts";
import type { Datum, DatumMap } from "../datum.ts";
import { render } from "../value.ts";
import { callHcl } from "./hcl-functions.ts";
import type { HclExpression } from "./hcl-parse.ts";

/** What expressions of a bake file may name. `budget` ends what doubles itself. */
export type HclScope = {
  name(name: string): Datum;
  /** A function of the file itself; null where it has none of this name. */
  call(name: string, args: readonly Datum[]): Datum | null;
  budget: { left: number };
};

/** What an expression comes to; what is not known says why. */
export function evaluateHcl(expression: HclExpression, scope: HclScope): Datum {
  scope.budget.left -= 1;
  if (scope.budget.left < 0) return unknownDatum("…", "the bake file has too many expressions to follow");
  const inner = (each: HclExpression) => evaluateHcl(each, scope);
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "template":
      return joinData(expression.parts.map(inner));
    case "name":
      return scope.name(expression.name);
    case "entry":
      return indexed(inner(expression.of), inner(expression.key));
    case "spread":
      return spread(inner(expression.of), expression.keys);
    case "list":
      return listDatum(expression.items.map(inner));
    case "map":
      return exactMap(
        expression.entries.map(({ key, value }): [string, Datum] => [textOf(inner(key)), inner(value)]),
      );
    case "call":
      return call(expression, scope);
    case "unary":
      return unary(expression.operator, inner(expression.of));
    case "binary":
      return binary(expression.operator, inner(expression.left), expression.right, scope);
    case "choice": {
      const condition = inner(expression.condition);
      const holds = truth(condition);
      if (holds !== null) return inner(holds ? expression.yes : expression.no);
      return unknownDatum(
        "?",
        whyUnknown(condition) ?? `${textOf(condition)} decides it, and is known only in a pipeline`,
      );
    }
    case "for":
      return loop(expression, scope);
  }
  return expression satisfies never;
}

/** A map whose names keep their case: HCL's are not GitHub's. */
export function exactMap(entries: Iterable<readonly [string, Datum]>): DatumMap {
  return { kind: "map", entries: new Map(entries), other: null };
}

function textOf(datum: Datum): string {
  return render(toValue(datum));
}

/** `"true"` and `"false"` are booleans where one is wanted. */
function truth(datum: Datum): boolean | null {
  if (datum === "false" || datum === "0") return false;
  return truthOf(datum);
}

function indexed(of: Datum, key: Datum): Datum {
  if (!isPrimitive(of) && of.kind === "map") return of.entries.get(textOf(key)) ?? null;
  return entryOf(of, typeof key === "string" && /^\d+$/.test(key) ? Number(key) : key);
}

function spread(of: Datum, keys: readonly string[]): Datum {
  if (isPrimitive(of) || of.kind === "text") return listDatum(of === null ? [] : [of]);
  if (of.kind !== "list") return of;
  return listDatum(of.items.map((item) => keys.reduce<Datum>((each, key) => indexed(each, key), item)));
}

function call({ name, args, expands }: Extract<HclExpression, { kind: "call" }>, scope: HclScope): Datum {
  const values = args.map((arg) => evaluateHcl(arg, scope));
  const last = values.at(-1);
  if (expands && last !== undefined && !isPrimitive(last) && last.kind === "list")
    values.splice(-1, 1, ...last.items);
  return scope.call(name, values) ?? callHcl(name, values);
}

function unary(operator: string, datum: Datum): Datum {
  if (operator === "!") {
    const holds = truth(datum);
    return holds === null ? unknownDatum("!", whyUnknown(datum) ?? "it is known only in a pipeline") : !holds;
  }
  return isPrimitive(datum) ? -Number(datum) : datum;
}

function binary(operator: string, left: Datum, right: HclExpression, scope: HclScope): Datum {
  if (operator === "&&" || operator === "||") {
    const holds = truth(left);
    if (holds === (operator === "||")) return holds;
    const other = truth(evaluateHcl(right, scope));
    if (other === (operator === "||") || (holds !== null && other !== null)) return other;
    return unknownDatum(operator, whyUnknown(left) ?? `${textOf(left)} is known only in a pipeline`);
  }
  const other = evaluateHcl(right, scope);
  if (operator === "==" || operator === "!=") {
    const same = equalData(left, other);
    if (same !== null) return same === (operator === "==");
  }
  if (!isPrimitive(left) || !isPrimitive(other)) {
    const why = whyUnknown(left) ?? whyUnknown(other) ?? `${textOf(left)} is known only in a pipeline`;
    return unknownDatum(`${textOf(left)} ${operator} ${textOf(other)}`, why);
  }
  return arithmetic(operator, Number(left), Number(other));
}

/** Whether two data are equal; null where that is not known. */
export function equalData(a: Datum, b: Datum): boolean | null {
  if (isPrimitive(a) && isPrimitive(b)) return (a ?? "") === (b ?? "") || String(a) === String(b);
  if (whyUnknown(a) !== null || whyUnknown(b) !== null) return null;
  if (!isPrimitive(a) && !isPrimitive(b) && a.kind !== "text" && b.kind !== "text")
    return JSON.stringify(a) === JSON.stringify(b);
  if (textOf(a) === textOf(b)) return true;
  // What GitHub or GitLab set is never empty.
  return textOf(a) === "" || textOf(b) === "" ? false : null;
}

function arithmetic(operator: string, a: number, b: number): Datum {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "%":
      return a % b;
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    default:
      return a >= b;
  }
}

function loop(expression: Extract<HclExpression, { kind: "for" }>, scope: HclScope): Datum {
  const of = evaluateHcl(expression.of, scope);
  if (isPrimitive(of) || (of.kind !== "list" && of.kind !== "map"))
    return unknownDatum("for", whyUnknown(of) ?? "what the loop goes over is no list");
  const pairs: (readonly [Datum, Datum])[] =
    of.kind === "list" ? of.items.map((item, at) => [at, item] as const) : [...of.entries];
  const [first = "", second] = expression.names;
  const values: Datum[] = [];
  const entries: [string, Datum][] = [];
  for (const [key, value] of pairs) {
    const own = new Map<string, Datum>(
      second === undefined
        ? [[first, value]]
        : [
            [first, key],
            [second, value],
          ],
    );
    const inside: HclScope = { ...scope, name: (name) => (own.has(name) ? own.get(name) : scope.name(name)) };
    if (expression.condition !== null) {
      const condition = evaluateHcl(expression.condition, inside);
      const holds = truth(condition);
      if (holds === null)
        return unknownDatum("for", whyUnknown(condition) ?? "its condition is known only in a pipeline");
      if (!holds) continue;
    }
    const made = evaluateHcl(expression.value, inside);
    if (expression.key === null) values.push(made);
    else entries.push([textOf(evaluateHcl(expression.key, inside)), made]);
  }
  return expression.key === null ? listDatum(values) : exactMap(entries);
}

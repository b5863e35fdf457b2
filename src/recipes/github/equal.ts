import { isPrimitive, ofValue, toValue } from "../datum.ts";
import type { Datum, Primitive } from "../datum.ts";
import { render } from "../value.ts";
import type { Value } from "../value.ts";

/** Decides a comparison of a text that only a pipeline knows; null where nothing tells. */
export type DecideText = (value: Value, other: Value) => boolean | null;

/** `==` as GitHub has it: without case, numbers where the kinds differ. Null where it is not known. */
export function equal(a: Datum, b: Datum, decide: DecideText): boolean | null {
  if (isPrimitive(a) && isPrimitive(b)) return equalPrimitives(a ?? null, b ?? null);
  if (isUnknown(a) || isUnknown(b)) return null;
  const isText = (datum: Datum) => isPrimitive(datum) || datum.kind === "text";
  if (!isText(a) || !isText(b)) return a === b;
  const [left, right] = [toValue(a), toValue(b)];
  if (left.some((piece) => piece.kind === "unknown") || right.some((piece) => piece.kind === "unknown"))
    return null;
  if (render(left) === render(right)) return true;
  const told = decide(left, right) ?? decide(right, left);
  return told ?? (mayMeet(left, right) ? null : false);
}

function isUnknown(datum: Datum): boolean {
  return !isPrimitive(datum) && datum.kind === "unknown";
}

/** Whether two texts could be the same: their known beginnings and ends do not differ. */
function mayMeet(a: Value, b: Value): boolean {
  const start = (value: Value) => (value[0]?.kind === "text" ? value[0].text.toLowerCase() : "");
  const end = (value: Value) => {
    const last = value.at(-1);
    return last?.kind === "text" ? last.text.toLowerCase() : "";
  };
  const [startA, startB, endA, endB] = [start(a), start(b), end(a), end(b)];
  // A variable of GitHub is never empty.
  if (a.length === 0 || b.length === 0) return false;
  return (
    (startA.startsWith(startB) || startB.startsWith(startA)) && (endA.endsWith(endB) || endB.endsWith(endA))
  );
}

function equalPrimitives(a: Primitive, b: Primitive): boolean {
  if (typeof a === "string" && typeof b === "string") return a.toLowerCase() === b.toLowerCase();
  if (typeof a === typeof b) return a === b;
  return toNumber(a) === toNumber(b);
}

/** A primitive as a number, as GitHub coerces it. */
export function toNumber(value: Primitive): number {
  if (value === null) return 0;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "number") return value;
  const text = value.trim();
  return text === "" ? 0 : Number(text);
}

/** A datum without pieces that are known after all. */
export function settled(datum: Datum): Datum {
  return isPrimitive(datum) ? datum : datum.kind === "text" ? ofValue(datum.value) : datum;
}

import { concatenate, known, literal, unknown } from "./value.ts";
import type { Value } from "./value.ts";

/** A variable of make: its text, expanded when it is asked for, or what it was when it was set. */
export type MakeVariable = { text: string } | { value: Value };

/** What names stand for; null where nothing sets the name. */
export type MakeScope = (name: string) => MakeVariable | null;

/** Deepest nesting of variables within variables. */
const DEEPEST = 20;

/** A text of a Makefile with its variables written in. What only a run of make tells is unknown, with its reason. */
export function expandMake(text: string, scope: MakeScope, depth = 0): Value {
  if (depth > DEEPEST) return unknown(text.slice(0, 40), "variables of make are nested too deeply");
  const parts: Value[] = [];
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf("$", at);
    if (dollar === -1 || dollar === text.length - 1) break;
    parts.push(known(text.slice(at, dollar)));
    const sign = text.charAt(dollar + 1);
    if (sign === "$") parts.push(known("$"));
    else if (sign !== "(" && sign !== "{") parts.push(variableOf(sign, scope, depth));
    if (sign !== "(" && sign !== "{") {
      at = dollar + 2;
      continue;
    }
    const end = closing(text, dollar + 1);
    const inner = text.slice(dollar + 2, end);
    parts.push(referenceOf(inner, scope, depth));
    at = end + 1;
  }
  return concatenate(...parts, known(text.slice(at)));
}

/** Offset of the bracket that closes the one at `start`; the text's end where none does. */
function closing(text: string, start: number): number {
  const [opens, closes] = text.charAt(start) === "(" ? ["(", ")"] : ["{", "}"];
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    if (text.charAt(at) === opens) depth += 1;
    else if (text.charAt(at) === closes) depth -= 1;
    if (depth === 0) return at;
  }
  return text.length;
}

function variableOf(name: string, scope: MakeScope, depth: number): Value {
  const found = scope(name);
  if (found === null) return [];
  return "value" in found ? found.value : expandMake(found.text, scope, depth + 1);
}

function referenceOf(inner: string, scope: MakeScope, depth: number): Value {
  const written = `$(${inner})`;
  const call = /^([a-z]+)\s+(.*)$/s.exec(inner);
  if (call === null) {
    if (/^[\w.@<^*%?+-]+$/.test(inner)) return variableOf(inner, scope, depth);
    return unknown(written, `${written} of make is not read`);
  }
  const [, name = "", rest = ""] = call;
  if (name === "shell") {
    if (/^\s*pwd\s*$/.test(rest)) return variableOf("CURDIR", scope, depth);
    return unknown(written, `${written} is what a command prints`);
  }
  const args = name === "strip" ? [rest] : rest.split(",");
  const values = args.map((arg) => expandMake(arg, scope, depth + 1));
  const texts = values.map(literal);
  const [first, second, third] = texts;
  if (name === "strip" && typeof first === "string") return known(first.trim().replaceAll(/\s+/g, " "));
  // A comma within brackets would have been cut: such calls are not read.
  const isPlain = !/[()]/.test(rest);
  if (name === "subst" && isPlain && args.length === 3 && typeof first === "string" && first !== "")
    if (typeof second === "string" && typeof third === "string")
      return known(third.replaceAll(first, () => second));
  return unknown(written, `${written} is a function of make that is not read`);
}

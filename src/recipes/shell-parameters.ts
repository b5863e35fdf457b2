import type {
  ParameterDefaultOperation,
  ParameterExpansionPart,
  ParameterRemoveOperation,
  ParameterReplaceOperation,
  ParameterSliceOperation,
  Word,
} from "unbash";
import { isPredefined } from "./gitlab-variables.ts";
import { patternOf, removePrefix, removeSuffix, replacePattern } from "./shell-pattern.ts";
import type { Pattern } from "./shell-pattern.ts";
import { atRunTime, expandName, expandValue } from "./shell-words.ts";
import type { WordContext } from "./shell-words.ts";
import { concatenate, known, literal, reasons, render, unknown } from "./value.ts";
import type { Value } from "./value.ts";

/** Longest text that patterns are matched against: matching takes the square of it at worst. */
const LONGEST_MATCHED = 4096;

/** Value of `${NAME…}` with an operation; unknown wherever it depends on what only a pipeline knows. */
export function expandParameter(part: ParameterExpansionPart, context: WordContext): Value {
  const name = part.parameter;
  if (part.index !== undefined) {
    if (name === "BASH_SOURCE" && context.name !== null && part.index.text === "0") return context.name;
    const members = context.array(name);
    if (part.prefix === "#" && /^[@*]$/.test(part.index.text) && members !== null)
      return known(String(members.length));
    const at =
      /^\w*$/.test(part.index.text) && !/^\d/.test(part.index.text)
        ? literal(expandName(part.index.text, part.text, context))
        : literal(expandValue(part.index, context));
    const member = at !== null && /^\d+$/.test(at) ? members?.[Number(at)] : undefined;
    const plain = part.prefix === undefined && part.operation === undefined;
    return plain && member !== undefined ? member.value : unknown(part.text, atRunTime(part.text));
  }
  const value = expandName(name, part.text, context);
  if (part.prefix === "#") return lengthOf(value, part.text);
  if (part.prefix === "!") return indirect(value, part.text, context);
  const { operation } = part;
  if (operation === undefined) return value;
  switch (operation.type) {
    case "Default":
      return withDefault(operation, name, value, part.text, context);
    case "Remove":
      return removed(operation, value, part.text, context);
    case "Replace":
      return replaced(operation, value, part.text, context);
    case "Slice":
      return sliced(operation, value, part.text, context);
    case "CaseModification": {
      const text = literal(value);
      if (text === null || operation.operand !== undefined) return dependent(value, part.text);
      if (operation.operator === "^^") return known(text.toUpperCase());
      if (operation.operator === ",,") return known(text.toLowerCase());
      const first = text.charAt(0);
      const changed = operation.operator === "^" ? first.toUpperCase() : first.toLowerCase();
      return known(changed + text.slice(1));
    }
    case "Transform":
    case "Names":
    case "Unknown":
      return unknown(part.text, atRunTime(part.text));
  }
  return operation satisfies never;
}

/** An expansion of a value that is not known in full stays as written. */
function dependent(value: Value, written: string): Value {
  return unknown(written, reasons(value)[0] ?? `${written} depends on what only a pipeline knows`);
}

function lengthOf(value: Value, written: string): Value {
  const text = literal(value);
  return text === null ? dependent(value, written) : known(String(text.length));
}

function indirect(value: Value, written: string, context: WordContext): Value {
  const name = literal(value);
  return name !== null && /^[A-Za-z_]\w*$/.test(name) ? context.lookup(name) : dependent(value, written);
}

function withDefault(
  operation: ParameterDefaultOperation,
  name: string,
  value: Value,
  written: string,
  context: WordContext,
): Value {
  const operand = () => expandValue(operation.operand, context);
  const isSet = context.isSet(name) || (/^\d+$/.test(name) && value.length > 0);
  // A pipeline may or may not set it (CI_COMMIT_TAG), and nothing here tells which.
  if (!isSet && isPredefined(name)) return dependent(value, written);
  // A project's settings may set it: a default that says something is taken, the rest is not known.
  const isEmpty = operation.operator.endsWith("-") && operation.operand.text === "";
  if (!isSet && !/^\d+$/.test(name) && (isEmpty || operation.operator.endsWith("+")))
    return dependent(value, written);
  const text = literal(value);
  const colon = operation.operator.startsWith(":");
  if (isSet && colon && text === null && value.every((piece) => piece.kind !== "text")) {
    return dependent(value, written);
  }
  const counts = isSet && !(colon && text === "");
  switch (operation.operator) {
    case "+":
    case ":+":
      return counts ? operand() : [];
    case "-":
    case ":-":
      return counts ? value : operand();
    case "=":
    case ":=": {
      if (counts) return value;
      const assigned = operand();
      context.assign(name, assigned);
      return assigned;
    }
    case "?":
    case ":?":
      return value;
  }
  return operation.operator satisfies never;
}

function removed(
  operation: ParameterRemoveOperation,
  value: Value,
  written: string,
  context: WordContext,
): Value {
  const pattern = patternFrom(operation.operand, context);
  const text = literal(value);
  const { operator } = operation;
  if (pattern === null || render(value).length > LONGEST_MATCHED) return dependent(value, written);
  if (text !== null) {
    const longest = operator.length === 2;
    if (operator.startsWith("#")) return known(removePrefix(text, pattern, longest));
    return known(removeSuffix(text, pattern, longest) ?? text);
  }
  // The shortest match of a known end is the shortest of all, whatever stands before it.
  const last = value.at(-1);
  if (operator === "%" && last?.kind === "text") {
    const rest = removeSuffix(last.text, pattern, false);
    if (rest !== null) return concatenate(value.slice(0, -1), known(rest));
  }
  return dependent(value, written);
}

function replaced(
  operation: ParameterReplaceOperation,
  value: Value,
  written: string,
  context: WordContext,
): Value {
  const pattern = patternFrom(operation.pattern, context);
  const replacement = literal(expandValue(operation.replacement, context));
  const text = literal(value);
  if (pattern === null || replacement === null || text === null) return dependent(value, written);
  if (text.length > LONGEST_MATCHED) return dependent(value, written);
  return known(replacePattern(text, pattern, replacement, operation.operator));
}

function sliced(
  operation: ParameterSliceOperation,
  value: Value,
  written: string,
  context: WordContext,
): Value {
  const text = literal(value);
  const offset = numberFrom(operation.offset, context);
  const length = operation.length === undefined ? Infinity : numberFrom(operation.length, context);
  if (text === null || offset === null || length === null) return dependent(value, written);
  const start = offset < 0 ? Math.max(0, text.length + offset) : offset;
  return known(length < 0 ? text.slice(start, length) : text.slice(start, start + length));
}

function numberFrom(word: Word, context: WordContext): number | null {
  const text = literal(expandValue(word, context))?.trim() ?? "";
  return /^-?\d+$/.test(text) ? Number(text) : null;
}

/** A pattern of the shell, quoted parts for themselves; null where it is not known. */
export function patternFrom(word: Word, context: WordContext): Pattern | null {
  if (word.parts === undefined) return patternOf(word.value, word.text !== word.value);
  const steps = word.parts.map((part) => {
    if (part.type === "Literal") return patternOf(part.value, part.text !== part.value);
    if (part.type === "Glob") return patternOf(part.text, false);
    const text = literal(expandValue({ ...word, parts: [part] }, context));
    return text === null || part.type === "ExtendedGlob"
      ? null
      : patternOf(text, part.type !== "SimpleExpansion");
  });
  return steps.every((step) => step !== null) ? steps.flat() : null;
}

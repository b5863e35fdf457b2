import type { DoubleQuotedChild, ParameterExpansionPart, ParsedScript, Word, WordPart } from "unbash";
import { expandParameter } from "./shell-parameters.ts";
import { concatenate, known, unknown } from "./value.ts";
import type { Value } from "./value.ts";

/** One word of a command after expansion. */
export type Field = {
  value: Value;
  /** True for an unquoted expansion that is not known: it may be no word, or many. */
  loose: boolean;
};

/** What words are expanded with. */
export type WordContext = {
  lookup(name: string): Value;
  /** Whether the shell or a template sets the variable. */
  isSet(name: string): boolean;
  assign(name: string, value: Value): void;
  /** Members of an array; null where there is none of that name, or it is not known. */
  array(name: string): readonly Field[] | null;
  /** `$0`; null where it is not known. */
  name: Value | null;
  /** `$1` and on inside of a function; null outside. */
  positional: readonly Value[] | null;
  /** Runs what stands in `$(…)` for its effects; its output where it can be told. */
  substitute(script: ParsedScript): Value | null;
};

type Segment = { value: Value; quoted: boolean; expanded: boolean };

/** The value of a word that is not split, as in an assignment. */
export function expandValue(word: Word, context: WordContext): Value {
  return concatenate(...segmentsOf(word, context).map((segment) => segment.value));
}

/** The words that one written word becomes: unquoted expansions are split at white space. */
export function expandFields(word: Word, context: WordContext): Field[] {
  if (isAllArguments(word) && context.positional !== null) {
    return context.positional.map((value) => ({ value, loose: false }));
  }
  const members = arrayMembers(word, context);
  if (members !== null) return [...members];
  if (word.parts?.some((part) => part.type === "BraceExpansion") === true) {
    return [
      { value: unknown(word.text, `${word.text} is expanded by bash, not by every shell`), loose: true },
    ];
  }
  const segments = segmentsOf(word, context);
  const fields: Value[] = [];
  let current: Value | null = null;
  for (const segment of segments) {
    if (segment.quoted || !segment.expanded) {
      current = concatenate(current ?? [], segment.value);
      continue;
    }
    for (const piece of segment.value) {
      const [first = "", ...rest] = piece.kind === "text" ? piece.text.split(/[ \t\n]+/) : [];
      if (piece.kind !== "text") current = concatenate(current ?? [], [piece]);
      else if (first !== "") current = concatenate(current ?? [], known(first));
      for (const text of rest) {
        if (current !== null) fields.push(current);
        current = text === "" ? null : known(text);
      }
    }
  }
  if (current !== null) fields.push(current);
  const loose = segments.length === 1 && segments.every((segment) => segment.expanded && !segment.quoted);
  return fields.map((value) => ({
    value,
    loose: loose && value.length === 1 && value[0]?.kind === "unknown",
  }));
}

/** `"${NAME[@]}"`: every member is a word; null for any other word. */
function arrayMembers(word: Word, context: WordContext): readonly Field[] | null {
  const [first, ...more] = word.parts ?? [];
  const quoted = first?.type === "DoubleQuoted" ? first.parts : [first];
  const [part] = quoted;
  if (part?.type !== "ParameterExpansion" || more.length > 0 || quoted.length > 1) return null;
  if (part.index === undefined || !/^[@*]$/.test(part.index.text) || part.prefix === "#") return null;
  const members = context.array(part.parameter);
  if (members !== null && part.prefix === "!") {
    return members.map((_, at) => ({ value: known(String(at)), loose: false }));
  }
  if (members !== null && (part.operation === undefined || part.operation.type === "Default")) return members;
  const why = `$${part.parameter} is an array whose members are not known`;
  return [{ value: unknown(part.text, why), loose: true }];
}

function isAllArguments(word: Word): boolean {
  return /^"?\$(?:\{[@*]\}|[@*])"?$/.test(word.text);
}

function segmentsOf(word: Word, context: WordContext): Segment[] {
  if (word.parts === undefined) {
    return word.text === "" ? [] : [{ value: known(word.value), quoted: true, expanded: false }];
  }
  return word.parts.flatMap((part) => segmentOf(part, context));
}

function segmentOf(part: WordPart, context: WordContext): Segment | Segment[] {
  switch (part.type) {
    case "Literal":
      return { value: known(part.value), quoted: false, expanded: false };
    case "SingleQuoted":
    case "AnsiCQuoted":
      return { value: known(part.value), quoted: true, expanded: false };
    case "DoubleQuoted":
    case "LocaleString": {
      const values = part.parts.map((child) => expandChild(child, context));
      return { value: concatenate(...values), quoted: true, expanded: true };
    }
    case "SimpleExpansion":
    case "ParameterExpansion":
    case "CommandExpansion":
    case "ArithmeticExpansion":
      return { value: expandChild(part, context), quoted: false, expanded: true };
    case "ProcessSubstitution":
      if (part.script !== undefined) context.substitute(part.script);
      return { value: unknown(part.text, atRunTime(part.text)), quoted: true, expanded: true };
    case "Glob":
    case "ExtendedGlob":
    case "BraceExpansion":
      return { value: known(part.text), quoted: false, expanded: false };
  }
  return part satisfies never;
}

function expandChild(part: DoubleQuotedChild, context: WordContext): Value {
  switch (part.type) {
    case "Literal":
      return known(part.value);
    case "SimpleExpansion":
      return expandName(part.text.slice(1), part.text, context);
    case "ParameterExpansion":
      return isPlain(part) ? expandName(part.parameter, part.text, context) : expandParameter(part, context);
    case "CommandExpansion": {
      const output = part.script === undefined ? null : context.substitute(part.script);
      return output ?? unknown(part.text, atRunTime(part.text));
    }
    case "ArithmeticExpansion":
      return unknown(part.text, atRunTime(part.text));
  }
  return part satisfies never;
}

function isPlain(part: ParameterExpansionPart): boolean {
  return part.operation === undefined && part.prefix === undefined && part.index === undefined;
}

/** Value of `$NAME` or of a special parameter. */
export function expandName(name: string, written: string, context: WordContext): Value {
  if (/^[A-Za-z_]\w*$/.test(name)) return context.lookup(name);
  if (name === "0" && context.name !== null) return context.name;
  if (context.positional !== null) {
    if (/^[1-9]\d*$/.test(name)) return context.positional[Number(name) - 1] ?? [];
    if (name === "@" || name === "*") {
      return concatenate(
        ...context.positional.flatMap((value, at) => (at === 0 ? [value] : [known(" "), value])),
      );
    }
    if (name === "#") return known(String(context.positional.length));
  }
  return unknown(written, atRunTime(written));
}

/** Why something that only the shell can tell is unknown. */
export function atRunTime(written: string): string {
  return `${written} is known only when the job runs`;
}

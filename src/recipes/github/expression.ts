import { Lexer, Parser } from "@actions/expressions";
import type { Expr } from "@actions/expressions";
import { entryOf, isPrimitive, listDatum, toValue, truthOf, unknownDatum, whyUnknown } from "../datum.ts";
import type { Datum } from "../datum.ts";
import { render } from "../value.ts";
import { equal, toNumber } from "./equal.ts";
import type { DecideText } from "./equal.ts";
import { KNOWN_FUNCTIONS, callFunction, spread, textOf } from "./functions.ts";

/** What an expression may name: a context by its name, and what is known of texts that a pipeline knows. */
export type Contexts = { context(name: string): Datum; decide: DecideText };

const NAMES = "github env vars job jobs steps runner secrets strategy matrix needs inputs".split(" ");

/** Longest expression that is read, in characters. GitHub refuses longer ones, too. */
const LONGEST = 21_000;

/** The tree of an expression, or why it is none. */
export function parseExpression(text: string): Expr | string {
  if (text.length > LONGEST) return `the expression is longer than ${LONGEST} characters`;
  try {
    return new Parser(new Lexer(text).lex().tokens, NAMES, KNOWN_FUNCTIONS).parse();
  } catch (error) {
    if (error instanceof RangeError) return "the expression is nested too deeply";
    if (error instanceof Error) return `the expression cannot be read: ${error.message}`;
    throw error;
  }
}

/** What an expression comes to. What cannot be told is unknown with the expression as written. */
export function evaluateText(text: string, contexts: Contexts): Datum {
  const tree = parseExpression(text.trim());
  const written = `\${{ ${text.trim()} }}`;
  if (typeof tree === "string") return unknownDatum(written, `${written}: ${tree}`);
  const datum = evaluate(tree as unknown as Node, contexts);
  return !isPrimitive(datum) && datum.kind === "unknown" ? unknownDatum(written, datum.why) : datum;
}

/** The parser's tree by its fields: its classes are not exported. */
type Node = {
  literal?: { kind: number; value?: string | number | boolean };
  operator?: { lexeme: string };
  expr?: Node;
  args?: Node[];
  functionName?: { lexeme: string };
  left?: Node;
  right?: Node;
  group?: Node;
  name?: { lexeme: string };
  index?: Node;
};

function evaluate(node: Node, contexts: Contexts): Datum {
  const inner = (each: Node | undefined) => (each === undefined ? null : evaluate(each, contexts));
  if (node.literal !== undefined) return literalOf(node.literal);
  if (node.group !== undefined) return inner(node.group);
  if (node.name !== undefined) return contexts.context(node.name.lexeme.toLowerCase());
  if (node.functionName !== undefined) {
    return callFunction(
      node.functionName.lexeme.toLowerCase(),
      (node.args ?? []).map(inner),
      contexts.decide,
    );
  }
  if (node.index !== undefined) return access(inner(node.expr), node, contexts);
  if (node.args !== undefined) return logical(node.operator?.lexeme ?? "", node.args, contexts);
  if (node.left !== undefined)
    return compare(node.operator?.lexeme ?? "", inner(node.left), inner(node.right), contexts);
  if (node.operator?.lexeme === "!") {
    const datum = inner(node.expr);
    const holds = truthOf(datum);
    return holds === null ? unknownDatum("!", whyUnknown(datum) ?? "it is known only in a pipeline") : !holds;
  }
  return null;
}

function literalOf({ value }: NonNullable<Node["literal"]>): Datum {
  return value ?? null;
}

function access(datum: Datum, node: Node, contexts: Contexts): Datum {
  const { index } = node;
  const isStar = index !== undefined && Object.keys(index).length === 0;
  if (isStar) return spread(datum);
  const name = index === undefined ? null : evaluate(index, contexts);
  // After `.*` a name selects that entry of each item.
  const isSpread = node.expr?.index !== undefined && Object.keys(node.expr.index).length === 0;
  if (isSpread && !isPrimitive(datum) && datum.kind === "list") {
    return listDatum(datum.items.map((item) => entryOf(item, name)).filter((item) => item !== null));
  }
  return entryOf(datum, name);
}

function logical(operator: string, args: readonly Node[], contexts: Contexts): Datum {
  const stops = operator === "||";
  let undecided: Datum | undefined;
  let last: Datum = null;
  for (const arg of args) {
    last = evaluate(arg, contexts);
    const holds = truthOf(last);
    if (holds === null) undecided ??= last;
    else if (holds === stops) {
      // What is undecided before it cannot change this one.
      if (undecided === undefined || last === stops) return last;
      if (!stops) return false;
      break;
    }
  }
  if (undecided === undefined) return last;
  return unknownDatum(operator, whyUnknown(undecided) ?? "it is known only in a pipeline");
}

function compare(operator: string, left: Datum, right: Datum, { decide }: Contexts): Datum {
  const written = `${render(toValue(left))} ${operator} ${render(toValue(right))}`;
  const why = whyUnknown(left) ?? whyUnknown(right) ?? `${written} is known only in a pipeline`;
  if (operator === "==" || operator === "!=") {
    const same = equal(left, right, decide);
    return same === null ? unknownDatum(written, why) : same === (operator === "==");
  }
  if (!isPrimitive(left) || !isPrimitive(right)) return unknownDatum(written, why);
  const [a, b] = [toNumber(left ?? null), toNumber(right ?? null)];
  if (operator === ">") return a > b;
  if (operator === ">=") return a >= b;
  return operator === "<" ? a < b : a <= b;
}

/** One part of a text with expressions. */
export type TextPart = { start: number; end: number; text: string; expression: string | null };

/** Parts of a text: what stands outside of `${{ }}`, and the expressions. An open end is part of the text. */
export function splitText(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf("${{", at);
    const close = open === -1 ? -1 : endOf(text, open + 3);
    const end = close === -1 ? text.length : open;
    if (end > at) parts.push({ start: at, end, text: text.slice(at, end), expression: null });
    if (close === -1) break;
    const expression = text.slice(open + 3, close);
    parts.push({ start: open, end: close + 2, text: text.slice(open, close + 2), expression });
    at = close + 2;
  }
  return parts;
}

/** Where an expression ends: the first `}}` outside of its quotes; -1 where it has no end. */
function endOf(text: string, from: number): number {
  let quoted = false;
  for (let at = from; at < text.length; at += 1) {
    if (text.charAt(at) === "'") quoted = !quoted;
    else if (!quoted && text.startsWith("}}", at)) return at;
  }
  return -1;
}

/** A text of a workflow: one expression alone keeps its kind, everything else becomes a text. */
export function evaluateTemplate(text: string, contexts: Contexts): Datum {
  if (!text.includes("${{")) return text;
  const parts = splitText(text);
  const [first] = parts;
  if (parts.length === 1 && first?.expression !== undefined && first.expression !== null)
    return evaluateText(first.expression, contexts);
  return textOf(
    parts.map((part) => {
      if (part.expression !== null) return evaluateText(part.expression, contexts);
      const open = part.text.indexOf("${{");
      return open === -1
        ? part.text
        : unknownDatum(part.text, `the expression has no end: ${part.text.slice(open, open + 60)}`);
    }),
  );
}

/** A condition as GitHub reads `if:`: with or without `${{ }}`, and only after success unless it says otherwise. */
export function evaluateCondition(text: string, contexts: Contexts): Datum {
  const trimmed = text.trim();
  if (trimmed === "") return true;
  const parts = splitText(trimmed);
  const [first] = parts;
  if (parts.length === 1 && first !== undefined)
    return evaluateText(first.expression ?? first.text, contexts);
  // `${{ a }} && b` is a text with an expression in it, and GitHub takes such a text for true.
  return true;
}

import type { TestExpression } from "unbash";
import { expandValue } from "./shell-words.ts";
import type { WordContext } from "./shell-words.ts";
import { literal } from "./value.ts";
import type { Value } from "./value.ts";

/** How a command ends as far as the templates tell it; "ordinary" for programs, which are taken to succeed. */
export type Status = "true" | "false" | "ordinary" | "undecided";

/** Status of `test …` or `[ … ]` by its operands. */
export function testStatus(operands: readonly Value[]): Status {
  const [first, ...rest] = operands;
  if (first === undefined) return "false";
  if (literal(first) === "!" && rest.length > 0) return negate(testStatus(rest));
  if (operands.length === 1) return filled(first);
  if (operands.length === 2) return unary(literal(first) ?? "", operands[1] ?? []);
  if (operands.length === 3) return binary(literal(operands[1] ?? []) ?? "", first, operands[2] ?? []);
  return "undecided";
}

/** Status of `[[ … ]]`. */
export function expressionStatus(expression: TestExpression, context: WordContext): Status {
  switch (expression.type) {
    case "TestUnary":
      return unary(expression.operator, expandValue(expression.operand, context));
    case "TestBinary": {
      const right = expression.right;
      // A pattern on the right side is not compared: only plain texts decide.
      if (/[*?[]/.test(right.text)) return "undecided";
      return binary(expression.operator, expandValue(expression.left, context), expandValue(right, context));
    }
    case "TestNot": {
      const status = expressionStatus(expression.operand, context);
      return expression.negations.length % 2 === 1 ? negate(status) : status;
    }
    case "TestGroup":
      return expressionStatus(expression.expression, context);
    case "TestLogical": {
      const statuses = new Set(expression.operands.map((operand) => expressionStatus(operand, context)));
      const decisive = expression.operator === "&&" ? "false" : "true";
      if (statuses.has(decisive)) return decisive;
      return statuses.has("undecided") ? "undecided" : negate(decisive);
    }
  }
  return expression satisfies never;
}

/** The opposite; what is not decided stays so. */
export function negate(status: Status): Status {
  if (status === "true") return "false";
  return status === "false" ? "true" : "undecided";
}

function filled(value: Value): Status {
  const text = literal(value);
  if (text !== null) return text === "" ? "false" : "true";
  // A known character makes it filled, whatever the rest is.
  return value.some((piece) => piece.kind === "text") ? "true" : "undecided";
}

function unary(operator: string, operand: Value): Status {
  if (operator === "-n") return filled(operand);
  return operator === "-z" ? negate(filled(operand)) : "undecided";
}

function binary(operator: string, left: Value, right: Value): Status {
  const [a, b] = [literal(left), literal(right)];
  if (a === null || b === null) return "undecided";
  if (operator === "=" || operator === "==") return decided(a === b);
  if (operator === "!=") return decided(a !== b);
  const compare = NUMERIC.get(operator.replace(/^-/, ""));
  if (compare === undefined || !/^-?\d+$/.test(a) || !/^-?\d+$/.test(b)) return "undecided";
  return decided(compare(Number(a), Number(b)));
}

const NUMERIC = new Map<string, (a: number, b: number) => boolean>([
  ["eq", (a, b) => a === b],
  ["ne", (a, b) => a !== b],
  ["gt", (a, b) => a > b],
  ["ge", (a, b) => a >= b],
  ["lt", (a, b) => a < b],
  ["le", (a, b) => a <= b],
]);

function decided(holds: boolean): Status {
  return holds ? "true" : "false";
}

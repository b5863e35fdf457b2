import type { Scope } from "./gitlab-variables.ts";
import { literal } from "./value.ts";

/** Where a pipeline runs: in the project that the templates name, or in a fork of it. */
export type World = "upstream" | "fork";

/** Whether something holds; null where that is not told. */
export type Truth = boolean | null;

/** Variables that say which project a pipeline belongs to. */
const IDENTITY = new Set([
  "CI_PROJECT_NAMESPACE",
  "CI_PROJECT_ROOT_NAMESPACE",
  "CI_PROJECT_PATH",
  "CI_PROJECT_ID",
  "CI_PROJECT_NAMESPACE_ID",
  "CI_PROJECT_URL",
]);

/** What an expression is evaluated with. `compared` collects what each identity is compared with. */
export type ExpressionContext = {
  scope: Scope;
  /** Variables that the templates define. */
  names: ReadonlySet<string>;
  world: World;
  compared: Map<string, Set<string>>;
};

type Operand =
  | { kind: "text"; text: string }
  | { kind: "null" }
  | { kind: "pattern"; source: string }
  | { kind: "identity"; name: string }
  | { kind: "unknown" };

const TOKEN = /\s*(&&|\|\||==|!=|=~|!~|\(|\)|null\b|\$\w+|"[^"]*"|'[^']*'|\/(?:[^/\\]|\\.)*\/[a-z]*)/y;

/** Longest expression that is read, in characters. */
const LONGEST = 4000;

/** Evaluates the text of a `rules: if` or an `only: variables`; null where it is not told or cannot be read. */
export function evaluateExpression(text: string, context: ExpressionContext): Truth {
  const tokens = tokensOf(text);
  if (tokens === null) return null;
  let at = 0;

  function either(): Truth {
    let result = both();
    while (tokens?.[at] === "||") {
      at += 1;
      const right = both();
      result = result === true || right === true ? true : result === null || right === null ? null : false;
    }
    return result;
  }

  function both(): Truth {
    let result = single();
    while (tokens?.[at] === "&&") {
      at += 1;
      const right = single();
      result = result === false || right === false ? false : result === null || right === null ? null : true;
    }
    return result;
  }

  function single(): Truth {
    if (tokens?.[at] === "(") {
      at += 1;
      const result = either();
      at += 1;
      return result;
    }
    const left = operandOf(tokens?.[at] ?? "", context);
    const operator = tokens?.[at + 1] ?? "";
    if (!/^(?:==|!=|=~|!~)$/.test(operator)) {
      at += 1;
      return filled(left);
    }
    const right = operandOf(tokens?.[at + 2] ?? "", context);
    at += 3;
    const holds = operator.endsWith("~") ? matches(left, right, context) : equals(left, right, context);
    return operator.startsWith("!") && holds !== null ? !holds : holds;
  }

  const result = either();
  return at === tokens.length ? result : null;
}

function tokensOf(text: string): string[] | null {
  if (text.length > LONGEST) return null;
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  let end = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    tokens.push(match[1] ?? "");
    end = TOKEN.lastIndex;
  }
  return text.slice(end).trim() === "" && tokens.length > 0 ? tokens : null;
}

function operandOf(token: string, { scope, names }: ExpressionContext): Operand {
  if (token === "null") return { kind: "null" };
  if (/^["']/.test(token)) return { kind: "text", text: token.slice(1, -1) };
  if (token.startsWith("/")) return { kind: "pattern", source: token.slice(1, token.lastIndexOf("/")) };
  if (!token.startsWith("$")) return { kind: "unknown" };
  const name = token.slice(1);
  if (IDENTITY.has(name) && !names.has(name)) return { kind: "identity", name };
  const text = names.has(name) ? literal(scope(name)) : null;
  return text === null ? { kind: "unknown" } : { kind: "text", text };
}

function filled(operand: Operand): Truth {
  if (operand.kind === "text") return operand.text !== "";
  return operand.kind === "identity" ? true : null;
}

function equals(left: Operand, right: Operand, context: ExpressionContext): Truth {
  if (left.kind === "identity" && right.kind === "text") return isNamed(left.name, right.text, context);
  if (right.kind === "identity" && left.kind === "text") return isNamed(right.name, left.text, context);
  if (left.kind === "text" && right.kind === "text") return left.text === right.text;
  const isNull = left.kind === "null" || right.kind === "null";
  const isKnown = [left, right].some((side) => side.kind === "text" || side.kind === "identity");
  return isNull && isKnown ? false : null;
}

/** Whether a pattern matches: only one that is the beginning of a project's name is decided. */
function matches(left: Operand, right: Operand, context: ExpressionContext): Truth {
  if (left.kind !== "identity" || right.kind !== "pattern") return null;
  const name = /^\^([\w./\\-]+?)\$?$/.exec(right.source)?.[1];
  if (name === undefined || /\\[^/.-]/.test(name)) return null;
  return isNamed(left.name, name.replaceAll("\\", "").replace(/\/$/, ""), context);
}

/** The name that a template compares with is taken for upstream's. */
function isNamed(variable: string, text: string, context: ExpressionContext): Truth {
  const names = context.compared.get(variable) ?? new Set();
  context.compared.set(variable, names.add(text));
  return context.world === "upstream";
}

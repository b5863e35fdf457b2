import { HclFault, tokensOf } from "./hcl-tokens.ts";
import type { HclToken } from "./hcl-tokens.ts";

/** An expression of HCL. */
export type HclExpression =
  | { kind: "literal"; value: string | number | boolean | null }
  | { kind: "template"; parts: HclExpression[] }
  | { kind: "name"; name: string }
  | { kind: "entry"; of: HclExpression; key: HclExpression }
  | { kind: "spread"; of: HclExpression; keys: string[] }
  | { kind: "list"; items: HclExpression[] }
  | { kind: "map"; entries: { key: HclExpression; value: HclExpression }[] }
  | { kind: "call"; name: string; args: HclExpression[]; expands: boolean }
  | { kind: "unary"; operator: string; of: HclExpression }
  | { kind: "binary"; operator: string; left: HclExpression; right: HclExpression }
  | { kind: "choice"; condition: HclExpression; yes: HclExpression; no: HclExpression }
  | {
      kind: "for";
      names: string[];
      of: HclExpression;
      key: HclExpression | null;
      value: HclExpression;
      condition: HclExpression | null;
      groups: boolean;
    };

export type HclAttribute = { name: string; value: HclExpression; at: number };
export type HclBlock = { type: string; labels: string[]; body: HclBody; at: number };
export type HclBody = { attributes: HclAttribute[]; blocks: HclBlock[] };

/** Deepest nesting of expressions and blocks. */
const DEEPEST = 60;

/** Reads a bake file in HCL. Throws an HclFault. */
export function parseHcl(text: string): HclBody {
  const reader = createReader(tokensOf(text));
  const body = readBody(reader, 0);
  reader.expect("end", "");
  return body;
}

type Reader = ReturnType<typeof createReader>;

function createReader(tokens: readonly HclToken[]) {
  let at = 0;
  const last = tokens.at(-1) as HclToken;
  const reader = {
    depth: 0,
    /** Whether ends of lines mean nothing: between brackets and parentheses. */
    quiet: false,
    peek: (): HclToken => {
      while (reader.quiet && tokens[at]?.kind === "newline") at++;
      return tokens[at] ?? last;
    },
    next: (): HclToken => {
      const token = reader.peek();
      at++;
      return token;
    },
    /** Reads what stands up to a closing bracket; `quiet` says whether lines end there. */
    within: <T>(quiet: boolean, read: () => T): T => {
      const before = reader.quiet;
      reader.quiet = quiet;
      const result = read();
      reader.quiet = before;
      return result;
    },
    is: (text: string) => {
      const token = reader.peek();
      return token.text === text && (token.kind === "symbol" || token.kind === "name");
    },
    take: (text: string) => reader.is(text) && (at++, true),
    skipLines: () => {
      while (reader.peek().kind === "newline") at++;
    },
    expect: (kind: HclToken["kind"], text: string | null): HclToken => {
      const token = reader.next();
      if (token.kind === kind && (text === null || token.text === text)) return token;
      throw new HclFault(
        `${text === null || text === "" ? `a ${kind}` : text} is wanted, not ${wordsOf(token)}`,
        token.at,
      );
    },
  };
  return reader;
}

/** A token as a fault names it. */
function wordsOf(token: HclToken): string {
  if (token.kind === "end") return "the end of the file";
  return token.kind === "newline" ? "the end of the line" : token.text;
}

function readBody(reader: Reader, depth: number): HclBody {
  if (depth > DEEPEST) throw new HclFault("blocks are nested too deeply", reader.peek().at);
  const body: HclBody = { attributes: [], blocks: [] };
  for (;;) {
    reader.skipLines();
    const token = reader.peek();
    if (token.kind === "end" || (token.kind === "symbol" && token.text === "}")) return body;
    const name = readLabel(reader);
    if (reader.take("=")) {
      reader.skipLines();
      body.attributes.push({ name, value: readExpression(reader), at: token.at });
    } else {
      const labels: string[] = [];
      while (reader.peek().kind === "template" || reader.peek().kind === "name")
        labels.push(readLabel(reader));
      reader.expect("symbol", "{");
      const inner = readBody(reader, depth + 1);
      reader.expect("symbol", "}");
      body.blocks.push({ type: name, labels, body: inner, at: token.at });
    }
  }
}

function readLabel(reader: Reader): string {
  const token = reader.next();
  if (token.kind === "name") return token.text;
  if (token.kind === "template")
    return token.parts.map((part) => ("text" in part ? part.text : `\${${part.expression}}`)).join("");
  throw new HclFault(
    `a name is wanted, not ${token.text === "\n" ? "the end of the line" : token.text}`,
    token.at,
  );
}

const LEVELS: readonly (readonly string[])[] = [
  ["||"],
  ["&&"],
  ["==", "!="],
  ["<", "<=", ">", ">="],
  ["+", "-"],
  ["*", "/", "%"],
];

function readExpression(reader: Reader): HclExpression {
  reader.depth += 1;
  if (reader.depth > DEEPEST) throw new HclFault("the expression is nested too deeply", reader.peek().at);
  const condition = readBinary(reader, 0);
  let result = condition;
  if (reader.take("?")) {
    reader.skipLines();
    const yes = readExpression(reader);
    reader.skipLines();
    reader.expect("symbol", ":");
    reader.skipLines();
    result = { kind: "choice", condition, yes, no: readExpression(reader) };
  }
  reader.depth -= 1;
  return result;
}

function readBinary(reader: Reader, level: number): HclExpression {
  const operators = LEVELS[level];
  if (operators === undefined) return readUnary(reader);
  let left = readBinary(reader, level + 1);
  for (;;) {
    const operator = operators.find((each) => reader.peek().kind === "symbol" && reader.is(each));
    if (operator === undefined) return left;
    reader.next();
    reader.skipLines();
    left = { kind: "binary", operator, left, right: readBinary(reader, level + 1) };
  }
}

function readUnary(reader: Reader): HclExpression {
  const operator = ["!", "-"].find((each) => reader.is(each));
  if (operator === undefined) return readPostfix(reader);
  reader.next();
  return { kind: "unary", operator, of: readUnary(reader) };
}

function readPostfix(reader: Reader): HclExpression {
  let result = readPrimary(reader);
  for (;;) {
    if (reader.take(".")) {
      if (reader.take("*")) result = { kind: "spread", of: result, keys: restKeys(reader) };
      else result = { kind: "entry", of: result, key: { kind: "literal", value: reader.next().text } };
    } else if (reader.take("[")) {
      reader.skipLines();
      if (reader.take("*")) {
        reader.expect("symbol", "]");
        result = { kind: "spread", of: result, keys: restKeys(reader) };
        continue;
      }
      const key = readExpression(reader);
      reader.skipLines();
      reader.expect("symbol", "]");
      result = { kind: "entry", of: result, key };
    } else return result;
  }
}

function restKeys(reader: Reader): string[] {
  const keys: string[] = [];
  while (reader.take(".")) keys.push(reader.next().text);
  return keys;
}

const WORDS = new Map<string, boolean | null>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

function readPrimary(reader: Reader): HclExpression {
  const token = reader.next();
  if (token.kind === "number") return { kind: "literal", value: Number(token.text) };
  if (token.kind === "template") return templateOf(token, reader.depth);
  if (token.kind === "name") {
    const word = WORDS.get(token.text);
    if (word !== undefined) return { kind: "literal", value: word };
    if (!reader.take("(")) return { kind: "name", name: token.text };
    return reader.within(true, () => readCall(reader, token.text));
  }
  if (token.text === "(") {
    return reader.within(true, () => {
      const inner = readExpression(reader);
      reader.expect("symbol", ")");
      return inner;
    });
  }
  if (token.text === "[") return reader.within(true, () => readList(reader));
  if (token.text === "{") return reader.within(false, () => readMap(reader));
  throw new HclFault(`a value is wanted, not ${wordsOf(token)}`, token.at);
}

function templateOf(token: Extract<HclToken, { kind: "template" }>, depth: number): HclExpression {
  const parts = token.parts.map((part): HclExpression => {
    if ("text" in part) return { kind: "literal", value: part.text };
    const reader = createReader(tokensOf(part.expression, part.at));
    reader.depth = depth + 1;
    reader.skipLines();
    const inner = readExpression(reader);
    reader.skipLines();
    reader.expect("end", "");
    return inner;
  });
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : { kind: "template", parts };
}

function readCall(reader: Reader, name: string): HclExpression {
  const args: HclExpression[] = [];
  let expands = false;
  for (;;) {
    reader.skipLines();
    if (reader.take(")")) return { kind: "call", name, args, expands };
    args.push(readExpression(reader));
    if (reader.take("...")) expands = true;
    reader.skipLines();
    if (!reader.is(")")) reader.expect("symbol", ",");
  }
}

function readList(reader: Reader): HclExpression {
  reader.skipLines();
  if (reader.take("for")) return readFor(reader, "]");
  const items: HclExpression[] = [];
  for (;;) {
    reader.skipLines();
    if (reader.take("]")) return { kind: "list", items };
    items.push(readExpression(reader));
    reader.skipLines();
    if (!reader.is("]")) reader.expect("symbol", ",");
  }
}

function readMap(reader: Reader): HclExpression {
  reader.skipLines();
  if (reader.take("for")) return readFor(reader, "}");
  const entries: { key: HclExpression; value: HclExpression }[] = [];
  for (;;) {
    while (reader.take(",") || reader.peek().kind === "newline") reader.skipLines();
    if (reader.take("}")) return { kind: "map", entries };
    const written = readExpression(reader);
    // A bare name is the key itself.
    const key: HclExpression = written.kind === "name" ? { kind: "literal", value: written.name } : written;
    if (!reader.take("=") && !reader.take(":")) reader.expect("symbol", "=");
    reader.skipLines();
    entries.push({ key, value: readExpression(reader) });
  }
}

function readFor(reader: Reader, close: "]" | "}"): HclExpression {
  const names = [reader.expect("name", null).text];
  if (reader.take(",")) names.push(reader.expect("name", null).text);
  reader.expect("name", "in");
  const of = readExpression(reader);
  reader.skipLines();
  reader.expect("symbol", ":");
  reader.skipLines();
  const first = readExpression(reader);
  reader.skipLines();
  const isMap = reader.take("=>");
  reader.skipLines();
  const value = isMap ? readExpression(reader) : first;
  const groups = reader.take("...");
  reader.skipLines();
  const condition = reader.take("if") ? readExpression(reader) : null;
  reader.skipLines();
  reader.expect("symbol", close);
  return { kind: "for", names, of, key: isMap ? first : null, value, condition, groups };
}

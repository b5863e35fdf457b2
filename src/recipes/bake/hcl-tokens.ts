/** A fault in a bake file at an offset of its text. */
export class HclFault extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** Part of a quoted text: as it stands, or an expression between `${` and `}`. */
export type TemplatePart = { text: string } | { expression: string; at: number };

export type HclToken =
  | { kind: "name" | "symbol" | "newline" | "end"; text: string; at: number }
  | { kind: "number"; text: string; at: number }
  | { kind: "template"; parts: TemplatePart[]; text: string; at: number };

const SYMBOLS = /^(?:\.\.\.|=>|==|!=|<=|>=|&&|\|\||[{}[\]()=,.:?+\-*/%<>!])/;

/** Tokens of HCL's native syntax. Throws a fault where a character, a text or a comment has no place or no end. */
export function tokensOf(source: string, start = 0): HclToken[] {
  const tokens: HclToken[] = [];
  let at = 0;
  const push = (kind: "name" | "symbol" | "newline" | "number", text: string) => {
    tokens.push({ kind, text, at: start + at });
    at += text.length;
  };
  while (at < source.length) {
    const rest = source.slice(at, at + 400);
    const character = source.charAt(at);
    if (character === "\n") push("newline", "\n");
    else if (/\s|\uFEFF/.test(character)) at += 1;
    else if (character === "#" || rest.startsWith("//")) at = lineEnd(source, at);
    else if (rest.startsWith("/*")) at = commentEnd(source, at, start);
    else if (character === '"') {
      const { parts, end } = quoted(source, at + 1, start);
      tokens.push({ kind: "template", parts, text: source.slice(at, end), at: start + at });
      at = end;
    } else if (rest.startsWith("<<")) {
      const { parts, end } = heredoc(source, at, start);
      tokens.push({ kind: "template", parts, text: "<<", at: start + at });
      at = end;
    } else {
      const name = /^[\p{L}_][\p{L}\p{N}_-]*/u.exec(rest)?.[0];
      const number = /^\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/.exec(rest)?.[0];
      const symbol = SYMBOLS.exec(rest)?.[0];
      if (name !== undefined) push("name", longName(source, at));
      else if (number !== undefined) push("number", number);
      else if (symbol !== undefined) push("symbol", symbol);
      else throw new HclFault(`${JSON.stringify(character)} has no place here`, start + at);
    }
  }
  tokens.push({ kind: "end", text: "", at: start + at });
  return tokens;
}

function longName(source: string, at: number): string {
  let end = at;
  while (end < source.length && /[\p{L}\p{N}_-]/u.test(source.charAt(end))) end += 1;
  return source.slice(at, end);
}

function lineEnd(source: string, at: number): number {
  const end = source.indexOf("\n", at);
  return end === -1 ? source.length : end;
}

function commentEnd(source: string, at: number, start: number): number {
  const end = source.indexOf("*/", at + 2);
  if (end === -1) throw new HclFault("a comment has no end", start + at);
  return end + 2;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\" };

function quoted(source: string, from: number, start: number): { parts: TemplatePart[]; end: number } {
  const parts: TemplatePart[] = [];
  let text = "";
  let at = from;
  for (;;) {
    const character = source.charAt(at);
    if (character === "" || character === "\n") throw new HclFault("a text has no end", start + from - 1);
    if (character === '"') break;
    if (character === "\\") {
      const escape = source.charAt(at + 1);
      const code = /^u([0-9a-fA-F]{4})/.exec(source.slice(at + 1, at + 6))?.[1];
      text +=
        code === undefined ? (ESCAPES[escape] ?? escape) : String.fromCharCode(Number.parseInt(code, 16));
      at += code === undefined ? 2 : 6;
    } else if (source.startsWith("$${", at) || source.startsWith("%%{", at)) {
      text += source.slice(at + 1, at + 3);
      at += 3;
    } else if (source.startsWith("${", at)) {
      const end = interpolationEnd(source, at + 2, start);
      parts.push({ text }, { expression: source.slice(at + 2, end), at: start + at + 2 });
      text = "";
      at = end + 1;
    } else if (source.startsWith("%{", at)) throw new HclFault("%{ } is not read", start + at);
    else {
      text += character;
      at += 1;
    }
  }
  return { parts: [...parts, { text }], end: at + 1 };
}

/** Where `${` ends: braces and texts within it are skipped. */
function interpolationEnd(source: string, from: number, start: number): number {
  let depth = 0;
  for (let at = from; at < source.length; at += 1) {
    const character = source.charAt(at);
    if (character === '"') at = quoted(source, at + 1, start).end - 1;
    else if (character === "{") depth += 1;
    else if (character === "}") {
      if (depth === 0) return at;
      depth -= 1;
    }
  }
  throw new HclFault("${ has no end", start + from);
}

function heredoc(source: string, at: number, start: number): { parts: TemplatePart[]; end: number } {
  const match = /^<<(-?)([\w-]+)[ \t]*\r?\n/.exec(source.slice(at, at + 200));
  if (match === null) throw new HclFault("<< names no end", start + at);
  const [head, dash = "", word = ""] = match;
  const lines: string[] = [];
  let next = at + head.length;
  for (;;) {
    if (next >= source.length) throw new HclFault(`<<${word} has no end`, start + at);
    const end = lineEnd(source, next);
    const line = source.slice(next, end).replace(/\r$/, "");
    next = end + 1;
    if (line.trim() === word) {
      const indent =
        dash === ""
          ? 0
          : Math.min(...lines.filter((each) => each.trim() !== "").map((each) => each.search(/\S/)));
      const text = lines.map((each) => `${each.slice(Number.isFinite(indent) ? indent : 0)}\n`).join("");
      return { parts: splitInterpolations(text, start + at), end };
    }
    lines.push(line);
  }
}

function splitInterpolations(text: string, at: number): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let from = 0;
  for (;;) {
    const open = text.indexOf("${", from);
    if (open === -1) break;
    if (text.charAt(open - 1) === "$") {
      parts.push({ text: text.slice(from, open - 1) }, { text: "${" });
      from = open + 2;
      continue;
    }
    const end = interpolationEnd(text, open + 2, at);
    parts.push({ text: text.slice(from, open) }, { expression: text.slice(open + 2, end), at });
    from = end + 1;
  }
  return [...parts, { text: text.slice(from) }];
}

/** Part of a text: known, a variable that only a pipeline knows, or unknown and why. */
export type Piece =
  | { kind: "text"; text: string }
  | { kind: "variable"; name: string }
  | { kind: "unknown"; text: string; why: string };

/** A text as far as the templates tell it. */
export type Value = readonly Piece[];

/** Longest value that is followed, in characters: doubling variables end here. */
const LONGEST = 16_384;

/** A value that is known in full. */
export function known(text: string): Value {
  return text === "" ? [] : [{ kind: "text", text }];
}

/** A variable that only a pipeline knows. */
export function variable(name: string): Value {
  return [{ kind: "variable", name }];
}

/** A part that cannot be told; `text` is kept as written. */
export function unknown(text: string, why: string): Value {
  return [{ kind: "unknown", text, why }];
}

/** One value after the other; texts that meet become one. */
export function concatenate(...values: readonly Value[]): Value {
  const pieces: Piece[] = [];
  let length = 0;
  for (const piece of values.flat()) {
    length += piece.kind === "variable" ? piece.name.length : piece.text.length;
    if (length > LONGEST) {
      return unknown(`${render(pieces).slice(0, 40)}…`, `the value is longer than ${LONGEST} characters`);
    }
    const last = pieces.at(-1);
    if (piece.kind === "text" && last?.kind === "text") {
      pieces[pieces.length - 1] = { kind: "text", text: last.text + piece.text };
    } else if (piece.kind !== "text" || piece.text !== "") pieces.push(piece);
  }
  return pieces;
}

/** The value as it is shown: `$NAME`, or `${NAME}` only where a character of a name follows directly. */
export function render(value: Value): string {
  return value
    .map((piece, index) => {
      if (piece.kind !== "variable") return piece.text;
      const next = value[index + 1];
      const braces = next !== undefined && next.kind !== "variable" && /^\w/.test(next.text);
      return braces ? `\${${piece.name}}` : `$${piece.name}`;
    })
    .join("");
}

/** The text where it is known in full, else null. */
export function literal(value: Value): string | null {
  return value.every((piece) => piece.kind === "text") ? value.map((piece) => piece.text).join("") : null;
}

/** Why parts of the value are unknown, each reason once. */
export function reasons(value: Value): string[] {
  return [...new Set(value.flatMap((piece) => (piece.kind === "unknown" ? [piece.why] : [])))];
}

/** Cuts a value in two where its first piece, a text, has `index` characters. */
export function cutText(value: Value, index: number): { head: string; tail: Value } {
  const [first, ...rest] = value;
  if (first?.kind !== "text") return { head: "", tail: value };
  return { head: first.text.slice(0, index), tail: concatenate(known(first.text.slice(index)), rest) };
}

/** Build arguments that FROM may use: those before the first FROM, and what the build gives. */
export type Arguments = {
  /** Values so far. */
  values: ReadonlyMap<string, string>;
  /** Takes in the words of one ARG instruction. */
  define(words: readonly string[]): void;
};

/** Collects global build arguments; given ones replace defaults. */
export function createArguments(given: Readonly<Record<string, string | null>>): Arguments {
  const values = new Map<string, string>();
  return {
    values,
    define: (words) => {
      for (const word of words) {
        const equals = word.indexOf("=");
        const name = equals === -1 ? word : word.slice(0, equals);
        const told = Object.hasOwn(given, name) ? given[name] : undefined;
        if (typeof told === "string") values.set(name, told);
        else if (equals !== -1)
          values.set(name, expandArguments(unquote(word.slice(equals + 1)), values).text);
      }
    },
  };
}

function unquote(text: string): string {
  const match = /^(["'])(.*)\1$/s.exec(text);
  return match?.[2] ?? text;
}

/**
 * Expands `$A`, `${A}`, `${A:-x}`, `${A-x}`, `${A:+x}` and `${A:?x}` in a FROM; `missing` are names without a value,
 * and those of expansions that are not read (`${A#x}`, one within another).
 */
export function expandArguments(
  written: string,
  values: ReadonlyMap<string, string>,
): { text: string; missing: string[] } {
  const missing: string[] = [];
  const text = unquote(written).replaceAll(
    /\$(?:\{(\w+)(?:(:?[-+?])([^}]*))?\}|(\w+))/g,
    (
      _,
      braced: string | undefined,
      operator: string | undefined,
      operand: string | undefined,
      bare: string | undefined,
    ) => {
      const name = braced ?? bare ?? "";
      const value = values.get(name);
      const counts = value !== undefined && !(operator?.startsWith(":") === true && value === "");
      if (operator?.endsWith("+") === true) return counts ? (operand ?? "") : "";
      if (counts) return value;
      if (operator === undefined || operator.endsWith("?")) missing.push(name);
      return operator?.endsWith("?") === true ? "" : (operand ?? "");
    },
  );
  const rest = /\$\{(\w*)/.exec(text);
  if (rest !== null) missing.push(rest[1] ?? "");
  return { text, missing };
}

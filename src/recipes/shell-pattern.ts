/** One step of a shell pattern. */
type Step =
  | { kind: "any" }
  | { kind: "one" }
  | { kind: "set"; not: boolean; ranges: [string, string][] }
  | { kind: "character"; character: string };

/** A shell pattern (`*`, `?`, `[a-z]`) whose quoted parts stand for themselves. */
export type Pattern = readonly Step[];

/** Reads one part of a pattern. */
export function patternOf(text: string, quoted: boolean): Pattern {
  if (quoted) return text.split("").map((character) => ({ kind: "character", character }));
  const steps: Step[] = [];
  const characters = text.split("");
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? "";
    const close = character === "[" ? characters.indexOf("]", at + 2) : -1;
    if (close !== -1) {
      steps.push(setOf(characters.slice(at + 1, close)));
      at = close;
    } else if (character === "*") steps.push({ kind: "any" });
    else if (character === "?") steps.push({ kind: "one" });
    else steps.push({ kind: "character", character });
  }
  return steps;
}

function setOf(characters: readonly string[]): Step {
  const not = characters[0] === "!" || characters[0] === "^";
  const members = not ? characters.slice(1) : characters;
  const ranges: [string, string][] = [];
  for (let at = 0; at < members.length; at += 1) {
    const from = members[at] ?? "";
    const to = members[at + 1] === "-" ? members[at + 2] : undefined;
    ranges.push([from, to ?? from]);
    if (to !== undefined) at += 2;
  }
  return { kind: "set", not, ranges };
}

/** Lengths of the beginnings of `text` that the pattern matches, shortest first. Linear in text times pattern. */
export function matchingLengths(pattern: Pattern, text: string): number[] {
  let reachable = new Uint8Array(text.length + 1);
  reachable[0] = 1;
  for (const step of pattern) {
    const next = new Uint8Array(text.length + 1);
    for (let at = 0; at <= text.length; at += 1) {
      if (step.kind === "any") next[at] = (reachable[at] ?? 0) | (at > 0 ? (next[at - 1] ?? 0) : 0);
      else if (at > 0 && reachable[at - 1] === 1 && accepts(step, text.charAt(at - 1))) next[at] = 1;
    }
    reachable = next;
  }
  return [...reachable.keys()].filter((length) => reachable[length] === 1);
}

function accepts(step: Step, character: string): boolean {
  if (step.kind === "character") return step.character === character;
  if (step.kind !== "set") return true;
  return step.ranges.some(([from, to]) => character >= from && character <= to) !== step.not;
}

/** Removes the beginning that matches, the shortest or the longest. */
export function removePrefix(text: string, pattern: Pattern, longest: boolean): string {
  const lengths = matchingLengths(pattern, text);
  return text.slice((longest ? lengths.at(-1) : lengths[0]) ?? 0);
}

/** Removes the end that matches, the shortest or the longest; null where none does. */
export function removeSuffix(text: string, pattern: Pattern, longest: boolean): string | null {
  const lengths = matchingLengths(pattern.toReversed(), text.split("").toReversed().join(""));
  const length = longest ? lengths.at(-1) : lengths[0];
  return length === undefined ? null : text.slice(0, text.length - length);
}

/** Replaces the longest match: the first, all of them, or one at the start or the end. */
export function replacePattern(
  text: string,
  pattern: Pattern,
  replacement: string,
  where: "/" | "//" | "/#" | "/%",
): string {
  if (where === "/%") {
    const rest = removeSuffix(text, pattern, true);
    return rest === null ? text : rest + replacement;
  }
  let replaced = "";
  let at = 0;
  while (at < text.length) {
    const length = matchingLengths(pattern, text.slice(at)).at(-1) ?? 0;
    if (length > 0) {
      replaced += replacement;
      at += length;
      if (where !== "//") break;
    } else if (where === "/#") break;
    else {
      replaced += text.charAt(at);
      at += 1;
    }
  }
  return replaced + text.slice(at);
}

import { parse } from "unbash";
import type { ParsedScript } from "unbash";
import { lineInScalar } from "./yaml-source.ts";
import type { YamlScalar } from "./yaml-source.ts";

/** Script lines that are run one after the other in one shell, with their places in the template. */
export type ShellSource = {
  script: ParsedScript;
  text: string;
  /** File and 1-based line of an offset in `text`. */
  place(offset: number): { file: string; line: number };
};

/** A script that cannot be parsed, and why. */
export type ShellFault = { item: YamlScalar; message: string };

/** What the jobs of one tree share: scripts parsed so far by their text, and the commands followed so far. */
export type ScriptCache = {
  parsed: Map<string, ParsedScript>;
  /** Whether scripts of the tree call builders, by path. */
  mentions: Map<string, boolean>;
  commands: number;
};

/** Parses the items of a job's scripts: all as one script, or item by item where one of them is broken. */
export function parseItems(
  items: readonly YamlScalar[],
  cache: ScriptCache,
): { sources: ShellSource[]; faults: ShellFault[] } {
  const whole = sourceOf(items, cache);
  if (whole.script.errors === undefined) return { sources: [whole], faults: [] };
  const sources: ShellSource[] = [];
  const faults: ShellFault[] = [];
  for (const item of items) {
    const source = sourceOf([item], cache);
    const error = source.script.errors?.[0];
    if (error === undefined) sources.push(source);
    else faults.push({ item, message: error.message });
  }
  return { sources, faults };
}

function sourceOf(items: readonly YamlScalar[], cache: ScriptCache): ShellSource {
  const text = items.map((item) => item.text).join("\n");
  const script = cache.parsed.get(text) ?? parse(text);
  cache.parsed.set(text, script);
  return {
    script,
    text,
    place: (offset) => {
      let start = 0;
      for (const item of items) {
        if (offset <= start + item.text.length) {
          return { file: item.source.path, line: lineInScalar(item, Math.max(0, offset - start)) };
        }
        start += item.text.length + 1;
      }
      return { file: items[0]?.source.path ?? "", line: 1 };
    },
  };
}

import type { Field } from "./shell-words.ts";
import { cutText, literal, render } from "./value.ts";
import type { Value } from "./value.ts";

/** Flags of one command as its parser (pflag) knows them, by long name without dashes. */
export type FlagTable = {
  /** Flags that take `=value` or the next word. */
  valued: ReadonlySet<string>;
  /** Flags that are true alone and take a value only after `=`. */
  switches: ReadonlySet<string>;
  /** One-letter names. */
  short: ReadonlyMap<string, string>;
};

/** One flag of a command; `value` is null for a switch that stands alone. */
export type Flag = { name: string; value: Value | null; unknown: boolean };

/** `doubtful`: operands right behind a flag that no table knows, which may be its value, with the flag. */
export type ParsedFlags = { flags: Flag[]; operands: Field[]; doubtful: ReadonlyMap<Field, string> };

/** Reads words as pflag does: `--f v`, `--f=v`, `-fv`, `-f=v`, bundled switches, `--`. */
export function parseFlags(words: readonly Field[], table: FlagTable, stopAtOperand = false): ParsedFlags {
  const flags: Flag[] = [];
  const operands: Field[] = [];
  const doubtful = new Map<Field, string>();
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (word === undefined) break;
    const [first] = word.value;
    const start = first?.kind === "text" ? first.text : "";
    if (literal(word.value) === "--") {
      operands.push(...words.slice(at + 1));
      break;
    }
    if (!start.startsWith("-") || literal(word.value) === "-") {
      if (stopAtOperand) {
        operands.push(...words.slice(at));
        break;
      }
      operands.push(word);
      continue;
    }
    const read = start.startsWith("--")
      ? readLong(word.value, start, table)
      : readShort(word.value, start, table);
    const last = read.at(-1);
    const next = words[at + 1];
    if (last !== undefined && last.value === null && table.valued.has(last.name) && next !== undefined) {
      last.value = next.value;
      at += 1;
    }
    flags.push(...read);
    if (last?.unknown === true && last.value === null && next !== undefined)
      doubtful.set(next, writeFlag(last));
  }
  return { flags, operands, doubtful };
}

function readLong(word: Value, start: string, table: FlagTable): Flag[] {
  const equals = start.indexOf("=");
  const name = (equals === -1 ? render(word) : start.slice(0, equals)).slice(2);
  const value = equals === -1 ? null : cutText(word, equals + 1).tail;
  return [{ name, value, unknown: !table.valued.has(name) && !table.switches.has(name) }];
}

function readShort(word: Value, start: string, table: FlagTable): Flag[] {
  const flags: Flag[] = [];
  for (let at = 1; at < start.length; at += 1) {
    const letter = start.charAt(at);
    const name = table.short.get(letter);
    const { tail } = cutText(word, at + 1);
    const given = start.charAt(at + 1) === "=" ? cutText(tail, 1).tail : tail;
    if (name !== undefined && table.valued.has(name)) {
      flags.push({ name, value: tail.length === 0 ? null : given, unknown: false });
      break;
    }
    const hasValue = start.charAt(at + 1) === "=";
    flags.push({ name: name ?? letter, value: hasValue ? given : null, unknown: name === undefined });
    if (hasValue) break;
  }
  return flags;
}

/** The flag as a recipe keeps it: `--name=value` or `--name`. A letter that no table knows keeps its one dash. */
export function writeFlag(flag: Flag): string {
  const name = `${flag.name.length === 1 ? "-" : "--"}${flag.name}`;
  return flag.value === null ? name : `${name}=${render(flag.value)}`;
}

/** Whether a switch is on; the last one counts. Null where that is not known. */
export function isOn(flags: readonly Flag[], name: string, byDefault = false): boolean | null {
  const flag = flags.findLast((candidate) => candidate.name === name);
  if (flag === undefined) return byDefault;
  return flag.value === null ? true : truth(flag.value);
}

/** A boolean as Go reads it; null where it is none. */
export function truth(value: Value): boolean | null {
  const text = literal(value);
  if (text === null) return null;
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true;
  return /^(?:0|f|F|FALSE|false|False)$/.test(text) ? false : null;
}

/** Values of a flag that may be given many times, in order. */
export function valuesOf(flags: readonly Flag[], name: string): Value[] {
  return flags.flatMap((flag) => (flag.name === name && flag.value !== null ? [flag.value] : []));
}

/** Builds a table from names separated by spaces; short ones as `t=tag`. */
export function flagTable(valued: string, switches: string, short: string): FlagTable {
  const pairs = short.split(" ").map((pair): [string, string] => [pair.slice(0, 1), pair.slice(2)]);
  return {
    valued: new Set(valued.split(" ")),
    switches: new Set(switches.split(" ")),
    short: new Map(pairs),
  };
}

/** A command's table with the flags that its program takes behind any of its commands; the command's own win. */
export function withGlobals(own: FlagTable, globals: FlagTable): FlagTable {
  const isOwn = (name: string) => own.valued.has(name) || own.switches.has(name);
  return {
    valued: new Set([...own.valued, ...[...globals.valued].filter((name) => !isOwn(name))]),
    switches: new Set([...own.switches, ...[...globals.switches].filter((name) => !isOwn(name))]),
    short: new Map([...globals.short].filter(([, name]) => !isOwn(name)).concat([...own.short])),
  };
}

import { BAKE } from "../flag-tables.ts";
import { isOn, parseFlags, valuesOf } from "../flags.ts";
import { note } from "../job-reading.ts";
import type { JobReading } from "../job-reading.ts";
import type { ShellCommand } from "../shell-session.ts";
import type { Field } from "../shell-words.ts";
import { concatenate, known, literal, reasons, render } from "../value.ts";
import { overrideOf } from "./bake-targets.ts";
import type { BakeOverride } from "./bake-targets.ts";
import { readBake } from "./read-bake.ts";

/** Flags of bake that are flags of each build. */
const PASSED = new Set(["builder", "load", "no-cache", "provenance", "pull", "push", "sbom"]);

/** Reads `docker buildx bake`; `words` are those after `bake`. */
export function readBakeCommand(reading: JobReading, command: ShellCommand, words: readonly Field[]): void {
  const { flags, operands } = parseFlags(words, BAKE);
  const isPrint =
    isOn(flags, "print") === true || isOn(flags, "check") === true || isOn(flags, "help") === true;
  if (isPrint || valuesOf(flags, "list").length > 0) return;
  const files: string[] = [];
  for (const value of valuesOf(flags, "file")) {
    const file = literal(value);
    if (file === null)
      return note(reading, command, reasons(value)[0] ?? `${render(value)} is known only in a pipeline`);
    if (file === "-") return note(reading, command, "the bake file is read from standard input");
    files.push(file);
  }
  const targets: string[] = [];
  for (const { value } of operands) {
    const name = literal(value);
    if (name === null)
      return note(reading, command, reasons(value)[0] ?? `${render(value)} is known only in a pipeline`);
    if (/:\/\/|^git@/.test(name)) return note(reading, command, `the bake file is not in the tree: ${name}`);
    targets.push(name);
  }
  const overrides: BakeOverride[] = [];
  for (const value of valuesOf(flags, "set")) {
    const override = overrideOf(value);
    if (override === null) return note(reading, command, `--set ${render(value)} is not read`);
    overrides.push(override);
  }
  const passed = flags
    .filter(({ name }) => PASSED.has(name))
    .map(({ name, value }): Field => ({
      value: concatenate(known(`--${name}`), value === null ? [] : concatenate(known("="), value)),
      loose: false,
    }));
  readBake(reading, command, { files, targets, overrides, words: passed, generated: new Map() });
}

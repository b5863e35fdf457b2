import { InvalidArgumentError } from "commander";
import type { EditChoice } from "../trials/image-source.ts";

const GIB = 1024 ** 3;

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

export function numberBetween(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a number from ${least} to ${most}.`);
  };
}

/** CPUs of a job: engines take hundredths. */
export const cpuCount = numberBetween(0.01, 1024);

/** Minutes of a run, up to a week: a timer of more than 24 days would fire at once. */
export const minutes = numberBetween(0.1, 10_080);

/** Memory as `8g`, `512m` or a number of bytes. */
export function memorySize(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)([kmg]?)i?b?$/i.exec(text) ?? [];
  const factor = { "": 1, k: 1024, m: 1024 ** 2, g: GIB }[(unit ?? "").toLowerCase()];
  const bytes = Math.round(Number(digits) * (factor ?? Number.NaN));
  if (Number.isFinite(bytes) && bytes >= 32 * 1024 ** 2) return bytes;
  throw new InvalidArgumentError("It must be a size of at least 32m, for example 8g.");
}

export function editChoice(text: string): EditChoice {
  if (text === "first" || text === "last") return text;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError("It must be first, last or the number of a RUN.");
}

/** Comma-separated names; the option may be repeated. */
export function names(text: string, before: string[] = []): string[] {
  return [
    ...before,
    ...text
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== ""),
  ];
}

export function oneOf<const T extends string>(...choices: readonly T[]): (text: string) => T {
  return (text) => {
    const choice = choices.find((candidate) => candidate === text);
    if (choice !== undefined) return choice;
    throw new InvalidArgumentError(`It must be one of ${choices.join(", ")}.`);
  };
}

export function projectPath(text: string): string {
  if (/^[\w.-]+(?:\/[\w.-]+)+$/.test(text) && !text.includes("..")) return text;
  throw new InvalidArgumentError("It must be group/project.");
}

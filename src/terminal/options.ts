import { InvalidArgumentError } from "commander";
import { Problem } from "../domain/problem.ts";
import { parseLink } from "../network/link-rate.ts";
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

/** RUNs that are edited one after the other, separated by commas. */
export function editChoices(text: string): EditChoice[] {
  const choices = text.split(",").map((word) => editChoice(word.trim()));
  if (choices.length <= MOST_EDITS) return choices;
  throw new InvalidArgumentError(`It must be at most ${MOST_EDITS} RUNs.`);
}

const MOST_EDITS = 20;

/** A duration as `60m`, `2h` or `90s`, in milliseconds. */
export function timeSpan(text: string): number {
  const [, figure, unit = ""] = /^(\d+(?:\.\d+)?)([smh])$/.exec(text.trim().toLowerCase()) ?? [];
  const spanMs = Number(figure) * ({ s: 1_000, m: 60_000, h: 3_600_000 }[unit] ?? Number.NaN);
  if (spanMs >= 1_000 && spanMs <= 7 * 24 * 3_600_000) return Math.round(spanMs);
  throw new InvalidArgumentError("It must be a time of 1s to 168h, for example 60m.");
}

/** A time as `2026-11-25T08:00:00Z` or `2026-11-25`. */
export function instant(text: string): Date {
  const date = /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?$/.test(text) ? new Date(text) : null;
  if (date !== null && !Number.isNaN(date.getTime())) return date;
  throw new InvalidArgumentError("It must be a time such as 2026-11-25T08:00:00Z.");
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

/** A rate of a link, kept as written. */
export function linkRate(text: string): string {
  try {
    parseLink(text);
    return text;
  } catch (error) {
    if (error instanceof Problem) throw new InvalidArgumentError(error.remedy);
    throw error;
  }
}

export function projectPath(text: string): string {
  if (/^[\w.-]+(?:\/[\w.-]+)+$/.test(text) && !text.includes("..")) return text;
  throw new InvalidArgumentError("It must be group/project.");
}

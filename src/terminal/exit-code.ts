import { Outage, Problem } from "../domain/problem.ts";
import type { VerdictWord } from "../domain/report.ts";

/** 0 answered, 1 worse where that was asked about, 2 the requester's mistake, 3 infrastructure or a bug. */
export type ExitCode = 0 | 1 | 2 | 3;

export function exitCodeOf(verdict: VerdictWord, failOn: "worse" | "never"): ExitCode {
  if (verdict === "infrastructure") return 3;
  return failOn === "worse" && (verdict === "worse" || verdict === "broken") ? 1 : 0;
}

export function exitCodeOfError(error: unknown): ExitCode {
  return error instanceof Problem ? 2 : 3;
}

/** What is printed of an error that nobody caught: a Problem or an Outage says what to do, a bug shows where it is. */
export function bugText(error: unknown): string {
  if (error instanceof Outage) return `tare: ${error.message}\n  ${error.remedy}\n`;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `tare: this is a bug in Tare, not in your change. Please report it with these lines:\n${stack}\n`;
}

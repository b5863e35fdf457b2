import { describe, expect, it } from "vitest";
import { Outage, Problem } from "../../src/domain/problem.ts";
import type { VerdictWord } from "../../src/domain/report.ts";
import { bugText, exitCodeOf, exitCodeOfError } from "../../src/terminal/exit-code.ts";

const EXITS: Record<VerdictWord, { never: number; worse: number }> = {
  better: { never: 0, worse: 0 },
  "no change": { never: 0, worse: 0 },
  mixed: { never: 0, worse: 0 },
  "not measured": { never: 0, worse: 0 },
  worse: { never: 0, worse: 1 },
  broken: { never: 0, worse: 1 },
  infrastructure: { never: 3, worse: 3 },
};

describe("the exit code", () => {
  it.each(Object.entries(EXITS))("of the verdict %s", (verdict, { never, worse }) => {
    expect(exitCodeOf(verdict as VerdictWord, "never")).toBe(never);
    expect(exitCodeOf(verdict as VerdictWord, "worse")).toBe(worse);
  });

  it("of a mistake is 2, of an outage and a bug 3", () => {
    expect(exitCodeOfError(new Problem("arguments", "what", "do this"))).toBe(2);
    expect(exitCodeOfError(new Outage("what", "do this"))).toBe(3);
    expect(exitCodeOfError(new TypeError("a bug"))).toBe(3);
    expect(exitCodeOfError("text")).toBe(3);
  });
});

describe("what is said of an error", () => {
  it("is an outage's sentence and remedy, without a stack", () => {
    const outage = new Outage("The registry did not come back.", "Run it again.");
    expect(bugText(outage)).toBe("tare: The registry did not come back.\n  Run it again.\n");
  });

  it("is a bug's place, and that the change is not to blame", () => {
    const text = bugText(new TypeError("x is not a function"));
    expect(text).toMatch(
      /^tare: this is a bug in Tare, not in your change\. Please report it with these lines:\nTypeError: x is not a function\n {4}at /,
    );
    expect(bugText("thrown text")).toMatch(/\nthrown text\n$/);
  });
});

import { describe, expect, it } from "vitest";
import { repeatArguments } from "../../src/terminal/repeat-arguments.ts";

const TRIAL = ["trial", "--patch", "a.eml", "--format=mail", "--out", "a.txt", "--report=a.json", "--trust"];

describe("the arguments that repeat a trial", () => {
  it("write none of its files again, and keep the rest", () => {
    expect(repeatArguments(TRIAL, { format: null, out: null })).toStrictEqual([
      "trial",
      "--patch",
      "a.eml",
      "--format=mail",
      "--trust",
    ]);
  });

  it("take another format and file", () => {
    expect(repeatArguments(TRIAL, { format: "json", out: "b.json" })).toStrictEqual([
      "trial",
      "--patch",
      "a.eml",
      "--trust",
      "--format",
      "json",
      "--out",
      "b.json",
    ]);
    expect(
      repeatArguments(["trial", "--format", "text", "--report", "r"], { format: "mail", out: null }),
    ).toStrictEqual(["trial", "--format", "mail"]);
  });
});

import { describe, expect, it } from "vitest";
import { Problem } from "../../src/domain/problem.ts";
import { renderJson } from "../../src/reports/json.ts";
import { readReport } from "../../src/reports/read-report.ts";
import { exampleReport } from "../fixtures/report/example.ts";

describe("a report that is read again", () => {
  it("is the one that was written", () => {
    const text = renderJson(exampleReport());
    expect(readReport("report.json", Buffer.from(text))).toStrictEqual(exampleReport());
  });

  it.each([
    ["no JSON", "{", "it is no JSON"],
    ["another file", "{}", "it does not fit docs/report.schema.json"],
    ["an older version", '{"schemaVersion": 1}', "its schemaVersion is 1, and this one reads 2"],
    ["this version with other fields", '{"schemaVersion": 2}', "it does not fit docs/report.schema.json"],
  ])("is refused where it is %s", (_, text, why) => {
    const read = () => readReport("report.json", Buffer.from(text));
    expect(read).toThrow(Problem);
    expect(read).toThrow(`report.json is no report of this version of Tare: ${why}.`);
  });

  it("is refused with its faults", () => {
    const read = () => readReport("report.json", Buffer.from('{"schemaVersion": 2}'));
    expect(read).toThrow(
      expect.objectContaining({
        details: expect.arrayContaining([
          "✖ Invalid input: expected string, received undefined",
          "  → at tare",
        ]),
      }),
    );
  });
});

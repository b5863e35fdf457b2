import { describe, expect, it } from "vitest";
import { reportJsonSchema, reportSchema } from "../../src/reports/report-schema.ts";
import { exampleReport } from "../fixtures/report/example.ts";

describe("the schema of report.json", () => {
  it("is JSON Schema, closed at every level", () => {
    const schema = reportJsonSchema();
    expect(schema).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      additionalProperties: false,
      properties: { schemaVersion: { const: 2 }, verdict: { enum: expect.arrayContaining(["broken"]) } },
    });
    expect(Object.keys(exampleReport()).sort()).toStrictEqual([...required(schema)].sort());
  });

  it.each(["edit 0", "edit -1", "edit 1.5", "edit", "tepid"])("knows no scenario %s", (scenario) => {
    const report = exampleReport();
    const [image] = report.images;
    const [strategy] = image?.strategies ?? [];
    const [run] = strategy?.runs ?? [];
    const images = [{ ...image, strategies: [{ ...strategy, runs: [{ ...run, scenario }] }] }];
    expect(reportSchema.safeParse({ ...report, images }).success).toBe(false);
  });
});

function required(schema: object): string[] {
  return "required" in schema && Array.isArray(schema.required) ? schema.required.map(String) : [];
}

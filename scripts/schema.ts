import { writeFileSync } from "node:fs";
import { operatorJsonSchema } from "../src/config/operator-file.ts";
import { projectJsonSchema } from "../src/config/project-file.ts";
import { reportJsonSchema } from "../src/reports/report-schema.ts";
import { seriesJsonSchema } from "../src/series/series-schema.ts";

const schemas = {
  "report.schema.json": reportJsonSchema(),
  "tare.schema.json": operatorJsonSchema(),
  "series.schema.json": seriesJsonSchema(),
  "tare-project.schema.json": projectJsonSchema(),
};

for (const [name, schema] of Object.entries(schemas)) {
  writeFileSync(new URL(`../docs/${name}`, import.meta.url), `${JSON.stringify(schema, null, 2)}\n`);
}

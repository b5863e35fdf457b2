import { writeFileSync } from "node:fs";
import { reportJsonSchema } from "../src/reports/report-schema.ts";

writeFileSync(
  new URL("../docs/report.schema.json", import.meta.url),
  `${JSON.stringify(reportJsonSchema(), null, 2)}\n`,
);

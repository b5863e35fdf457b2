import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { TARE_VERSION } from "../src/version.ts";

it("TARE_VERSION is the version of package.json and of the lock file", () => {
  const versionIn = (file: string) =>
    (JSON.parse(readFileSync(join(import.meta.dirname, "..", file), "utf8")) as { version: string }).version;
  expect(TARE_VERSION).toBe(versionIn("package.json"));
  expect(TARE_VERSION).toBe(versionIn("package-lock.json"));
});

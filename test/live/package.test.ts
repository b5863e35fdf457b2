import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { EXAMPLE_PATCH, makeExampleRepository, type ExampleRepository } from "./example-repository.ts";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

let prefix = "";
let example: ExampleRepository;
beforeAll(() => {
  prefix = mkdtempSync(join(tmpdir(), "tare-package-"));
  example = makeExampleRepository();
});
afterAll(() => {
  example.remove();
  rmSync(prefix, { recursive: true, force: true });
  rmSync(join(ROOT, "dist"), { recursive: true, force: true });
});

it("is built, packed, installed and run as `tare`", () => {
  const npm = (...argv: string[]) =>
    execFileSync("npm", argv, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  npm("pack", "--pack-destination", prefix);
  const archive = readdirSync(prefix).find((name) => name.endsWith(".tgz"));
  npm("install", "--global", "--prefix", prefix, "--no-fund", "--no-audit", join(prefix, archive ?? ""));

  // The program names its own interpreter: the right Node comes first on the path.
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}` };
  const tare = (...argv: string[]) =>
    execFileSync(join(prefix, "bin/tare"), argv, {
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  expect(tare("--version").trim()).toBe("0.1.0");
  const recipes = JSON.parse(tare("recipes", "--repo", example.directory, "--format", "json")) as {
    job: string;
  }[];
  expect(recipes.map(({ job }) => job)).toEqual(["toolchain-container", "docs-container", "lint-container"]);
  const mail = execFileSync(join(prefix, "bin/tare"), ["mail", "--repo", example.directory], {
    env,
    encoding: "utf8",
    input: execFileSync("cat", [EXAMPLE_PATCH]),
  });
  // Templates are found where the package keeps them.
  expect(mail).toContain("3 jobs: docker/inline with two cache sources becomes kaniko/layers");
});

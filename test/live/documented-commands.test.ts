import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../src/lib/spawn.ts";
import { MAIN } from "./example-repository.ts";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Commands of a page: lines that start with `$ ` in `console` blocks. */
function commandsOf(page: string): string[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  return [...text.matchAll(/```console\n([\s\S]*?)```/g)].flatMap(([, block]) =>
    (block ?? "").split("\n").flatMap((line) => (line.startsWith("$ ") ? [line.slice(2)] : [])),
  );
}

/** Commands that this very run is part of, or that change the machine; each is proved elsewhere, as said. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "npm test": "it runs this test",
  "npm run check": "it runs this test",
  "npm pack": "test/live/package.test.ts packs the program",
  "npm install --global ./tare-0.1.0.tgz": "test/live/package.test.ts installs it into a prefix of its own",
};

const pages = [
  "README.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const commands = pages.flatMap((page) => commandsOf(page).map((command) => ({ page, command })));

describe("commands of the pages", () => {
  let directory = "";
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "tare-pages-"));
    // Like a checkout, where the README's first commands put the example's repository and mails.
    for (const part of ["scripts", "example"]) symlinkSync(join(ROOT, part), join(directory, part));
    writeFileSync(join(directory, "tare"), `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
    chmodSync(join(directory, "tare"), 0o755);
    // That a trial is repeated is proved elsewhere; here each command has to do what its page says, once.
    writeFileSync(join(directory, "tare.yml"), "ceilings: { repeats: 1 }\n");
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it("are many, and each of those proved elsewhere is still on a page", () => {
    expect(commands.length).toBeGreaterThan(12);
    for (const command of Object.keys(ELSEWHERE))
      expect(commands.map((entry) => entry.command)).toContain(command);
  });

  const runnable = commands.filter(({ command }) => ELSEWHERE[command] === undefined);
  const unique = [...new Map(runnable.map((entry) => [entry.command, entry])).values()];

  it.each(unique)("$page: $command", async ({ command }) => {
    const cwd = command.startsWith("npm ") ? ROOT : directory;
    const path = `${directory}:${join(ROOT, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`;
    const config = join(directory, "tare.yml");
    const env = { ...(process.env as Record<string, string>), PATH: path, TARE_CONFIG: config };
    const result = await run("/bin/sh", ["-c", command], { cwd, env });
    expect(result.stderr).not.toContain("bug in Tare");
    expect({ exitCode: result.exitCode, said: result.exitCode === 0 ? "" : result.stderr }).toEqual({
      exitCode: 0,
      said: "",
    });
  });
});

it("keeps the published schema in step with the report", async () => {
  const before = readFileSync(join(ROOT, "docs/report.schema.json"), "utf8");
  const { reportJsonSchema } = await import("../../src/reports/report-schema.ts");
  expect(JSON.parse(before)).toEqual(JSON.parse(JSON.stringify(reportJsonSchema())));
});

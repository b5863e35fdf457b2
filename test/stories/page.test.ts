import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { renderJson } from "../../src/reports/json.ts";
import { renderPage } from "../../src/reports/page.ts";
import { exampleReport } from "../fixtures/report/example.ts";
import { playTare } from "./tare-process.ts";

let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tare-page-"));
  await writeFile(join(directory, "all.json"), renderJson(exampleReport()));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

it("a page is had from the file of an earlier trial", async () => {
  const [report, page] = [join(directory, "all.json"), join(directory, "all.html")];
  const played = await playTare(["replay", report, "--format", "html", "--out", page]);
  expect(played).toStrictEqual({ code: 0, stdout: "", stderr: "", left: [] });
  expect(await readFile(page, "utf8")).toBe(renderPage(exampleReport(), { json: null }));
});

import { gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { createSecrets } from "../../src/lib/secrets.ts";
import { createPageRenderer } from "../../src/web/page-renderer.ts";
import { exampleReport } from "../fixtures/report/example.ts";

const stored = (text: string) => async () => ({ bytes: text.length, text });

it("renders in a thread, without secrets, and keeps what it rendered", async () => {
  const report = exampleReport();
  report.change.title = "the canary-of-a-page";
  const renderer = createPageRenderer(createSecrets(["canary-of-a-page"]));
  const first = await renderer.render("html", "a", stored(JSON.stringify(report)));
  const page = first !== null && "gzip" in first ? gunzipSync(first.gzip).toString() : "";
  expect(page).toContain("<h1>the [redacted]</h1>");
  expect(await renderer.render("html", "a", async () => null)).toStrictEqual(first);
});

it("reads a report of an older version, which has no excerpts", async () => {
  const { excerpts: _, ...old } = exampleReport();
  const json = await createPageRenderer(createSecrets()).render("json", "a", stored(JSON.stringify(old)));
  const text = json !== null && "gzip" in json ? gunzipSync(json.gzip).toString() : "";
  expect(JSON.parse(text)).toStrictEqual(exampleReport());
});

it("refuses what takes too long or is too large, has nothing where there is nothing, and goes on", async () => {
  const text = JSON.stringify(exampleReport());
  const hasty = createPageRenderer(createSecrets(), { timeMs: 1 });
  expect(await hasty.render("html", "a", stored(text))).toHaveProperty("refused");
  const renderer = createPageRenderer(createSecrets());
  expect(await renderer.render("html", "b", async () => ({ bytes: 9, text: null }))).toStrictEqual({
    refused: "The report is too large for a page: 9 bytes.",
  });
  expect(await renderer.render("html", "c", async () => null)).toBeNull();
  await expect(renderer.render("json", "d", stored("{"))).rejects.toThrow(/JSON/u);
  expect(await renderer.render("json", "d", stored(text))).toHaveProperty("gzip");
});

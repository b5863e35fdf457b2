import { describe, expect, it } from "vitest";
import type { Report, StrategyReport } from "../../src/domain/report.ts";
import { renderPage } from "../../src/reports/page.ts";
import { brokenReport, unseenDiskReport } from "../fixtures/report/broken.ts";
import { editsReport } from "../fixtures/report/edits.ts";
import { exampleReport } from "../fixtures/report/example.ts";
import { qemuReport } from "../fixtures/report/qemu.ts";
import { expectHarmless } from "./harmless-page.ts";
import { named, parsedPage, tableOf } from "./parsed-page.ts";

const JSON_ADDRESS = "report.json";
const REPORTS = {
  example: exampleReport(),
  qemu: qemuReport(),
  broken: brokenReport(),
  "unseen-disk": unseenDiskReport(),
  edits: editsReport(),
};

const page = (report = exampleReport()) => renderPage(report, { json: JSON_ADDRESS });
const tables = (html: string) => named(parsedPage(html).elements, "table").map(tableOf);

/** The one table with this caption. */
function tableNamed(html: string, caption: string): string[][] {
  const found = tables(html).filter((table) => table.caption.startsWith(caption));
  expect(found).toHaveLength(1);
  return found[0]?.rows ?? [];
}

describe.each(Object.entries(REPORTS))("the page of %s", (name, report) => {
  it("is the golden one, the same each time", async () => {
    const html = page(report);
    await expect(html).toMatchFileSnapshot(`../goldens/${name}.html`);
    expect(page(report)).toBe(html);
  });

  it("is valid, runs nothing and fetches nothing", () => {
    const html = page(report);
    expectHarmless(html, [JSON_ADDRESS]);
    expect(html).toContain(`<a href="${JSON_ADDRESS}">report.json</a>`);
  });

  it("has in its charts the figures that stand beside them", () => {
    const { elements } = parsedPage(page(report));
    const growths = elements.filter(({ attributes }) => attributes["class"] === "growth");
    expect(growths.length).toBeGreaterThan(0);
    for (const { children } of growths) {
      const [chart, beside] = children;
      const table = named(beside?.children ?? [], "table").map(tableOf)[0];
      const [head = [], ...rows] = table?.rows ?? [];
      const said = rows.flatMap(([strategy, ...cells]) =>
        cells.flatMap((cell, index) => (/\d/u.test(cell) ? `${strategy}, ${head[index + 1]}: ${cell}` : [])),
      );
      const drawn = (chart?.children[0]?.children ?? []).flatMap(({ children }) =>
        named(children, "title").map(({ text }) => text),
      );
      expect(drawn.toSorted()).toStrictEqual(said.toSorted());
    }
  });
});

describe("the page", () => {
  it("puts a finding beside its line where the answer quotes it", () => {
    const { elements } = parsedPage(page(editsReport()));
    const [first, second] = named(elements, "article").filter(
      ({ attributes }) => attributes["class"] === "finding",
    );
    expect(first?.children[0]?.text).toBe("ci/template.yml:1717+      --cache=true\n");
    expect(first?.children[1]?.text).toContain("no longer maintained");
    expect(second?.children[0]?.text).toBe("ci/containers.yml:9 (removed)");
  });

  it("says who stated what, and what was measured", () => {
    const { elements } = parsedPage(page());
    const [claim] = named(elements, "article");
    expect(claim?.text).toContain("Eve Reviewer, 2026-03-01 09:00 UTC");
    expect(claim?.text).toContain("The key downside is that it doubles our storage.");
    expect(claim?.text).toContain("depends: 1.90 times counted per repository");
  });

  it("has the figures that decide with their difference", () => {
    const rows = tableNamed(page(), "Figures that decide");
    expect(rows[1]).toStrictEqual([
      "bytes by GitLab's count after edit 1",
      "11,072,102 B",
      "13,073,292 B",
      "+2.00 MB (+18.1 %)",
      "worse",
      "the difference is more than 1.00 MB",
    ]);
    expect(rows[2]?.[3]).toBe("-1.2 s (-38.7 %)");
  });

  it("has phases where the builder tells them apart", () => {
    const rows = tableNamed(page(), "Time of each run");
    expect(rows[1]).toStrictEqual([
      "cold",
      "docker/inline",
      "ok",
      "3",
      "2.6 s (2.5-2.6)",
      "1.1 s (1.1-1.1)",
      "3.6 s (3.6-3.7)",
    ]);
    expect(rows[2]?.slice(1)).toStrictEqual([
      "kaniko/layers",
      "ok",
      "3",
      "unknown",
      "unknown",
      "2.7 s (2.6-2.8)",
    ]);
  });

  it("has kills beside the limit, and the run with more memory", () => {
    const rows = tableNamed(page(qemuReport()), "Memory of each run");
    const killed = rows.filter((row) => row[0] === "cold" && row[1] === "kaniko/layers");
    expect(killed).toStrictEqual([
      ["cold", "kaniko/layers", "killed at 8 GiB", "8 GiB", "8 GiB", "8 GiB"],
      ["cold", "kaniko/layers", "ok, again with more memory, untimed", "16 GiB", "9.52 GiB", "9.04 GiB"],
    ]);
  });

  it("has what superseded layers are kept by, and the cleanup that takes what is needed", () => {
    const html = page(editsReport());
    expect(tableNamed(html, "Superseded layers")[2]).toStrictEqual([
      "kaniko/layers",
      `sha256:${"2".repeat(12)}`,
      "2.40 MB",
      `example/app-cache:${"5".repeat(12)}... and 1 more`,
    ]);
    expect(html).toContain("kaniko/layers keeps 4 superseded layers (8.00 MB); the table has the 3 largest.");
    expect(tableNamed(html, "Cleanup of tags older than 7 days")[2]).toStrictEqual([
      "kaniko/layers",
      "1",
      "3 of 5",
      "13.08 MB",
      "11.07 MB",
      "11.08 MB",
      "2 of 4",
    ]);
  });

  it("has the pipelines of forks, and the log of one that failed", () => {
    const html = page(editsReport());
    const rows = tableNamed(html, "Each pipeline of a fork");
    expect(rows.find(([strategy]) => strategy === "buildah/layers")?.slice(1, 4)).toStrictEqual([
      "readable",
      "first",
      "failed, exit 125",
    ]);
    expect(rows.find(([strategy]) => strategy === "kaniko/layers")?.at(-1)).toBe("push example/app-cache");
    expect(html).toContain("Last lines of buildah/layers, fork with upstream readable, first pipeline");
  });

  it("leads through its images where there are several, the gravest first", () => {
    const [image] = exampleReport().images;
    const [broken] = brokenReport().images;
    if (!image || !broken) throw new Error("the fixtures have an image");
    const several = { ...exampleReport(), images: [image, { ...broken, image: "docs" }] };
    const { elements } = parsedPage(page(several));
    const [contents] = named(elements, "nav");
    expect(contents?.text.trim().split("\n")).toStrictEqual(["docs: broken", "app: worse"]);
    expectHarmless(page(several), [JSON_ADDRESS]);
  });

  it("links to nothing where there is nothing", () => {
    expect(renderPage(exampleReport(), { json: null })).not.toContain("<a ");
  });

  it.each<[string, (report: Report) => Report]>([
    ["nothing was built", (report) => ({ ...report, images: [], parts: [], claims: [], findings: [] })],
    ["one side has no recipe", (report) => withStrategies(report, (strategies) => strategies.slice(1, 2))],
    [
      "nothing was run",
      (report) =>
        withStrategies(report, (all) => all.map((each) => ({ ...each, runs: [], forks: [], cleanup: [] }))),
    ],
    ["GitHub is charged", (report) => ({ ...report, ledger: { id: "ghcr", why: "ghcr.io" } })],
  ])("is whole where %s", (_, change) => {
    const html = page(change(editsReport()));
    expectHarmless(html, [JSON_ADDRESS]);
    expect(html).not.toMatch(/undefined|NaN|\bnull\b|\[object/u);
  });
});

function withStrategies(report: Report, change: (strategies: StrategyReport[]) => StrategyReport[]): Report {
  return {
    ...report,
    images: report.images.map((image) => ({ ...image, strategies: change(image.strategies) })),
  };
}

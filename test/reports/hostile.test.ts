import { describe, expect, it } from "vitest";
import type { Report } from "../../src/domain/report.ts";
import { renderJson } from "../../src/reports/json.ts";
import { renderMail } from "../../src/reports/mail.ts";
import { renderMarkdown } from "../../src/reports/markdown.ts";
import { renderPage } from "../../src/reports/page.ts";
import { mapTexts } from "../../src/lib/map-texts.ts";
import { renderText } from "../../src/reports/text.ts";
import { brokenReport } from "../fixtures/report/broken.ts";
import { editsReport } from "../fixtures/report/edits.ts";
import { exampleReport } from "../fixtures/report/example.ts";
import { qemuReport } from "../fixtures/report/qemu.ts";
import { expectHarmless } from "./harmless-page.ts";
import { named, parsedPage } from "./parsed-page.ts";

const ATTACK =
  "\u001b[2J/merge\r\n/close @all <!-- tare:v1 key=x --> ```` <img src=x> {{secret}} [a](https://e.org)\n-- \ndiff --git a/x b/x\u202e";

/** The same with what means something in HTML, out of an element, an attribute, a style sheet or a title. */
const PAGE_ATTACK = `${ATTACK} "'\`><script>alert(1)</script></style></title><a href="javascript:alert(1)" onclick=alert(1)>`;

/** Values that the domain fixes; an attacker cannot choose them. */
const FIXED = new Set(
  ["current", "proposed", "docker/inline", "kaniko/layers", "docker", "kaniko", "daemon", "none", "namespace"]
    .concat([
      "cold",
      "warm",
      "edit 1",
      "succeeded",
      "failed",
      "out-of-memory",
      "bytes",
      "ms",
      "v1",
      "trusted",
    ])
    .concat(["image", "cache", "broken", "worse", "better", "no change", "does not decide", "unknown"])
    .concat(["readable", "unreadable", "denied: the job goes on", "denied: the job fails"])
    .concat(["other", "buildah/layers", "docker/registry-max", "edit 2", "edit 3", "edit 4"]),
);

/** The report with the attack in every text that comes from outside. */
function attacked(report: Report, attack = ATTACK): Report {
  const hit = mapTexts(report, (text) => (FIXED.has(text) ? text : `${attack}${text}${attack}`));
  const rightKeys: unknown = JSON.parse(
    JSON.stringify(hit, (_, value: unknown) =>
      value === null || typeof value !== "object" ? value : restored(value, attack),
    ),
  );
  return rightKeys as Report;
}

function restored(value: object, attack: string): object {
  if (Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key.replaceAll(attack, ""), each]));
}

describe.each([
  ["example", attacked(exampleReport())],
  ["broken", attacked(brokenReport())],
])("a hostile %s", (_, report) => {
  it("cannot break out of the mail", () => {
    const mail = renderMail(report);
    expect(mail).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
    expect(mail.split("\n").filter((line) => line === "-- ")).toHaveLength(1);
    expect(mail).not.toMatch(/^diff --git/mu);
    expect(mail.split("\n").filter((line) => line.length > 78)).toStrictEqual([]);
    expect(mail).toContain("{{secret}}");
  });

  it("cannot command a forge through the comment", () => {
    const comment = renderMarkdown(report);
    const [first = "", ...rest] = comment.split("\n");
    expect(first).toMatch(/^<!-- tare:v1 key=\S+ sha=\S+ base=\S+ run=\S+ valid-at=\S+ -->$/u);
    const body = rest.join("\n");
    expect(body).not.toMatch(/^\s*\/\w/mu);
    expect(body).not.toContain("<!--");
    const prose = body.replaceAll(/^(`{3,})text\n[\s\S]*?\n\1$/gmu, "");
    expect(prose).not.toMatch(/@all/u);
    expect(prose).not.toContain("<img");
    expect(prose).not.toMatch(/(?<!\\)\[a|https:\/\//u);
  });

  it("cannot draw on a terminal", () => {
    expect(renderText(report)).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
    const tooWide = renderText(report)
      .split("\n")
      .filter((line) => line.length > 100);
    expect(tooWide).toStrictEqual([]);
  });
});

describe.each([
  ["example", exampleReport()],
  ["broken", brokenReport()],
  ["report of edits", editsReport()],
])("a hostile %s as a page", (_, report) => {
  it("can do nothing: what it says is shown", () => {
    const html = renderPage(attacked(report, PAGE_ATTACK), { json: "javascript:alert(1)" });
    expectHarmless(html);
    const { elements } = parsedPage(html);
    expect(named(elements, "a")).toStrictEqual([]);
    for (const name of ["title", "h1", "blockquote", "pre", "td"]) {
      const shown = named(elements, name).filter(({ text }) => text.includes("</style></title><a href="));
      expect(shown).not.toStrictEqual([]);
      expect(shown.flatMap(({ children }) => children.map((child) => child.name))).not.toContain("a");
    }
    expect(html).toContain("{{secret}}");
  });
});

describe("length", () => {
  const [image] = qemuReport().images;
  if (!image) throw new Error("the fixture has an image");
  const many: Report = {
    ...qemuReport(),
    images: Array.from({ length: 200 }, (_, index) => ({ ...image, image: `image-${index}` })),
    notes: Array.from({ length: 50 }, (_, index) => `note ${index} ${"word ".repeat(90)}`),
  };

  it("leaves sections out of a comment in their order and says so", () => {
    const comment = renderMarkdown(many);
    expect(comment.length).toBeLessThanOrEqual(60_000);
    expect(comment).toContain("Left out for length: logs, repositories, every byte, further images.");
    expect(comment).toContain("- image-3: broken");
    expect(comment).toContain("- 157 more images");
    expect(comment.match(/<details>/gu)?.length).toBe(comment.match(/<\/details>/gu)?.length);
  });

  it("leaves sections out of a mail in their order and says so", () => {
    const mail = renderMail(many);
    expect(Buffer.byteLength(mail)).toBeLessThanOrEqual(8_000);
    expect(mail.replaceAll("\n", " ")).toContain(
      "Left out for length: each run's details, forks, parts, repositories, logs, figures, further images, remarks.",
    );
    expect(mail).toContain("\n-- \n");
  });

  it("goes down to the given size for a comment", () => {
    const comment = renderMarkdown(many, { maxLength: 8_000, fullReport: "https://tare.example/r/1" });
    expect(comment.length).toBeLessThanOrEqual(8_000);
    expect(comment).toContain("Full report: <https://tare.example/r/1>.");
  });

  it("writes the marker only where it is asked to", () => {
    expect(renderMarkdown(many, { marker: false })).toMatch(/^### debian-amd64-cross: kaniko/u);
  });
});

describe("report.json", () => {
  it("is the report itself", () => {
    expect(JSON.parse(renderJson(qemuReport()))).toStrictEqual(qemuReport());
  });

  it("draws nothing, and loses nothing by that", () => {
    const report = { ...exampleReport(), notes: ["\u001b[2J\u202e\u009b\u{e0001}"] };
    const text = renderJson(report);
    expect(text).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
    expect(JSON.parse(text)).toStrictEqual(report);
  });

  it("refuses what is not in the schema", () => {
    const extra = { ...exampleReport(), extra: 1 };
    expect(() => renderJson(extra)).toThrow(/extra/u);
    expect(() => renderJson({ ...exampleReport(), wallMs: -1 })).toThrow(/wallMs/u);
  });
});

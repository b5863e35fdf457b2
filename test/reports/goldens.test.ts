import { describe, expect, it } from "vitest";
import { renderMail } from "../../src/reports/mail.ts";
import { renderMarkdown } from "../../src/reports/markdown.ts";
import { renderText } from "../../src/reports/text.ts";
import { brokenReport, unseenDiskReport } from "../fixtures/report/broken.ts";
import { exampleReport } from "../fixtures/report/example.ts";
import { qemuReport } from "../fixtures/report/qemu.ts";

const REPORTS = {
  example: exampleReport(),
  qemu: qemuReport(),
  broken: brokenReport(),
  "unseen-disk": unseenDiskReport(),
};

describe.each(Object.entries(REPORTS))("the answer to %s", (name, report) => {
  it("is the mail", async () => {
    await expect(renderMail(report)).toMatchFileSnapshot(`../goldens/${name}.mail.txt`);
  });

  it("is the comment", async () => {
    await expect(renderMarkdown(report)).toMatchFileSnapshot(`../goldens/${name}.md`);
  });

  it("is the text", async () => {
    await expect(renderText(report)).toMatchFileSnapshot(`../goldens/${name}.txt`);
  });

  it("keeps to its widths and sizes", () => {
    const mail = renderMail(report);
    // Rows of a table hold two spaces between cells; everything else is prose.
    const tooWide = mail.split("\n").filter((line) => line.length > (isTable(line) ? 78 : 72));
    expect(tooWide).toStrictEqual([]);
    expect(Buffer.byteLength(mail)).toBeLessThanOrEqual(8_000);
    const wideText = renderText(report)
      .split("\n")
      .filter((line) => line.length > 100);
    expect(wideText).toStrictEqual([]);
    expect(renderMarkdown(report).length).toBeLessThanOrEqual(60_000);
  });
});

function isTable(line: string): boolean {
  return /\S {2,}\S/u.test(line) && !line.startsWith("  ") && !line.startsWith(">");
}

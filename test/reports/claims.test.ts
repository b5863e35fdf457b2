import { describe, expect, it } from "vitest";
import type { Claim } from "../../src/domain/claim.ts";
import type { Report } from "../../src/domain/report.ts";
import { renderMail } from "../../src/reports/mail.ts";
import { renderMarkdown } from "../../src/reports/markdown.ts";
import { brokenReport } from "../fixtures/report/broken.ts";
import { exampleReport } from "../fixtures/report/example.ts";

const CLAIM: Claim = {
  kind: "memory",
  quote: "It runs out of memory.",
  author: "Eve Reviewer",
  date: null,
  messageId: null,
  mark: "refuted",
  sentence: "kaniko/layers is not killed.",
  alike: [],
};

function mailWith(given: Partial<Claim>, report: Report = exampleReport()): string {
  return renderMail({ ...report, claims: [{ ...CLAIM, ...given }] }).replaceAll("\n", " ");
}

const STATEMENT = "Does kaniko/layers double the storage? Before any edit: 21.08 MB";
const CLEANUP =
  "GitLab's cleanup of tags older than 7 days, simulated: docker/inline overwrites its tags, so nothing is deleted. kaniko/layers: keep 5 tags of each repository deletes none of 5; keep 1 takes 2 of 4 tags that the next build needs.";

describe("statements about storage in a mail", () => {
  it.each<[Claim["kind"], Claim["mark"]]>([
    ["memory", "refuted"],
    ["cleanup", "depends"],
    ["storage multiplied", "not tested"],
  ])("stay where the claim is of %s and %s", (kind, mark) => {
    const mail = mailWith({ kind, mark });
    expect(mail).toContain(STATEMENT);
    expect(mail.split(CLEANUP)).toHaveLength(2);
  });

  it.each<[Claim["kind"], Claim["mark"]]>([
    ["storage multiplied", "depends"],
    ["growth by edits", "refuted"],
  ])("give way to an answer about %s, and what no answer holds stays", (kind, mark) => {
    const report = exampleReport();
    const last = report.images[0]?.strategies[1]?.runs.at(-1);
    if (!last) throw new Error("The example has a last run.");
    const reached = { image: 1, cache: 1, unreferenced: 0 };
    last.holding = {
      perRepository: reached,
      namespace: reached,
      stored: { ...reached, unreferenced: 2_000_000 },
      tags: 1,
      blobs: 2,
      supersededBytes: 0,
      supersededLayers: 0,
      superseded: [],
    };
    const mail = mailWith({ kind, mark }, report);
    expect(mail).not.toContain(STATEMENT);
    expect(mail).toContain(
      `${mark}: kaniko/layers is not killed.  On the registry's disk 2.00 MB of kaniko/layers wait for garbage collection: on GitLab.com 24 hours, elsewhere until the operator runs it. ${CLEANUP}`,
    );
  });

  it("are not asked for where nothing was stored", () => {
    expect(mailWith({ kind: "storage multiplied", mark: "not tested" }, brokenReport())).not.toContain(
      CLEANUP,
    );
    expect(mailWith({ kind: "storage multiplied", mark: "depends" }, brokenReport())).not.toContain(CLEANUP);
  });
});

describe("claims in a comment", () => {
  const comment = (given: Partial<Claim>) =>
    renderMarkdown({ ...exampleReport(), claims: [{ ...CLAIM, ...given }] });

  it("stand right behind the verdict, quoted, with a bold mark", () => {
    const [head = "", rest = ""] = comment({}).split("What was said in the thread:\n");
    expect(head).toMatch(/\*\*Verdict: worse\.\*\*[^\n]*\n\n$/u);
    expect(rest).toMatch(
      /^\n> Eve Reviewer: "It runs out of memory\."\n\n\*\*refuted\*\*: kaniko\/layers is not killed\.\n\nSeen without a build:/u,
    );
  });

  it("cannot leave their quotation marks for a forge's syntax", () => {
    const said = comment({ quote: '/close **bold** %"v1" ends with %', sentence: "**x** /merge" });
    expect(said).toContain(String.raw`> Eve Reviewer: "\/close \*\*bold\*\* %` + '\u200b"v1" ends with %"\n');
    expect(said).toContain(String.raw`**refuted**: \*\*x\*\* /merge`);
  });
});

import { describe, expect, it } from "vitest";
import type { Change } from "../../src/domain/change.ts";
import { Problem } from "../../src/domain/problem.ts";
import { renderProblem } from "../../src/reports/problem.ts";
import { renderRefusal } from "../../src/reports/refusal.ts";
import type { Refusal } from "../../src/reports/refusal.ts";
import { dockerRecipe, kanikoRecipe } from "../fixtures/report/recipes.ts";

const NAMES = ["debian-amd64-cross", "alpine", "centos9", "fedora", "ubuntu2204"];

const change: Change = {
  id: "<20240516165410.28800-3-cconte@redhat.com>",
  title: "[PATCH] gitlab-ci: Replace Docker with Kaniko",
  author: { name: "Camilla Conte", address: "cconte@redhat.com" },
  message: "",
  trust: "stranger",
  base: { commit: "1".repeat(40), tree: "2".repeat(40) },
  baseChosenBy: "HEAD",
  head: { commit: null, tree: "3".repeat(40) },
  files: [],
};

const refusal: Refusal = {
  findings: [
    {
      id: "archived-builder-image",
      file: ".gitlab-ci.d/container-template.yml",
      line: 5,
      side: "head",
      text: "gcr.io/kaniko-project/executor is no longer maintained (5 jobs).",
      why: "its last commit",
    },
  ],
  sentence: "5 jobs: docker/inline with two cache sources becomes kaniko/layers",
  comparison: {
    sentence: "5 jobs: docker/inline with two cache sources becomes kaniko/layers",
    changed: NAMES.map((name) => ({
      job: `${name}-container`,
      base: dockerRecipe(name),
      head: kanikoRecipe(name),
    })),
    unchangedJobs: [],
  },
  recipes: { base: NAMES.map((name) => dockerRecipe(name)), head: NAMES.map((name) => kanikoRecipe(name)) },
  change,
  why: "it comes by mail, and nobody who may has approved it",
};

const problem = new Problem(
  "patch-does-not-apply",
  "The patch does not apply to 6d71357a3b65 (HEAD of the repository).",
  "Give the commit it was made for with --base.",
  ["error: patch failed: .gitlab-ci.d/container-template.yml:1", "/merge", "-- ", "diff --git a/x b/x"],
);

describe.each([
  ["mail", "mail.txt", 72],
  ["markdown", "md", Number.POSITIVE_INFINITY],
  ["text", "txt", 100],
] as const)("as %s", (format, ending, width) => {
  it("a refusal says what the change does, that nothing was built, and who may change that", async () => {
    const text = renderRefusal(refusal, format);
    await expect(text).toMatchFileSnapshot(`../goldens/refusal.${ending}`);
    expect(text.split("\n").filter((line) => line.length > width)).toStrictEqual([]);
  });

  it("a refusal shows what is new or gone", () => {
    const [first] = refusal.comparison.changed;
    if (!first) throw new Error("the fixture has a changed job");
    const changed = [{ ...first, base: null }];
    const text = renderRefusal({ ...refusal, comparison: { ...refusal.comparison, changed } }, format);
    expect(text).toMatch(/Before:\s+(?:- recipe: none|recipe +none)/u);
  });

  it("a problem says what, where and what to do", async () => {
    const text = renderProblem(problem, format);
    await expect(text).toMatchFileSnapshot(`../goldens/problem.${ending}`);
    expect(text.split("\n").filter((line) => line.length > width)).toStrictEqual([]);
    expect(text).not.toMatch(format === "markdown" ? /^\/merge/mu : /^(?:\/merge|diff --git)/mu);
  });

  it("a problem's long details go on below, up to six lines each", () => {
    const names = Array.from({ length: 12 }, (_, index) => `buildkit/registry-max-${index}`);
    const details = [names.join(", "), "word ".repeat(200).trim(), "    kept  as it is"];
    const text = renderProblem(new Problem("arguments", "No such strategy.", "Name one:", details), format);
    expect(text.split("\n").filter((line) => line.length > width)).toStrictEqual([]);
    for (const name of names) expect(text).toMatch(new RegExp(`${name}(?:,|$)`, "mu"));
    expect(text.split("\n").filter((line) => /^ *word /u.test(line))).toHaveLength(6);
    expect(text).toMatch(/ wo?r?d?(?: )?\.\.\.$/mu);
    expect(text).toMatch(/^(?: {2})? {4}kept {2}as it is$/mu);
  });

  it("a problem's remedy is the author's where the author reads it", () => {
    const both = new Problem("patch-does-not-apply", "It fails.", "Use --base.", [], "Rebase it.");
    const text = renderProblem(both, format);
    expect(text).toContain(format === "text" ? "Use --base." : "Rebase it.");
    expect(text).not.toContain(format === "text" ? "Rebase it." : "Use --base.");
  });
});

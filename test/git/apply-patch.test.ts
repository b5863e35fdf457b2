import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { applyPatch } from "../../src/git/apply-patch.ts";
import { diffTrees } from "../../src/git/diff-trees.ts";
import { readFiles } from "../../src/git/objects.ts";
import { openRepository, resolveTree } from "../../src/git/repository.ts";
import { mailBase, MAIL_FIXTURES, sampleRepository, scratchDirectories } from "./sample-repository.ts";
import type { SampleFile } from "./sample-repository.ts";

const fixture = (name: string) => readFile(join(MAIL_FIXTURES, name));

async function attempt(files: Record<string, SampleFile>, patch: Uint8Array | string) {
  await using sample = await sampleRepository([files]);
  await using repository = await openRepository(sample.directory);
  const base = await resolveTree(repository, "HEAD");
  const before = await readdir(sample.directory, { recursive: true });
  try {
    const applied = await applyPatch(repository, base, Buffer.from(patch));
    const content = await readFiles(repository, applied.tree, () => true);
    const paths = (await diffTrees(repository, base.tree, applied.tree)).map((file) => file.newPath);
    return {
      ...applied,
      paths,
      text: (path: string) => content.find((one) => one.path === path)?.content.toString(),
    };
  } finally {
    expect(await readdir(repository.scratch)).not.toContain("index-1");
    expect(await readdir(sample.directory, { recursive: true })).toEqual(before);
  }
}

const edit = (path: string, before = "two", after = "2") =>
  `diff --git a/${path} b/${path}\n--- a/${path}\n+++ b/${path}\n@@ -1,3 +1,3 @@\n one\n-${before}\n+${after}\n three\n`;

describe("applyPatch", () => {
  it("applies a format-patch file as it is", async () => {
    const applied = await attempt(await mailBase(), await fixture("format-patch.patch"));
    expect(applied.notes).toEqual([]);
    expect(applied.paths).toEqual(["ci/container-template.yml"]);
    expect(applied.text("ci/container-template.yml")).toContain("größere zuerst\n");
  });

  it("merges three-way where the lines around have changed, and says so", async () => {
    const numbers = (third: string) => ["one", "two", third, "four", "five", "six"].join("\n") + "\n";
    await using sample = await sampleRepository([
      { f: numbers("three") },
      { f: numbers("three").replace("five", "5") },
      { f: numbers("three").replace("two", "2") },
    ]);
    await using repository = await openRepository(sample.directory);
    const [first, second, third] = await Promise.all(
      sample.commits.map((commit) => resolveTree(repository, commit)),
    );
    if (!first || !second || !third) throw new Error("three commits were made");
    const { gitOutput } = await import("../../src/git/git-process.ts");
    const patch = await gitOutput(["diff", "--full-index", first.tree, second.tree], {
      env: repository.environment,
    });
    const applied = await applyPatch(repository, third, patch);
    expect(applied.notes).toEqual([
      "The patch was made on another state of these files; a three-way merge made it fit.",
    ]);
    const [file] = await readFiles(repository, applied.tree, () => true);
    expect(file?.content.toString()).toBe("one\n2\nthree\nfour\n5\nsix\n");
  });

  it("removes CRs that a transport added, and says so", async () => {
    const applied = await attempt({ f: "one\ntwo\nthree\n" }, edit("f").replaceAll("\n", "\r\n"));
    expect(applied.notes).toEqual([
      "The patch came with CR LF line ends; it was applied with the CRs removed.",
    ]);
    expect(applied.text("f")).toBe("one\n2\nthree\n");
  });

  it("keeps CRs that belong to the file", async () => {
    const applied = await attempt(
      { f: "one\r\ntwo\r\nthree\r\n" },
      edit("f").replaceAll(/^([ +-](?:one|two|2|three))$/gm, "$1\r"),
    );
    expect(applied.notes).toEqual([]);
    expect(applied.text("f")).toBe("one\r\n2\r\nthree\r\n");
  });

  it("reads quoted paths with octal escapes", async () => {
    const path = 'größe "x".txt';
    const quoted = '"a/gr\\303\\266\\303\\237e \\"x\\".txt" "b/gr\\303\\266\\303\\237e \\"x\\".txt"';
    const [from, to] = [quoted.split(' "b/')[0], `"b/${quoted.split(' "b/')[1]}`];
    const patch = edit("f")
      .replace("a/f b/f", quoted)
      .replace("--- a/f", `--- ${from}`)
      .replace("+++ b/f", `+++ ${to}`);
    const applied = await attempt({ [path]: "one\ntwo\nthree\n" }, patch);
    expect(applied.paths).toEqual([path]);
  });

  it("applies binary hunks, new files and renames", async () => {
    const applied = await attempt(await mailBase(), await fixture("binary.eml"));
    expect(applied.paths).toEqual(["logo.bin"]);
    const rename = "diff --git a/f b/dir/g\nsimilarity index 100%\nrename from f\nrename to dir/g\n";
    expect((await attempt({ f: "one\n" }, rename)).paths).toEqual(["dir/g"]);
  });

  it.each([
    ["dots.eml", "unsafe-path", 'The patch writes to "../outside.txt", outside of the repository\'s files.'],
    ["dot-git.eml", "unsafe-path", 'The patch writes to ".git/hooks/x", outside of the repository\'s files.'],
    ["symlink.eml", "unsafe-path", "The patch makes images/link.docker a symlink."],
    ["submodule.eml", "unsafe-path", "The patch makes lib a submodule."],
    ["empty.eml", "change-empty", "The change holds no diff."],
    ["damaged.eml", "change-unreadable", "The patch is damaged: git cannot read it."],
  ])("refuses %s with one Problem", async (name, code, message) => {
    await expect(attempt(await mailBase(), await fixture(name))).rejects.toMatchObject({
      name: "Problem",
      code,
      message,
      remedy: expect.stringMatching(/\.$/),
    });
  });

  it("shows git's own lines for a patch of another project, and the base", async () => {
    await expect(attempt(await mailBase(), await fixture("foreign.eml"))).rejects.toMatchObject({
      code: "patch-does-not-apply",
      message: expect.stringMatching(/^The patch does not apply to commit [0-9a-f]{12}, not even with/),
      details: ["error: src/net.c: does not exist in index"],
      authorRemedy: expect.stringMatching(/^Rebase it on commit [0-9a-f]{12}, or say what it applies to\.$/),
    });
  });

  it("says which side a binary diff lacks", async () => {
    await expect(attempt(await mailBase(), await fixture("binary-left-out.eml"))).rejects.toMatchObject({
      code: "patch-does-not-apply",
      details: [
        expect.stringContaining("cannot apply binary patch to 'logo.bin' without full index line"),
        "error: logo.bin: patch does not apply",
      ],
    });
  });

  it("tells a patch that is already there", async () => {
    await expect(attempt({ f: "one\n2\nthree\n" }, edit("f"))).rejects.toMatchObject({
      code: "already-applied",
      message: expect.stringMatching(/^The patch is already applied in commit [0-9a-f]{12}\.$/),
    });
  });

  it("refuses more than 26 MB before it starts git", async () => {
    await expect(attempt({ f: "one\n" }, Buffer.alloc(26_000_001, 32))).rejects.toMatchObject({
      code: "change-unreadable",
      message: "The patch has 26000001 bytes; the limit is 26000000.",
    });
  });

  it("leaves no directory behind, whatever came before", async () => {
    expect(await scratchDirectories()).toEqual([]);
  });
});

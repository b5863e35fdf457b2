import { cp, mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { applyPatch } from "../../src/git/apply-patch.ts";
import { diffTrees } from "../../src/git/diff-trees.ts";
import { gitEnvironment } from "../../src/git/environment.ts";
import { gitOutput } from "../../src/git/git-process.ts";
import { readFiles } from "../../src/git/objects.ts";
import { openRepository, resolveTree, sweepRepositories } from "../../src/git/repository.ts";
import { sampleRepository } from "./sample-repository.ts";

const FILES = { "a.txt": "a\n", "dir/b.txt": "b\n" };

describe("openRepository", () => {
  it("opens a bare repository, a checkout and a directory inside of one", async () => {
    await using sample = await sampleRepository([FILES]);
    const checkout = await mkdtemp(join(tmpdir(), "sample-checkout-"));
    const env = gitEnvironment([["protocol.file.allow", "always"]]);
    await gitOutput(["clone", "--quiet", sample.directory, checkout], { env });
    for (const directory of [sample.directory, checkout, join(checkout, "dir")]) {
      await using repository = await openRepository(directory);
      expect(await resolveTree(repository, "HEAD")).toEqual({
        commit: sample.commits[0],
        tree: "c07af3bcce4a6a54ca4f9b3b97cc8189d0176bfd",
      });
    }
    await rm(checkout, { recursive: true });
  });

  it("says what to do where there is no repository", async () => {
    const nowhere = await mkdtemp(join(tmpdir(), "sample-nowhere-"));
    await expect(openRepository(nowhere)).rejects.toMatchObject({
      name: "Problem",
      code: "repository-missing",
      message: `${nowhere} is not a git repository that can be read.`,
      remedy: expect.stringContaining("--repo"),
    });
    await expect(openRepository(join(nowhere, "missing"))).rejects.toMatchObject({
      code: "repository-missing",
    });
    await rm(nowhere, { recursive: true });
  });

  it("removes its throw-away directory on close", async () => {
    await using sample = await sampleRepository([FILES]);
    const repository = await openRepository(sample.directory);
    expect((await stat(repository.scratch)).isDirectory()).toBe(true);
    await repository.close();
    await expect(stat(repository.scratch)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("borrows from a path with spaces and quotes, and refuses one with a line break", async () => {
    await using sample = await sampleRepository([FILES]);
    const parent = await mkdtemp(join(tmpdir(), "sample-"));
    const odd = join(parent, 'odd "name" and ünicode');
    const broken = join(parent, "line\nbreak");
    await cp(sample.directory, odd, { recursive: true });
    await cp(sample.directory, broken, { recursive: true });
    await using repository = await openRepository(odd);
    const { tree } = await resolveTree(repository, "HEAD");
    expect((await readFiles(repository, tree, () => true)).map((file) => file.path)).toEqual([
      "a.txt",
      "dir/b.txt",
    ]);
    await expect(openRepository(broken)).rejects.toMatchObject({ code: "repository-missing" });
    await rm(parent, { recursive: true });
  });
});

describe("a repository with settings that start programs", () => {
  it("starts none of them", async () => {
    await using sample = await sampleRepository([
      FILES,
      { "a.txt": "2\n", ".gitattributes": "* filter=x diff=x merge=x\n" },
    ]);
    const trap = join(sample.directory, "trapped");
    const keys = [
      "core.fsmonitor",
      "core.pager",
      "diff.external",
      "core.sshCommand",
      "core.editor",
      "core.gitProxy",
    ];
    const driven = [
      "filter.x.smudge",
      "filter.x.clean",
      "diff.x.textconv",
      "diff.x.command",
      "merge.x.driver",
    ];
    const env = gitEnvironment([], { GIT_DIR: sample.directory });
    for (const key of [...keys, ...driven]) await gitOutput(["config", key, `touch ${trap}`], { env });
    await using repository = await openRepository(sample.directory);
    const [base, head] = await Promise.all(["main~1", "main"].map((name) => resolveTree(repository, name)));
    if (!base || !head) throw new Error("two commits were made");
    expect(await diffTrees(repository, base.tree, head.tree)).toHaveLength(3);
    const patch = "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-2\n+3\n";
    const applied = await applyPatch(repository, head, Buffer.from(patch));
    expect(await readFiles(repository, applied.tree, (path) => path === "a.txt")).toEqual([
      { path: "a.txt", executable: false, content: Buffer.from("3\n") },
    ]);
    await expect(stat(trap)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("resolveTree", () => {
  it("takes branches, ids and trees", async () => {
    await using sample = await sampleRepository([FILES, { "a.txt": "other\n" }]);
    await using repository = await openRepository(sample.directory);
    expect(await resolveTree(repository, "main~1")).toMatchObject({ commit: sample.commits[0] });
    expect(await resolveTree(repository, "c07af3bcce4a6a54ca4f9b3b97cc8189d0176bfd")).toEqual({
      commit: null,
      tree: "c07af3bcce4a6a54ca4f9b3b97cc8189d0176bfd",
    });
  });

  it.each(["-h", "--all", "", "no-such-branch", "HEAD\nHEAD", "main..main", "HEAD:a.txt"])(
    "refuses %j",
    async (revision) => {
      await using sample = await sampleRepository([FILES]);
      await using repository = await openRepository(sample.directory);
      await expect(resolveTree(repository, revision)).rejects.toMatchObject({
        name: "Problem",
        code: "revision-missing",
      });
    },
  );
});

describe("sweepRepositories", () => {
  it("removes what a dead process left and leaves the living alone", async () => {
    await using sample = await sampleRepository([FILES]);
    await using living = await openRepository(sample.directory);
    const dead = join(tmpdir(), "tare-git-4194305-left");
    await mkdir(dead);
    expect(await sweepRepositories()).toBeGreaterThanOrEqual(1);
    await expect(stat(dead)).rejects.toMatchObject({ code: "ENOENT" });
    expect((await stat(living.scratch)).isDirectory()).toBe(true);
  });
});

import { cp, mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
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

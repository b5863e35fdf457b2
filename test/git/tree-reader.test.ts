import { describe, expect, it } from "vitest";
import { openRepository, resolveTree } from "../../src/git/repository.ts";
import { createTreeReader } from "../../src/git/tree-reader.ts";
import { sampleRepository } from "./sample-repository.ts";

const FILES = {
  ".gitlab-ci.yml": "include: ci\n",
  ".gitlab-ci.d/base.yml": "base: 1\n",
  ".gitlab-ci.d/deep/er.yml": "deeper: 1\n",
  "link.yml": { symlink: "/etc/passwd" },
  "tests/docker/one.docker": "FROM one\n",
  "tests/docker/two.docker": { executable: "FROM zwö\n" },
  "tests/docker/Dockerfile": "FROM three\n",
  "tests/large.yml": Buffer.alloc((4 << 20) + 1, 97),
  lib: { submodule: "1234567890123456789012345678901234567890" },
};

async function withReader<T>(use: (reader: Awaited<ReturnType<typeof createTreeReader>>) => T): Promise<T> {
  await using sample = await sampleRepository([FILES]);
  await using repository = await openRepository(sample.directory);
  return use(await createTreeReader(repository, await resolveTree(repository, "HEAD")));
}

describe("createTreeReader", () => {
  it("reads files ahead and as they are asked for", async () => {
    await withReader((tree) => {
      expect(tree.read(".gitlab-ci.yml")).toBe("include: ci\n");
      expect(tree.read(".gitlab-ci.d/base.yml")).toBe("base: 1\n");
      expect(tree.read(".gitlab-ci.d/deep/er.yml")).toBe("deeper: 1\n");
      expect(tree.read("tests/docker/two.docker")).toBe("FROM zwö\n");
      expect(tree.read("tests/docker/one.docker")).toBe("FROM one\n");
      expect(tree.read("tests/docker/Dockerfile")).toBe("FROM three\n");
      expect(tree.whyNot("tests/docker/Dockerfile")).toBeNull();
    });
  });

  it("says why it reads nothing", async () => {
    await withReader((tree) => {
      const cases: [string, string][] = [
        ["link.yml", "it is a symlink, and links are not followed"],
        ["lib", "it is a submodule, and submodules are not fetched"],
        ["tests", "it is a directory"],
        ["tests/large.yml", "it is larger than 4194304 bytes"],
        ["tests/docker/none", "there is no such file in the tree"],
        ["link.yml/under", "there is no such file in the tree"],
        ["../etc/passwd", "there is no such file in the tree"],
        ["/etc/passwd", "there is no such file in the tree"],
        ["", "there is no such file in the tree"],
        ["no/where/at/all", "there is no such file in the tree"],
      ];
      for (const [path, why] of cases) {
        expect([path, tree.read(path), tree.whyNot(path)]).toEqual([path, null, why]);
      }
    });
  });

  it("lists every path of the tree", async () => {
    await withReader((tree) => {
      expect(tree.list().toSorted()).toEqual(Object.keys(FILES).toSorted());
    });
  });
});

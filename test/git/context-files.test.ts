import { describe, expect, it } from "vitest";
import { contextFiles } from "../../src/git/context-files.ts";
import { openRepository, resolveTree } from "../../src/git/repository.ts";
import { sampleRepository } from "./sample-repository.ts";

const FILES = {
  ".gitattributes": "*.txt filter=evil eol=crlf\n",
  "app/Dockerfile": "FROM base\n",
  "app/run.sh": { executable: "#!/bin/sh\n" },
  "app/deep/data.txt": Buffer.from([0, 10, 255]),
  "app/latest": { symlink: "../../etc/passwd" },
  "app/lib": { submodule: "1234567890123456789012345678901234567890" },
  current: { symlink: "app" },
};

async function context(path: string, maxBytes = 1_000_000) {
  await using sample = await sampleRepository([FILES]);
  await using repository = await openRepository(sample.directory);
  return await contextFiles(repository, await resolveTree(repository, "HEAD"), path, {
    into: "/workspace/",
    maxBytes,
  });
}

describe("contextFiles", () => {
  it.each(["app", "./app/", "app/."])("gives the files of %s as stored", async (path) => {
    expect(await context(path)).toEqual([
      { kind: "file", path: "/workspace/Dockerfile", content: Buffer.from("FROM base\n"), executable: false },
      {
        kind: "file",
        path: "/workspace/deep/data.txt",
        content: Buffer.from([0, 10, 255]),
        executable: false,
      },
      { kind: "symlink", path: "/workspace/latest", target: "../../etc/passwd" },
      { kind: "file", path: "/workspace/run.sh", content: Buffer.from("#!/bin/sh\n"), executable: true },
    ]);
  });

  it("gives the whole tree for .", async () => {
    expect((await context(".")).map((file) => file.path)).toEqual([
      "/workspace/.gitattributes",
      "/workspace/app/Dockerfile",
      "/workspace/app/deep/data.txt",
      "/workspace/app/latest",
      "/workspace/app/run.sh",
      "/workspace/current",
    ]);
  });

  it.each([
    ["../app", "unsafe-path", 'The build context "../app" leaves the tree.'],
    ["app/../../x", "unsafe-path", 'The build context "app/../../x" leaves the tree.'],
    ["/etc", "unsafe-path", 'The build context "/etc" leaves the tree.'],
    ["none", "context-missing", "The tree has no directory none for the build context."],
    ["app/run.sh", "context-missing", "The build context app/run.sh is a file, not a directory."],
    ["current", "context-missing", "The build context current is a symlink, not a directory."],
    ["current/deep", "context-missing", "The tree has no directory current/deep for the build context."],
  ])("refuses %s", async (path, code, message) => {
    await expect(context(path)).rejects.toMatchObject({ name: "Problem", code, message });
  });

  it("refuses a context beyond its limit before it reads any file", async () => {
    await expect(context("app", 38)).rejects.toMatchObject({
      code: "template-too-large",
      message: "The build context app holds 39 bytes; the limit is 38.",
    });
    expect(await context("app", 39)).toHaveLength(4);
  });
});

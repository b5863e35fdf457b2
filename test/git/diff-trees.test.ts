import { assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { changedLines } from "../../src/git/changed-lines.ts";
import { diffTrees } from "../../src/git/diff-trees.ts";
import { readQuotedPath } from "../../src/git/quoted-path.ts";
import { openRepository, resolveTree } from "../../src/git/repository.ts";
import { sampleRepository } from "./sample-repository.ts";
import type { SampleFile } from "./sample-repository.ts";

async function diff(base: Record<string, SampleFile>, head: Record<string, SampleFile>) {
  await using sample = await sampleRepository([base, head]);
  await using repository = await openRepository(sample.directory);
  const [from, to] = await Promise.all(["main~1", "main"].map((name) => resolveTree(repository, name)));
  return await diffTrees(repository, from?.tree ?? "", to?.tree ?? "");
}

const TEN = Array.from({ length: 10 }, (_, index) => `line ${index + 1}\n`);

describe("diffTrees", () => {
  it("tells edits, new, gone, renamed, binary and odd files apart", async () => {
    const files = await diff(
      {
        "a b/c d": "1\n",
        gone: "x\n",
        moved: TEN.join(""),
        bin: Buffer.from([0, 1]),
        'ö"': "1\n",
        mode: "m\n",
      },
      {
        "a b/c d": "2\n",
        new: "diff --git a/x b/x\n",
        renamed: TEN.with(4, "five\n").join(""),
        bin: Buffer.from([0, 2]),
        'ö"': "2\n",
        mode: { executable: "m\n" },
      },
    );
    const paths = files.map(({ oldPath, newPath }) => [oldPath, newPath]);
    expect(paths).toEqual([
      ["a b/c d", "a b/c d"],
      ["bin", "bin"],
      ["gone", null],
      ["mode", "mode"],
      [null, "new"],
      ["moved", "renamed"],
      ['ö"', 'ö"'],
    ]);
    expect(files.map((file) => file.hunks)).toEqual([
      "@@ -1 +1 @@\n-1\n+2\n",
      "",
      "@@ -1 +0,0 @@\n-x\n",
      "",
      "@@ -0,0 +1 @@\n+diff --git a/x b/x\n",
      expect.stringContaining("-line 5\n+five\n"),
      "@@ -1 +1 @@\n-1\n+2\n",
    ]);
  });

  it("runs no external diff, filter or text conversion", async () => {
    const attributes = "* diff=evil filter=evil\n";
    const files = await diff(
      { ".gitattributes": attributes, f: "1\n" },
      { ".gitattributes": attributes, f: "2\n" },
    );
    expect(files).toEqual([{ oldPath: "f", newPath: "f", hunks: "@@ -1 +1 @@\n-1\n+2\n" }]);
  });
});

describe("changedLines", () => {
  it("numbers added lines as in the new file and removed ones as in the old", async () => {
    const head = [...TEN.slice(0, 1), "between\n", ...TEN.slice(1, 8), "nine\n", ...TEN.slice(9)];
    const [file] = await diff({ f: TEN.join("") }, { f: head.join("") });
    expect(file && changedLines(file)).toEqual({
      added: [
        { file: "f", line: 2, text: "between" },
        { file: "f", line: 10, text: "nine" },
      ],
      removed: [{ file: "f", line: 9, text: "line 9" }],
    });
  });

  it("takes lines that look like headers for what they are, and no note for a line", () => {
    const hunks = "@@ -1,2 +1,2 @@ title\n--- a/x\n+++ b/x\n same\n\\ No newline at end of file\n";
    expect(changedLines({ oldPath: "f", newPath: "f", hunks })).toEqual({
      added: [{ file: "f", line: 1, text: "++ b/x" }],
      removed: [{ file: "f", line: 1, text: "-- a/x" }],
    });
  });
});

describe("readQuotedPath", () => {
  it("reads back whatever git quotes", () => {
    const quote = (path: string) =>
      `"${[...Buffer.from(path)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")}"`;
    assert(
      property(string({ unit: "grapheme" }), (path) => {
        expect(readQuotedPath(quote(path))).toBe(Buffer.from(path).toString());
      }),
    );
    expect(readQuotedPath('"a\\tb\\\\c\\"d"')).toBe('a\tb\\c"d');
    expect(readQuotedPath("plain ö")).toBe("plain ö");
  });
});

import { describe, expect, it } from "vitest";
import { imageFilter, matchesGlob } from "../../src/config/image-filter.ts";
import { projectFileRemark, projectSettingsOf, readProjectFile } from "../../src/config/project-file.ts";
import type { SourceLine } from "../../src/domain/recipe.ts";
import { diffTrees } from "../../src/git/diff-trees.ts";
import { openRepository, resolveTree } from "../../src/git/repository.ts";
import { createTreeReader } from "../../src/git/tree-reader.ts";
import { sampleRepository, type SampleFile } from "../git/sample-repository.ts";
import { faultsOf } from "./settings-faults.ts";

const read = (text: string) => readProjectFile({ path: ".tare.yml", text });
const faults = (text: string) => faultsOf(() => read(text), "project-file");

describe("the project's file", () => {
  it("is read with its units", () => {
    const text = `
images: {include: [debian-*, "tests/docker/**/*.docker"], ignore: [debian-xtensa-cross], atMost: 3}
strategies: [buildkit/registry-max]
edits: [first, last]
repeats: 5
budget: 90m
thresholds: {percent: 10}
ledger: perRepository
`;
    expect(read(text)).toStrictEqual({
      images: {
        include: ["debian-*", "tests/docker/**/*.docker"],
        ignore: ["debian-xtensa-cross"],
        atMost: 3,
      },
      strategies: ["buildkit/registry-max"],
      edits: ["first", "last"],
      repeats: 5,
      budget: 5_400_000,
      thresholds: { percent: 10 },
      ledger: "perRepository",
    });
  });

  it("cannot set what is the operator's", () => {
    const keys = [
      "privileges",
      "builderImages",
      "limits",
      "ceilings",
      "link",
      "gitlab",
      "mail",
      "projects",
      "web",
    ];
    expect(faults(keys.map((key) => `${key}: {}`).join("\n"))).toStrictEqual(
      keys.map(
        (key, index) => `.tare.yml:${index + 1}:1: ${key}: is the operator's to set: a project's file cannot`,
      ),
    );
  });

  it.each([
    ["image: {include: [a]}\n", ".tare.yml:1:1: image: is not known; did you mean images?"],
    ["images: {ignored: [a]}\n", ".tare.yml:1:10: images.ignored: is not known; did you mean ignore?"],
    ["images: {at_most: 1}\n", ".tare.yml:1:10: images.at_most: is not known; did you mean atMost?"],
    [
      "images: {ignore: ['{a,b}']}\n",
      ".tare.yml:1:19: images.ignore[0]: must be a name or path with *, ** and ?",
    ],
    ["repeats: 21\n", ".tare.yml:1:1: repeats: must be at most 20"],
    ["ledger: harbor\n", ".tare.yml:1:1: ledger: must be one of perRepository, namespace, stored, ghcr"],
  ])("refuses %j", (text, fault) => {
    expect(faults(text)).toStrictEqual([expect.stringContaining(fault)]);
  });
});

async function inTree<T>(
  files: Record<string, SampleFile>,
  use: (tree: Awaited<ReturnType<typeof createTreeReader>>) => T,
): Promise<T> {
  await using sample = await sampleRepository([files]);
  await using repository = await openRepository(sample.directory);
  return use(await createTreeReader(repository, await resolveTree(repository, "HEAD")));
}

describe("the project's file of a tree", () => {
  it("is the one at its root", async () => {
    const files = { ".tare.yml": "repeats: 4\n", "docs/.tare.yml": "repeats: 1\n" };
    expect(await inTree(files, projectSettingsOf)).toStrictEqual({ repeats: 4 });
    expect(await inTree({ "docs/.tare.yml": "repeats: 1\n", a: "" }, projectSettingsOf)).toBeNull();
  });

  it("is no link", async () => {
    const read = inTree({ ".tare.yml": { symlink: "/etc/tare/tare.yml" } }, projectSettingsOf);
    await expect(read).rejects.toMatchObject({
      code: "project-file",
      message: ".tare.yml of the target branch cannot be read: it is a symlink, and links are not followed.",
    });
  });
});

/** The remark on a change between two trees, by git's own diff. */
async function remark(
  base: Record<string, SampleFile>,
  head: Record<string, SampleFile>,
): Promise<SourceLine | null> {
  await using sample = await sampleRepository([base, head]);
  await using repository = await openRepository(sample.directory);
  const [before, after] = await Promise.all([
    resolveTree(repository, "HEAD^"),
    resolveTree(repository, "HEAD"),
  ]);
  return projectFileRemark(await diffTrees(repository, before.tree, after.tree));
}

describe("the remark on a change of the project's file", () => {
  const lines = (...repeats: number[]) =>
    `# one\n# two\n# three\n# four\nrepeats: ${repeats.join("\nedits: [")}\n`;

  it("names the first line that the change makes", async () => {
    expect(await remark({ ".tare.yml": lines(3) }, { ".tare.yml": lines(20) })).toStrictEqual({
      file: ".tare.yml",
      line: 5,
      text: "the change edits .tare.yml: the answer was made with the target branch's",
    });
  });

  it("tells a file that is new from one that is gone", async () => {
    const [none, one] = [{ a: "x\n" }, { a: "x\n", ".tare.yml": "repeats: 20\n" }];
    expect(await remark(none, one)).toStrictEqual({
      file: ".tare.yml",
      line: 1,
      text: "the change adds .tare.yml: the answer was made without it, because the target branch has none",
    });
    expect(await remark(one, none)).toStrictEqual({
      file: ".tare.yml",
      line: 1,
      text: "the change removes .tare.yml: the answer was made with the target branch's",
    });
  });

  it("sees a file that is moved away or becomes a link", async () => {
    const moved = await remark({ a: "", ".tare.yml": lines(3) }, { a: "", "old.yml": lines(3) });
    expect(moved?.text).toContain("removes .tare.yml");
    const linked = await remark({ ".tare.yml": lines(3) }, { ".tare.yml": { symlink: "x" } });
    expect(linked).toMatchObject({ file: ".tare.yml", line: 1 });
  });

  it("is not made of files of other directories or other names", async () => {
    const other = (text: string) => ({ "docs/.tare.yml": text, "tare.yml": text, ".tare.yaml": text });
    expect(await remark(other("a"), other("b"))).toBeNull();
  });
});

describe("the images that a project's file leaves alone", () => {
  const filter = (include: string[], ignore: string[] = []) => imageFilter({ include, ignore });

  it.each([
    [[], [], null],
    [["debian-*"], [], null],
    [["tests/docker/**"], [], null],
    [["tests/*/dockerfiles/debian-arm64-cros?.docker"], [], null],
    [["debian-arm64-cross"], [], null],
    [["fedora-*"], [], ".tare.yml does not include it"],
    [["tests/*.docker"], [], ".tare.yml does not include it"],
    [["debian-*"], ["*-cross"], ".tare.yml ignores *-cross"],
    [[], ["tests/**/debian-arm64-cross.docker"], ".tare.yml ignores tests/**/debian-arm64-cross.docker"],
  ])("with include %j and ignore %j: %s", (include, ignore, why) => {
    const image = ["debian-arm64-cross", "tests/docker/dockerfiles/debian-arm64-cross.docker"] as const;
    expect(filter(include, ignore)(...image)).toBe(why);
  });

  it.each([
    ["a/b/c", "a/**", true],
    ["a", "**/a", true],
    ["x/y/a", "**/a", true],
    ["x/ya", "**/a", false],
    ["a/b", "a/**/b", true],
    ["a/x/y/b", "a/**/b", true],
    ["a/xb", "a/**/b", false],
    ["ab", "a/**/b", false],
    ["a/b", "*", false],
    ["a/b", "**", true],
    ["tests/x/y.docker", "tests/**.docker", true],
    ["abc", "a?c", true],
    ["a/c", "a?c", false],
    ["z😀x", "z?x", true],
    ["axc", "a.c", false],
    [".gitlab/x.docker", "**/*.docker", true],
  ])("%s against %s: %s", (name, glob, matches) => {
    expect(matchesGlob(name, glob)).toBe(matches);
  });

  it("are found in no time, whatever the pattern", () => {
    const slow = filter([`${"a*".repeat(99)}b`, "**/a/".repeat(39)]);
    const startedMs = performance.now();
    expect(slow("a".repeat(4000), `${"a/".repeat(2000)}b`)).toBe(".tare.yml does not include it");
    expect(performance.now() - startedMs).toBeLessThan(2000);
  });
});

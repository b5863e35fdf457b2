import { describe, expect, it } from "vitest";
import { Problem } from "../../src/domain/problem.ts";
import { gitOutput } from "../../src/git/git-process.ts";
import { openRepository, resolveTree, type Repository } from "../../src/git/repository.ts";
import { chooseSeriesBase, type BaseHints, type BaseSources } from "../../src/git/series-base.ts";
import { sampleRepository } from "./sample-repository.ts";

const lines = (changes: Record<number, string> = {}) =>
  Array.from({ length: 30 }, (_, index) => changes[index + 1] ?? `line ${index + 1}`).join("\n") + "\n";

/** The branch's history, oldest first. What the series was made on is the second. */
const STATES = [
  { recipe: lines(), other: "a\n" },
  { recipe: lines({ 2: "two" }), other: "a\n" },
  { recipe: lines({ 2: "two", 15: "fifteen" }), other: "a\n" },
  { recipe: lines({ 2: "2nd", 3: "3rd", 4: "4th", 15: "fifteen" }), other: "b\n" },
];
/** Its two parts. */
const PARTS = [
  { recipe: lines({ 2: "two", 3: "three" }), other: "a\n" },
  { recipe: lines({ 2: "two", 3: "three", 28: "twenty-eight" }), other: "a\n" },
];

const SAYS_NOTHING: BaseHints = {
  baseCommit: null,
  basedOn: [],
  dependsOn: [],
  prerequisites: [],
  subjectTags: [],
};
/** The sample's commits are made one second after the other. */
const AT = new Date(1_700_000_100_000);

const KNOWS_NOTHING: BaseSources = {
  series: async () => null,
  patch: async () => null,
  treeOf: () => null,
  fetch: async () => false,
  defaultRevision: "main",
  at: AT,
};

type World = {
  repository: Repository;
  commits: string[];
  patches: Buffer[];
  between: (a: number, b: number) => Buffer;
};

/** The branch, and the parts as patches; `main` ends with the last of `STATES`. */
async function inWorld(play: (world: World) => Promise<void>): Promise<void> {
  await using parts = await sampleRepository([...STATES.slice(0, 2), ...PARTS]);
  await using sample = await sampleRepository(STATES);
  const diff = async (directory: string, from: string, to: string) => {
    await using repository = await openRepository(directory);
    const argv = ["diff", "--no-color", `${from}^{tree}`, `${to}^{tree}`];
    // Awaited here: the repository is closed with this block.
    return await gitOutput(argv, { env: repository.environment });
  };
  const [, base = "", one = "", two = ""] = parts.commits;
  const patches = [await diff(parts.directory, base, one), await diff(parts.directory, one, two)];
  const steps = await Promise.all(
    sample.commits
      .slice(1)
      .map((commit, index) => diff(sample.directory, sample.commits[index] ?? "", commit)),
  );
  await using repository = await openRepository(sample.directory);
  const between = (_: number, to: number) => steps[to - 1] ?? Buffer.alloc(0);
  await play({ repository, commits: sample.commits, patches, between });
}

async function textOf(repository: Repository, tree: string): Promise<string> {
  return (
    await gitOutput(["cat-file", "blob", `${tree}:recipe`], { env: repository.environment })
  ).toString();
}

describe("the base of a series", () => {
  it("is its base-commit, and each part has a tree", async () => {
    await inWorld(async ({ repository, commits, patches }) => {
      const hints = { ...SAYS_NOTHING, baseCommit: commits[1] ?? "" };
      const choice = await chooseSeriesBase(repository, patches, hints, KNOWS_NOTHING);
      if (choice.kind !== "applied") throw new Error("it is not merged");
      expect(choice).toMatchObject({ base: { commit: commits[1] }, notes: [], tried: [] });
      expect(choice.chosenBy).toBe(`base-commit ${commits[1]?.slice(0, 12)}`);
      expect(choice.heads).toHaveLength(2);
      expect(await textOf(repository, choice.heads[0] ?? "")).toBe(PARTS[0]?.recipe);
      expect(await textOf(repository, choice.heads[1] ?? "")).toBe(PARTS[1]?.recipe);
    });
  });

  it("is found by blob ids where the series says nothing, and where its base-commit cannot be had", async () => {
    await inWorld(async ({ repository, commits, patches }) => {
      const hints = { ...SAYS_NOTHING, baseCommit: "0123456789".repeat(4) };
      const choice = await chooseSeriesBase(repository, patches, hints, KNOWS_NOTHING);
      expect(choice).toMatchObject({
        kind: "applied",
        base: { commit: commits[1] },
        chosenBy: `${commits[1]?.slice(0, 12)} of main, which has 1 of the 1 blobs`,
        notes: ["The base-commit 012345678901 cannot be had; the base was chosen another way."],
      });
    });
  });

  it("is not looked for by blobs of more than 14 days ago: git's words are told of what was tried", async () => {
    await inWorld(async ({ repository, patches }) => {
      const later = { ...KNOWS_NOTHING, at: new Date(AT.getTime() + 20 * 86_400_000) };
      // Three-way merging needs the blob that the patch names; it is there, and conflicts.
      const refused = await chooseSeriesBase(repository, patches, SAYS_NOTHING, later).catch(
        (error: unknown) => error,
      );
      if (!(refused instanceof Problem)) throw new Error("a Problem was expected");
      expect(refused.code).toBe("patch-does-not-apply");
      expect(refused.message).toContain("does not apply to main");
      expect(refused.details.join("\n")).toMatch(/main:\n {2}patch 1:\n {2}error: patch failed: recipe:\d+/u);
    });
  });

  it("is another series' result where it is based on that", async () => {
    await inWorld(async ({ repository, commits, patches, between }) => {
      const asked: string[] = [];
      const sources: BaseSources = {
        ...KNOWS_NOTHING,
        defaultRevision: commits[0] ?? "",
        async series(reference) {
          asked.push(reference);
          return [between(0, 1)];
        },
      };
      const hints = { ...SAYS_NOTHING, basedOn: ["<other@example.org>"] };
      const choice = await chooseSeriesBase(repository, patches, hints, sources);
      expect(asked).toStrictEqual(["<other@example.org>"]);
      expect(choice).toMatchObject({
        kind: "applied",
        base: { commit: null, tree: (await resolveTree(repository, commits[1] ?? "")).tree },
        chosenBy: `${commits[0]?.slice(0, 12)} with 1 patches of Based-on`,
      });
    });
  });

  it("is the tree of a word in the subject", async () => {
    await inWorld(async ({ repository, commits, patches }) => {
      const treeOf = (tag: string) => (tag === "for-1.0" ? (commits[2] ?? null) : null);
      const hints = { ...SAYS_NOTHING, subjectTags: ["RFC", "for-1.0"] };
      const choice = await chooseSeriesBase(repository, patches, hints, { ...KNOWS_NOTHING, treeOf });
      expect(choice).toMatchObject({ kind: "applied", base: { commit: commits[2] } });
      expect(choice.chosenBy).toBe(`${commits[2]}, by the subject's for-1.0`);
    });
  });

  it("is known to hold the series already", async () => {
    await inWorld(async ({ repository, commits, between }) => {
      const sources = { ...KNOWS_NOTHING, defaultRevision: commits[2] ?? "", at: new Date(0) };
      const choice = await chooseSeriesBase(
        repository,
        [between(0, 1), between(1, 2)],
        SAYS_NOTHING,
        sources,
      );
      expect(choice).toMatchObject({ kind: "merged", base: { commit: commits[2] } });
    });
  });

  it("names prerequisites that are not in the archive", async () => {
    await inWorld(async ({ repository, commits, patches }) => {
      const hints = { ...SAYS_NOTHING, baseCommit: commits[1] ?? "", prerequisites: ["a".repeat(40)] };
      const choice = await chooseSeriesBase(repository, patches, hints, KNOWS_NOTHING);
      expect(choice).toMatchObject({
        kind: "applied",
        base: { commit: commits[1] },
        notes: ["1 of the 1 prerequisite patches are not in the archive."],
      });
    });
  });
});

import { describe, expect, it } from "vitest";
import { readBothTrees } from "../src/bot.ts";
import { changeOfRevision } from "../src/git/read-change.ts";
import { openRepository } from "../src/git/repository.ts";
import { createLoadHistory, type History } from "../src/load-history.ts";
import { sampleRepository } from "./git/sample-repository.ts";

const TEMPLATE = (dockerfile: string) =>
  `ash:\n  script:\n    - docker build --tag $CI_REGISTRY_IMAGE/ash --file ${dockerfile} ctx\n    - docker push $CI_REGISTRY_IMAGE/ash\n`;

/** The history that the recipe of the last state has; the change is the last commit. */
async function history(
  states: Record<string, string>[],
  most = 4,
  obstacle: (base: string) => string | null = () => null,
): Promise<History> {
  await using sample = await sampleRepository(states);
  await using repository = await openRepository(sample.directory);
  const change = await changeOfRevision(
    repository,
    "main",
    { revision: "main^", chosenBy: "test" },
    "trusted",
  );
  const reading = await readBothTrees(repository, change);
  const [recipe] = reading.head.recipes;
  if (recipe === undefined) throw new Error("no recipe");
  const load = createLoadHistory({
    repository,
    change,
    most,
    obstacle,
    contextOf: async () => [],
  });
  return await load(recipe, reading.readers.head.read(recipe.dockerfile ?? "") ?? "");
}

const state = (text: string, more: Record<string, string> = {}) => ({
  ".gitlab-ci.yml": TEMPLATE("ash.docker"),
  "ash.docker": `FROM debian:12\n${text}\n`,
  "ctx/keep": "",
  ...more,
});

describe("the history that a trial replays", () => {
  it("is of versions before the change, oldest first; the last edit is called by its commit", async () => {
    const { versions, ownName, notes } = await history([
      state("RUN one"),
      state("RUN two"),
      state("RUN three"),
      state("RUN three", { other: "x" }),
    ]);
    expect(versions.map(({ text }) => text)).toStrictEqual([
      "FROM debian:12\nRUN one\n",
      "FROM debian:12\nRUN two\n",
    ]);
    expect(versions[0]?.name).toMatch(/^[0-9a-f]{8} of 2023-11-14, "state"$/);
    expect(ownName).toMatch(/^[0-9a-f]{8} of 2023-11-14, "state"$/);
    expect(notes).toStrictEqual([]);
  });

  it("has the change itself as its last edit where that edits the Dockerfile", async () => {
    const { versions, ownName } = await history([state("RUN one"), state("RUN two"), state("RUN three")], 2);
    expect(versions.map(({ text }) => text)).toStrictEqual([
      "FROM debian:12\nRUN one\n",
      "FROM debian:12\nRUN two\n",
    ]);
    expect(ownName).toBe("the change itself");
  });

  it("ends where an earlier base image cannot be had, and says so", async () => {
    const states = [
      state("RUN one"),
      state("RUN two"),
      state("RUN three"),
      state("RUN three", { other: "x" }),
    ];
    states[0] = { ...state(""), "ash.docker": "FROM debian:8\nRUN zero\n" };
    const { versions, notes } = await history(states, 4, (base) =>
      base === "debian:8" ? "no package makes debian:8" : null,
    );
    expect(versions).toHaveLength(1);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(
      /^ash\.docker: 1 of 2 earlier versions left out, that of [0-9a-f]{8} of 2023-11-14: no package makes debian:8\.$/,
    );
  });

  it("is empty for a Dockerfile that was never edited, and where none is wanted", async () => {
    const never = [state("RUN one"), state("RUN one", { other: "x" })];
    expect((await history(never)).versions).toStrictEqual([]);
    const often = [state("RUN one"), state("RUN two"), state("RUN two", { other: "x" })];
    expect((await history(often, 0)).versions).toStrictEqual([]);
    expect((await history(often)).versions).toHaveLength(1);
  });
});

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Problem } from "../../src/domain/problem.ts";
import { openRepository, type Repository } from "../../src/git/repository.ts";
import { changeFromInput, readInput } from "../../src/terminal/change-input.ts";
import {
  MAIL_FIXTURES,
  mailBase,
  sampleRepository,
  type SampleRepository,
} from "../git/sample-repository.ts";

let sample: SampleRepository;
let repository: Repository;

beforeAll(async () => {
  const base = await mailBase();
  sample = await sampleRepository([{ "first.txt": "1\n" }, { ...base }, { ...base, "last.txt": "3\n" }]);
  repository = await openRepository(sample.directory);
});

afterAll(async () => {
  await repository[Symbol.asyncDispose]();
  await sample[Symbol.asyncDispose]();
});

const PATCH = join(MAIL_FIXTURES, "8bit.eml");

describe("the change that a command line names", () => {
  it("is a patch on HEAD, by a stranger", async () => {
    const { change } = await changeFromInput(
      repository,
      { patch: PATCH, revision: null, base: null },
      "stranger",
    );
    expect(change.trust).toBe("stranger");
    expect(change.baseChosenBy).toBe("HEAD of the repository");
    expect(change.base.commit).toBe(sample.commits[2]);
    expect(change.head.commit).toBeNull();
    expect(change.files.length).toBeGreaterThan(0);
  });

  it("is a patch on the base that is named", async () => {
    const input = { patch: PATCH, revision: null, base: "HEAD^" };
    const { change } = await changeFromInput(repository, input, "stranger");
    expect(change.baseChosenBy).toBe("--base HEAD^");
    expect(change.base.commit).toBe(sample.commits[1]);
  });

  it("is HEAD against its parent where nothing is named: one's own, so trusted", async () => {
    const { change, notes } = await changeFromInput(
      repository,
      { patch: null, revision: null, base: null },
      "stranger",
    );
    expect(notes).toStrictEqual([]);
    expect(change.trust).toBe("trusted");
    expect(change.baseChosenBy).toBe("first parent of HEAD");
    expect([change.base.commit, change.head.commit]).toStrictEqual([sample.commits[1], sample.commits[2]]);
    expect(change.files.map(({ oldPath, newPath }) => [oldPath, newPath])).toStrictEqual([
      [null, "last.txt"],
    ]);
  });

  it("is a revision against the base that is named", async () => {
    const [first, second] = sample.commits;
    const input = { patch: null, revision: second ?? "", base: first ?? "" };
    const { change } = await changeFromInput(repository, input, "stranger");
    expect([change.base.commit, change.head.commit]).toStrictEqual([first, second]);
    expect(change.baseChosenBy).toBe(`--base ${first}`);
  });

  it.each([
    [{ patch: PATCH, revision: "HEAD", base: null }, "arguments"],
    [{ patch: "/nowhere/patch", revision: null, base: null }, "arguments"],
    [{ patch: "/", revision: null, base: null }, "arguments"],
    [{ patch: null, revision: "nowhere", base: null }, "revision-missing"],
    [{ patch: null, revision: null, base: "nowhere" }, "revision-missing"],
    [{ patch: null, revision: "HEAD~2", base: null }, "revision-missing"],
    [{ patch: PATCH, revision: null, base: "nowhere" }, "revision-missing"],
  ])("%j is the Problem %s", async (input, code) => {
    const reading = changeFromInput(repository, input, "stranger");
    await expect(reading).rejects.toThrow(Problem);
    await expect(reading).rejects.toMatchObject({ code });
  });
});

describe("input", () => {
  it("is a file's bytes", async () => {
    expect((await readInput(PATCH)).length).toBeGreaterThan(100);
  });

  it("that cannot be read is a Problem with the system's words", async () => {
    await expect(readInput("/nowhere/patch")).rejects.toMatchObject({
      code: "arguments",
      message: "/nowhere/patch cannot be read.",
      details: [expect.stringContaining("ENOENT")],
    });
  });
});

import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openHistory } from "../../src/lib/history.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "history-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("what images took on this machine", () => {
  it("is found again by the Dockerfile's text, and by no other", async () => {
    const history = await openHistory(join(directory, "new"));
    expect(history.find("FROM a\n")).toBeNull();
    history.add("FROM a\n", { coldMs: 1_200, warmMs: null, editMs: null, bytes: 5 });
    history.add("FROM a\n", { coldMs: 1_500, warmMs: 300, editMs: null, bytes: 6 });
    await history.save();
    const again = await openHistory(join(directory, "new"));
    expect(again.find("FROM a\n")).toStrictEqual({
      coldMs: 1_500,
      warmMs: 300,
      editMs: null,
      bytes: 6,
    });
    expect(again.find("FROM a")).toBeNull();
    expect(await readdir(join(directory, "new"))).toStrictEqual(["history.json"]);
  });

  it.each([
    "",
    "[]",
    "null",
    '{"x": {"coldMs": -1, "bytes": 1}}',
    '{"x": {"coldMs": "1", "bytes": 1}}',
    '{"x": 3}',
  ])("is empty where the file says %o", async (text) => {
    await writeFile(join(directory, "history.json"), text);
    const history = await openHistory(directory);
    expect(history.find("x")).toBeNull();
    history.add("FROM a\n", { coldMs: 1, warmMs: 1, editMs: 1, bytes: 1 });
    await history.save();
    expect((await openHistory(directory)).find("FROM a\n")).toStrictEqual({
      coldMs: 1,
      warmMs: 1,
      editMs: 1,
      bytes: 1,
    });
  });

  it("keeps the last 500 images", async () => {
    const history = await openHistory(directory);
    for (let n = 0; n < 510; n++)
      history.add(`FROM ${n}\n`, { coldMs: n, warmMs: null, editMs: n, bytes: n });
    await history.save();
    const again = await openHistory(directory);
    expect(again.find("FROM 9\n")).toBeNull();
    expect(again.find("FROM 10\n")).toMatchObject({ coldMs: 10, bytes: 10 });
  });

  it("reads entries of an earlier Tare, which kept the cold build alone, and leaves out what is no time", async () => {
    const key = createHash("sha256").update("FROM a\n").digest("hex");
    const entry = { coldMs: 9, bytes: 2, editMs: "soon" };
    await writeFile(join(directory, "history.json"), JSON.stringify({ [key]: entry }));
    expect((await openHistory(directory)).find("FROM a\n")).toStrictEqual({
      coldMs: 9,
      warmMs: null,
      editMs: null,
      bytes: 2,
    });
  });
});

import { describe, expect, it } from "vitest";
import { fileHistory } from "../../src/git/file-history.ts";
import { gitEnvironment } from "../../src/git/environment.ts";
import { gitOutput } from "../../src/git/git-process.ts";
import { openRepository } from "../../src/git/repository.ts";
import { sampleRepository, type SampleFile } from "./sample-repository.ts";

const long = (text: string) => `FROM debian:12\n${"RUN true\n".repeat(20)}${text}\n`;

async function history(states: Record<string, SampleFile>[], path = "a.docker", most = 5) {
  await using sample = await sampleRepository(states);
  await using repository = await openRepository(sample.directory);
  return await fileHistory(repository, sample.commits.at(-1) ?? "", path, most);
}

const told = (versions: Awaited<ReturnType<typeof history>>) =>
  versions.map(({ path, text }) => `${path}: ${text.trim().split("\n").at(-1) ?? ""}`);

describe("the history of a file", () => {
  it("is its last versions, oldest first, with commit, tree and date", async () => {
    const versions = await history([
      { "a.docker": long("RUN one") },
      { "a.docker": long("RUN two"), other: "x" },
      { "a.docker": long("RUN two"), other: "y" },
      { "a.docker": long("RUN three") },
    ]);
    expect(told(versions)).toStrictEqual(["a.docker: RUN one", "a.docker: RUN two", "a.docker: RUN three"]);
    expect(versions[0]).toMatchObject({ subject: "state", committedAt: "2023-11-14T22:13:20+00:00" });
    expect(versions[0]?.commit).toMatch(/^[0-9a-f]{40}$/);
    expect(versions[0]?.tree).toMatch(/^[0-9a-f]{40}$/);
  });

  it("ends at the number that is wanted, the newest kept", async () => {
    const states = [1, 2, 3, 4].map((n) => ({ "a.docker": long(`RUN ${n}`) }));
    expect(told(await history(states, "a.docker", 2))).toStrictEqual(["a.docker: RUN 3", "a.docker: RUN 4"]);
  });

  it("follows renames; a rename alone is no edit", async () => {
    const versions = await history(
      [
        { "old/a.docker": long("RUN one") },
        { "new/b.docker": long("RUN one") },
        { "new/b.docker": long("RUN two") },
      ],
      "new/b.docker",
    );
    expect(told(versions)).toStrictEqual(["old/a.docker: RUN one", "new/b.docker: RUN two"]);
  });

  it("passes over the time in which the file was deleted", async () => {
    const versions = await history([
      { "a.docker": long("RUN one"), keep: "x" },
      { keep: "x" },
      { "a.docker": long("RUN two"), keep: "x" },
    ]);
    expect(told(versions)).toStrictEqual(["a.docker: RUN one", "a.docker: RUN two"]);
  });

  it("passes over symlinks and what is no text", async () => {
    const versions = await history([
      { "a.docker": long("RUN one") },
      { "a.docker": { symlink: "b" } },
      { "a.docker": new Uint8Array([0xff, 0xfe, 0x00]) },
      { "a.docker": long("RUN two") },
    ]);
    expect(told(versions)).toStrictEqual(["a.docker: RUN one", "a.docker: RUN two"]);
  });

  it("is empty where there is no such file, and finds names that look like options", async () => {
    expect(await history([{ x: "y" }])).toStrictEqual([]);
    expect(told(await history([{ "--all": long("RUN one") }], "--all"))).toStrictEqual(["--all: RUN one"]);
  });

  it("takes a merge as one step of the branch that was merged into", async () => {
    await using sample = await sampleRepository([{ "a.docker": long("RUN one") }]);
    const env = gitEnvironment([], { GIT_DIR: sample.directory });
    const [root = ""] = sample.commits;
    const who = "committer Sample <sample@example.org> 1700000100 +0000";
    const blob = (text: string) => `data ${text.length}\n${text}\n`;
    const commit = (branch: string, from: string, text: string, merge = "") =>
      `commit refs/heads/${branch}\n${who}\ndata 4\nside\nfrom ${from}\n${merge}M 100644 inline a.docker\n${blob(text)}\n`;
    const input = [
      commit("topic", root, long("RUN a")),
      commit("main", root, long("RUN c"), "merge refs/heads/topic\n"),
    ].join("");
    await gitOutput(["fast-import", "--quiet", "--force"], { env, input: Buffer.from(input) });
    await using repository = await openRepository(sample.directory);
    const tip = await gitOutput(["rev-parse", "main"], { env });
    const versions = await fileHistory(repository, tip.toString("latin1").trim(), "a.docker", 5);
    expect(told(versions)).toStrictEqual(["a.docker: RUN one", "a.docker: RUN c"]);
  });
});

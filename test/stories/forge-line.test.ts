import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAnswerForge, type TryChange } from "../../src/answer-forge.ts";
import type { Change } from "../../src/domain/change.ts";
import { Outage, Problem } from "../../src/domain/problem.ts";
import { renderMarkdown } from "../../src/reports/markdown.ts";
import { exampleReport } from "../fixtures/report/example.ts";
import { scratchDirectories } from "../git/sample-repository.ts";
import { openGithub, openGitlab, type ForgeDoor } from "./forge-doors.ts";
import { closeStories, type Story } from "./forge-story.ts";
import { edited, exampleFiles, type Files } from "./projects.ts";

const TEMPLATE = ".gitlab-ci.d/container-template.yml";

let files: Files;
let toKaniko: Files;
let cacheDirectory: string;

beforeAll(async () => {
  files = await exampleFiles();
  const template = join(import.meta.dirname, "../fixtures/projects/kaniko-template.yml");
  toKaniko = { [TEMPLATE]: await readFile(template, "utf8") };
});

afterAll(closeStories, 30_000);

beforeEach(async () => {
  cacheDirectory = await mkdtemp(join(tmpdir(), "tare-cache-"));
});

afterEach(async () => {
  await rm(cacheDirectory, { recursive: true });
});

/** What a trial was asked to try. */
type Asked = { change: Change; sentence: string; projectPath: string; dockerfile: string | null };

/** Stands where builds would be run: notes what it is asked, and reports. */
function noteTrials(outcome: () => ReturnType<TryChange> = async () => exampleReport()) {
  const asked: Asked[] = [];
  const tryChange: TryChange = async (_repository, change, reading, projectPath) => {
    const { sentence } = reading.comparison;
    const dockerfile = reading.readers.head.read("docker/lint.docker");
    asked.push({ change, sentence, projectPath, dockerfile });
    return outcome();
  };
  return { asked, tryChange };
}

const stampOf = (body: string | undefined) => body?.split("\n", 1)[0] ?? "";
const textOf = (body: string | undefined) => body?.slice(stampOf(body).length + 1);

describe.each([
  ["GitHub", openGithub],
  ["GitLab", openGitlab],
])("the line behind %s", (name, openForge) => {
  let forge: ForgeDoor;
  let story: Story;

  const start = async (tryChange: TryChange, isPrivate = false) => {
    forge = await openForge(files, { private: isPrivate });
    story = await forge.start(createAnswerForge({ cacheDirectory, tryChange }));
  };

  afterEach(async () => {
    await story.close();
    await forge.close();
  });

  it("refuses a stranger's change in one comment, and builds nothing of it", async () => {
    const { asked, tryChange } = noteTrials();
    await start(tryChange);
    const number = forge.open("stranger", toKaniko);
    expect(await forge.deliver(story, number)).toBe(202);
    expect(forge.bodies(number)).toHaveLength(1);
    const [body] = forge.bodies(number);
    expect(stampOf(body)).toContain(`key=acme%2Fimages sha=${forge.headOf(number)} `);
    await expect(textOf(body)).toMatchFileSnapshot("../goldens/forge-line.refusal.md");
    forge.push(number, { [TEMPLATE]: `${toKaniko[TEMPLATE]}\n# Reviewed\n` });
    await forge.deliver(story, number);
    expect(forge.bodies(number)).toHaveLength(1);
    expect(asked).toStrictEqual([]);
  });

  it("has a collaborator's change tried from the merge base to the head, and says what came out", async () => {
    const { asked, tryChange } = noteTrials();
    await start(tryChange);
    const number = forge.open("writer", toKaniko);
    const base = forge.git.resolve(forge.project, "refs/heads/main");
    // The branch has moved on since: that is no part of the change.
    forge.git.commit(forge.project, "refs/heads/main", base, { "docker/lint.docker": "FROM scratch\n" });
    await forge.deliver(story, number);
    const head = forge.headOf(number);
    const treeOf = (commit: string) => ({ commit, tree: expect.stringMatching(/^[0-9a-f]{40}$/) });
    expect(asked).toStrictEqual([
      {
        change: {
          id: `acme/images${name === "GitHub" ? "#" : "!"}1`,
          title: "Use kaniko",
          author: { name: "writer", address: "" },
          message: "",
          trust: "trusted",
          base: treeOf(base),
          baseChosenBy: "merge base with refs/heads/main",
          head: treeOf(head),
          files: [
            { oldPath: TEMPLATE, newPath: TEMPLATE, hunks: expect.stringContaining("+    name: gcr.io") },
          ],
        },
        sentence: "3 jobs: docker/inline with two cache sources becomes kaniko/layers",
        projectPath: "acme/images",
        dockerfile: files["docker/lint.docker"],
      },
    ]);
    expect(forge.bodies(number).map(textOf)).toStrictEqual([
      renderMarkdown(exampleReport(), { marker: false }),
    ]);
    expect(await scratchDirectories()).toStrictEqual([]);
  });

  it("says nothing of a change that alters no recipe", async () => {
    const { asked, tryChange } = noteTrials();
    await start(tryChange);
    const number = forge.open(
      "writer",
      edited({ ...files }, TEMPLATE, "until docker info", "until docker ps"),
    );
    await forge.deliver(story, number);
    expect(forge.bodies(number)).toStrictEqual([]);
    expect(asked).toStrictEqual([]);
    expect(story.log.join("")).toContain('"why":"no recipe changes"');
  });

  it("tells the author of a template that cannot be read", async () => {
    const { asked, tryChange } = noteTrials();
    await start(tryChange);
    const broken = edited({ ...files }, TEMPLATE, "extends: .base_job_template", "extends: .gone");
    const number = forge.open("stranger", broken);
    await forge.deliver(story, number);
    expect(forge.bodies(number).map(textOf)).toStrictEqual([
      `**Nothing was measured.** ${TEMPLATE}:2 extends ".gone", which is not defined\n\nMend the template; GitLab refuses it, too.\n`,
    ]);
    expect(asked).toStrictEqual([]);
  });

  it.each([
    ["an outage", () => new Outage("The engine stopped answering.", "Start it again.")],
    ["what whoever runs Tare must mend", () => new Problem("disk-full", "The disk is full.", "Make room.")],
    ["a bug", () => new TypeError("undefined is not a function")],
  ])("keeps %s from the change, and takes the event again", async (_what, error) => {
    let fails = true;
    const { asked, tryChange } = noteTrials(async () => {
      if (fails) throw error();
      return exampleReport();
    });
    await start(tryChange);
    const number = forge.open("writer", toKaniko);
    expect(await forge.deliver(story, number)).toBe(202);
    expect(forge.bodies(number)).toStrictEqual([]);
    expect(story.log.join("")).toContain('"msg":"no answer"');
    fails = false;
    await forge.deliver(story, number);
    expect(forge.bodies(number)).toHaveLength(1);
    expect(asked).toHaveLength(2);
  });

  it("tells the author what a trial found wrong with the change", async () => {
    const missing = new Problem("dockerfile-missing", "a.yml:1 builds x.docker, which is gone.", "Add it.");
    const { tryChange } = noteTrials(() => Promise.reject(missing));
    await start(tryChange);
    const number = forge.open("writer", toKaniko);
    await forge.deliver(story, number);
    expect(forge.bodies(number).map(textOf)).toStrictEqual([
      "**Nothing was measured.** a.yml:1 builds x.docker, which is gone.\n\nAdd it.\n",
    ]);
  });

  it("keeps its secrets: in no comment, no log line and no file", async () => {
    const { asked, tryChange } = noteTrials();
    await start(tryChange, true);
    const number = forge.open("writer", toKaniko);
    await forge.deliver(story, number);
    expect(asked).toHaveLength(1);
    // Private: git had to be let in.
    expect(story.asked[0]?.authorization).toMatch(/^Basic \S+$/);
    const given = story.asked[0]?.authorization?.slice("Basic ".length) ?? "";
    const secrets = [...forge.secrets(), given, Buffer.from(given, "base64").toString()];
    const held = [JSON.stringify(asked), ...forge.bodies(number), ...story.log, ...(await contents())].join(
      "\n",
    );
    expect(secrets.filter((secret) => secret === "" || held.includes(secret))).toStrictEqual([]);
  });

  /** Text of every file that is kept between changes. */
  async function contents(): Promise<string[]> {
    const found = await readdir(cacheDirectory, { recursive: true, withFileTypes: true });
    const paths = found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
    expect(paths.length).toBeGreaterThan(0);
    return Promise.all(paths.map((path) => readFile(path, "latin1")));
  }
});

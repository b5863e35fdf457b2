import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderJson } from "../../src/reports/json.ts";
import { exampleReport } from "../fixtures/report/example.ts";
import { sampleRepository, type SampleRepository } from "../git/sample-repository.ts";
import { EXAMPLE_MAIL, exampleFiles } from "./projects.ts";
import { playTare } from "./tare-process.ts";

let directory = "";
let report = "";
let example: SampleRepository;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tare-flags-"));
  report = join(directory, "report.json");
  await writeFile(report, renderJson(exampleReport()));
  example = await sampleRepository([await exampleFiles()]);
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
  await example[Symbol.asyncDispose]();
});

const plan = (...argv: string[]) =>
  playTare(["plan", "--patch", EXAMPLE_MAIL, "--repo", example.directory, ...argv]);

describe("options that say two things", () => {
  it("are refused: edits of the history and synthetic ones", async () => {
    const { code, stderr } = await plan("--edits", "2", "--edit", "last");
    expect({ code, stderr }).toStrictEqual({
      code: 2,
      stderr: "--edits replays edits from the history, --edit makes synthetic ones.\nGive one of them.\n",
    });
    expect((await plan("--edits", "0", "--edit", "last")).code).toBe(0);
  });

  it("are refused: how to measure noise where none is measured", async () => {
    const { code, stderr } = await playTare(["doctor", "--repeats", "4"]);
    expect({ code, stderr }).toStrictEqual({
      code: 2,
      stderr: "--repeats says how --noise measures.\nAdd --noise, or leave --repeats out.\n",
    });
  });
});

describe("a thread", () => {
  it("is of mails: a file without From is refused by its name, the patch's own mail is not", async () => {
    const text = join(directory, "notes.txt");
    await writeFile(text, "kaniko stores less.\n");
    const { code, stderr } = await plan("--thread", text);
    expect(code).toBe(2);
    expect(stderr).toContain(`${text} is no mail: it has no From.\n`);
    await writeFile(text, "From: A <a@example.org>\n\nkaniko stores less.\n");
    expect((await plan("--thread", text)).stderr).toContain("it has neither Message-ID nor Date.\n");
    expect((await plan("--thread", EXAMPLE_MAIL)).code).toBe(0);
  });
});

describe("tare serve", () => {
  it.each(["serve", "worker"])(
    "ends with the code of its mistake where %s has no settings",
    async (command) => {
      const { code, stderr, left } = await playTare([command], { environment: { TARE_DATA: directory } });
      expect(code).toBe(2);
      expect(stderr).toContain("no forge: set GITHUB_APP_ID or GITLAB_URL");
      expect(left).toStrictEqual([]);
    },
  );

  it("refuses an address that is no database, and says nothing of its password", async () => {
    const environment = {
      GITLAB_URL: "https://gitlab.example.org",
      GITLAB_TOKEN: "glpat-something",
      GITLAB_WEBHOOK_SECRET: "a-gitlab-secret-of-32-characters",
      DATABASE_URL: "mysql://tare:hunter2@db/tare",
    };
    const { code, stderr } = await playTare(["serve"], { environment });
    expect(code).toBe(2);
    expect(stderr).toContain("DATABASE_URL: must be a postgresql:// address");
    expect(stderr).not.toContain("hunter2");
  });
});

describe("tare config", () => {
  it("tells values of the environment that no trial would take", async () => {
    const { code, stderr } = await playTare(["config"], { environment: { TARE_PRIVILEGES: "foo" } });
    expect(code).toBe(2);
    expect(stderr).toContain("TARE_PRIVILEGES: must be privileged or capabilities\n");
  });
});

describe("tare replay", () => {
  it("refuses a place that cannot be written to, and the report that it reads", async () => {
    const nowhere = join(directory, "none/answer.txt");
    const lost = await playTare(["replay", report, "--out", nowhere]);
    expect(lost.code).toBe(2);
    expect(lost.stderr).toContain(`The answer cannot be written to ${nowhere}.\n`);
    for (const again of [[], ["--again"]]) {
      const same = await playTare(["replay", report, "--out", report, ...again]);
      expect(same.code).toBe(2);
      expect(same.stderr).toContain(`${report} is the report that is replayed.\n`);
    }
    expect(await readFile(report, "utf8")).toBe(renderJson(exampleReport()));
  });

  it("answers claims of mails that came after the trial from its report", async () => {
    const mail = join(directory, "late.eml");
    const head = "From: Eve <eve@example.org>\nMessage-ID: <late@example.org>\n\n";
    await writeFile(mail, `${head}By using kaniko we would be doubling our registry storage.\n`);
    const { code, stdout } = await playTare(["replay", report, "--thread", mail]);
    expect(code).toBe(0);
    expect(stdout.replaceAll(/\s+/gu, " ")).toContain(
      'Eve: "By using kaniko we would be doubling our registry storage." depends: kaniko/layers against docker/inline before any edit: 1.90 times, close to 2, counted per repository',
    );
    const both = await playTare(["replay", report, "--thread", mail, "--again"]);
    expect(both.code).toBe(2);
    expect(both.stderr).toContain("'--thread <files>' cannot be used with option '--again'");
  });

  it("repeats the trial in the format asked for, and leaves the trial's own files alone", async () => {
    const argv = ["trial", "--patch", join(directory, "gone.eml"), "--report", report, "--out", report];
    await writeFile(report, renderJson({ ...exampleReport(), argv }));
    const { code, stderr } = await playTare(["replay", report, "--again", "--format", "markdown"]);
    expect(code).toBe(2);
    expect(stderr).toContain(
      `tare: repeating: tare trial --patch ${join(directory, "gone.eml")} --format markdown\n`,
    );
    expect(await readFile(report, "utf8")).toBe(renderJson({ ...exampleReport(), argv }));
  });
});

import { spawn } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Report } from "../../src/domain/report.ts";
import { run } from "../../src/lib/spawn.ts";
import { reportSchema } from "../../src/reports/report-schema.ts";
import { MAIN, makeExampleRepository, type ExampleRepository } from "./example-repository.ts";
import { openLiveTestbed, type LiveTestbed } from "./live-testbed.ts";

let live: LiveTestbed;
let example: ExampleRepository;
beforeAll(async () => {
  live = await openLiveTestbed();
  example = makeExampleRepository();
});
afterAll(async () => {
  example.remove();
  await live.close();
});

const BASE = "FROM docker.io/library/busybox:1.36\n";
const FINE = `${BASE}RUN head -c 100000 /dev/urandom > /linter\n`;
const job = (extra: string) =>
  `lint-container:\n  extends: .container_job_template\n  variables:\n    NAME: lint\n${extra}`;
/** Two ways to write the same job that differ in a recipe: only then there is something to try. */
const BEFORE = job("");
const AFTER = job("    CONTAINER_TAG: quiet\n");

const COMMON = [
  "--images",
  "lint",
  "--edits",
  "0",
  "--edit",
  "last",
  "--repeats",
  "1",
  "--forks",
  "none",
  "--yes",
];

const commit = (dockerfile: string, jobs: string) =>
  example.commit({ "docker/lint.docker": dockerfile, ".gitlab-ci.d/containers.yml": jobs });

/** `mail` is its text with every run of blanks and line ends made one blank. */
type Answer = { code: number | null; mail: string; report: Report };

const unwrapped = (text: string) => text.replaceAll(/\s+/g, " ");

/** The answer to a change of the Dockerfile and its job, as a mail and as data. */
async function answered(before: string, after: string, ...more: string[]): Promise<Answer> {
  const base = commit(before, BEFORE);
  const head = commit(after, AFTER);
  const file = join(tmpdir(), `tare-bad-${process.pid}.json`);
  const argv = [
    "trial",
    "--rev",
    head,
    "--base",
    base,
    ...COMMON,
    "--format",
    "mail",
    "--report",
    file,
    ...more,
  ];
  const result = await run(process.execPath, [MAIN, ...argv], {
    cwd: example.directory,
  });
  const said = result.stdout.toString("utf8");
  if (said === "") throw new Error(result.stderr);
  const report = reportSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  rmSync(file);
  return { code: result.exitCode, mail: unwrapped(said), report };
}

/** What is said between two places of a mail. */
function between(mail: string, from: string, to: string): string {
  const start = mail.indexOf(from);
  return mail.slice(start, mail.indexOf(to, start));
}

const FAILING = `${BASE}RUN echo 'no route to the mirror' >&2; exit 4\n`;

describe("a change that breaks a build", () => {
  it("is broken: the mail's first sentence says which run fails, and the end of its log is quoted", async () => {
    const broken = `${BASE}RUN echo compiling && echo 'cc: not found' && exit 3\n`;
    const { code, mail, report } = await answered(FINE, broken, "--fail-on", "worse");
    expect([report.verdict, code]).toEqual(["broken", 1]);
    expect(mail).toMatch(
      /^lint: proposed fails in the cold build \(current succeeds\); what it would store was not measured\. /,
    );
    expect(between(mail, "Last lines of", "lint: storage")).toMatch(
      /^Last lines of proposed, cold build: .*compiling [\d.]+ cc: not found ------ ERROR: failed to solve: .* exit code: 3 $/,
    );
    expect(mail).toContain("Verdict on lint: broken.");
  });
});

describe("a change to a build that fails already", () => {
  it("is infrastructure where it fails all the same", async () => {
    const { code, mail, report } = await answered(FAILING, FAILING, "--fail-on", "worse");
    expect([report.verdict, code]).toEqual(["infrastructure", 3]);
    expect(mail).toMatch(
      /^lint: current fails in the cold build, and so does proposed: infrastructure, not this change\. /,
    );
    expect(mail).toContain("; no image after the cold build.");
    const logs = between(mail, "Last lines of", "lint: storage");
    expect(logs).toMatch(
      /^Last lines of current, cold build: .*no route to the mirror .*Last lines of proposed, cold build: .*no route to the mirror /,
    );
  });

  it("is better where it mends it", async () => {
    const { code, mail, report } = await answered(FAILING, FINE, "--fail-on", "worse");
    expect([report.verdict, code]).toEqual(["better", 0]);
    expect(mail).toMatch(/^lint: current fails in the cold build, proposed succeeds\. /);
    expect(between(mail, "Last lines of", "lint: storage")).toContain("no route to the mirror");
  });
});

describe("a strategy beside the two that fails alone", () => {
  it("changes no verdict, and is named in the table and with its log", async () => {
    // buildah alone has this file in its RUN steps.
    const particular = `${FINE}RUN if [ -e /run/.containerenv ]; then echo 'not with buildah' >&2; exit 9; fi\n`;
    const strategies = ["--strategies", "buildah/layers"];
    const { code, mail, report } = await answered(
      particular,
      particular,
      ...strategies,
      "--fail-on",
      "worse",
    );
    expect([report.verdict, code]).toEqual(["no change", 0]);
    expect(mail).toMatch(/^lint: no change; proposed stores /);
    expect(between(mail, "Last lines of", "lint: storage before")).toMatch(
      /^Last lines of buildah\/layers, cold build: .*not with buildah .*exit status 9 $/,
    );
    expect(between(mail, "strategy cold warm", "Tested:")).toMatch(
      / buildah\/layers failed not run not run /,
    );
    expect(
      report.images[0]?.strategies.map(({ role, runs }) => [role, runs.map(({ outcome }) => outcome)]),
    ).toEqual([
      ["current", ["succeeded", "succeeded", "succeeded"]],
      ["proposed", ["succeeded", "succeeded", "succeeded"]],
      ["other", ["failed"]],
    ]);
  });
});

describe("Ctrl-C while a strategy beside the two is built", () => {
  it("removes everything of it", async () => {
    // The two end at once, so that the third is reached soon.
    const slow = `${BASE}RUN if [ -e /run/.containerenv ]; then sleep 6125; fi; exit 1\n`;
    const base = commit(slow, BEFORE);
    const change = ["--rev", commit(slow, AFTER), "--base", base, ...COMMON];
    const child = spawn(process.execPath, [MAIN, "trial", ...change, "--strategies", "buildah/layers"], {
      stdio: ["ignore", "ignore", "pipe"],
      cwd: example.directory,
    });
    const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
    const said = text(child.stderr);
    const own = async () => {
      const all = await live.testbed.engine.docker.listContainers({ all: true });
      return all.flatMap(({ Names }) => Names).filter((name) => name.startsWith(`/tare-${child.pid}-`));
    };
    for (let tries = 0; tries < 600 && child.exitCode === null && !isRunning("sleep 6125"); tries++)
      await sleep(100);
    if (child.exitCode !== null) throw new Error(`it ended by itself: ${await said}`);
    const names = await own();
    expect(names.filter((name) => name.includes("lint-buildah-layers-1-cold"))).toHaveLength(1);
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(await own()).toEqual([]);
    expect(isRunning("sleep 6125")).toBe(false);
    expect(groupsOf(child.pid)).toEqual([]);
  });
});

/** Whether a process of this machine, in whatever container, has this command line. */
function isRunning(commandLine: string): boolean {
  return readdirSync("/proc").some((entry) => {
    try {
      const text = readFileSync(`/proc/${entry}/cmdline`, "utf8");
      return text.replaceAll("\0", " ").trim() === commandLine;
    } catch {
      return false;
    }
  });
}

/** Control groups of a process's jobs; none where the kernel has no version 1. */
function groupsOf(pid: number | undefined): string[] {
  try {
    return readdirSync("/sys/fs/cgroup/memory/tare").filter((name) => name.startsWith(`${pid}-`));
  } catch {
    return [];
  }
}

import { readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { spawn, type ChildProcess } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Report, RunReport } from "../../src/domain/report.ts";
import { reportSchema } from "../../src/reports/report-schema.ts";
import { run } from "../../src/lib/spawn.ts";
import { EXAMPLE_PATCH, MAIN, makeExampleRepository, type ExampleRepository } from "./example-repository.ts";
import { openLiveTestbed, type LiveTestbed } from "./live-testbed.ts";

let live: LiveTestbed;
let example: ExampleRepository;
/** Trials of somebody else that run on the same engine: what they hold is not ours to count. */
let others: Set<string>;
beforeAll(async () => {
  live = await openLiveTestbed();
  example = makeExampleRepository();
  others = new Set((await ownedContainers()).map(runId));
});
afterAll(async () => {
  example.remove();
  await live.close();
});

const trial = (...argv: string[]) =>
  run(process.execPath, [MAIN, "trial", "--repo", example.directory, "--repeats", "1", "--yes", ...argv]);

async function ownedContainers(): Promise<string[]> {
  const all = await live.testbed.engine.docker.listContainers({
    all: true,
    filters: { label: ["dev.tare.owner"] },
  });
  return all.flatMap(({ Names }) => Names).map((name) => name.replace("/tare-", ""));
}

/** What names of one trial start with: process and run. */
const runId = (name: string) => /^\d+-[0-9a-f]+/.exec(name)?.[0] ?? name;

/** Containers that trials of this test have left; the registry of base images that the test itself keeps is none. */
async function containersLeft(): Promise<string[]> {
  return (await ownedContainers()).filter((name) => !others.has(runId(name)));
}

/** Control groups of jobs that are still there; none where the kernel has no version 1. */
function groupsLeft(): string[] {
  try {
    return readdirSync("/sys/fs/cgroup/memory/tare", { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !others.has(runId(entry.name)))
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

function runOf(report: Report, strategy: string, scenario: string): RunReport {
  const found = report.images[0]?.strategies
    .find((candidate) => candidate.strategy === strategy)
    ?.runs.find((candidate) => candidate.scenario === scenario);
  if (found === undefined) throw new Error(`${strategy} ${scenario} is missing`);
  return found;
}

describe("tare trial on the example project", () => {
  it("answers the patch mail with real builds, and leaves nothing behind", async () => {
    const file = join(tmpdir(), `tare-report-${process.pid}.json`);
    const patch = ["--patch", EXAMPLE_PATCH, "--trust"];
    const result = await trial(
      ...patch,
      "--edit",
      "last",
      "--format",
      "mail",
      "--report",
      file,
      "--fail-on",
      "worse",
    );
    const report = reportSchema.parse(JSON.parse(readFileSync(file, "utf8")));
    rmSync(file);

    expect(result.exitCode).toBe(1);
    expect(report.sentence).toBe("3 jobs: docker/inline with two cache sources becomes kaniko/layers");
    expect(report.verdict).toBe("worse");
    expect(report.images.map((image) => [image.image, image.verdict])).toEqual([["toolchain", "worse"]]);
    const text = result.stdout.toString("utf8");
    expect(text).toContain("by\nGitLab's count");
    expect(text.split("\n").every((line) => line.length <= 78)).toBe(true);

    const shape = (strategy: string, scenario: string) => {
      const { outcome, hits, misses, repositories } = runOf(report, strategy, scenario);
      return [outcome, hits, misses, ...repositories.map(({ role, tags }) => `${role} ${tags}`)];
    };
    expect(shape("docker/inline", "cold")).toEqual(["succeeded", 0, 3, "image and cache 1"]);
    expect(shape("docker/inline", "warm")).toEqual(["succeeded", 3, 0, "image and cache 1"]);
    expect(shape("docker/inline", "edit 1")).toEqual(["succeeded", 2, 1, "image and cache 1"]);
    expect(shape("kaniko/layers", "cold")).toEqual(["succeeded", 0, 3, "image 1", "cache 3"]);
    expect(shape("kaniko/layers", "warm")).toEqual(["succeeded", 3, 0, "image 1", "cache 3"]);
    expect(shape("kaniko/layers", "edit 1")).toEqual(["succeeded", 2, 1, "image 1", "cache 4"]);

    // 5, 3 and 2 MB on a base of about 1 MB: what the strategies store, in units of 10 kB.
    const units = (strategy: string, scenario: string) => {
      const { ledgers } = runOf(report, strategy, scenario);
      const base = (runOf(report, "docker/inline", "cold").ledgers?.namespace ?? 0) - 10_000_000;
      const rounded = (bytes: number) => Math.round((bytes - base) / 100_000) / 10;
      return ledgers && [rounded(ledgers.perRepository), rounded(ledgers.namespace)];
    };
    expect(units("docker/inline", "edit 1")).toEqual([10, 10]);
    expect(units("kaniko/layers", "cold")).toEqual([20, 10]);
    expect(units("kaniko/layers", "edit 1")).toEqual([22, 12]);

    expect(await containersLeft()).toEqual([]);
    expect(groupsLeft()).toEqual([]);
  });

  it("ends a build that hangs at its time limit", async () => {
    const base = example.commit({ ".gitlab-ci.d/containers.yml": LOUD_JOBS });
    const hanging = "FROM docker.io/library/busybox:1.36\nRUN sleep 600\n";
    const head = example.commit({ "docker/lint.docker": hanging, ".gitlab-ci.d/containers.yml": QUIET_JOBS });
    const argv = ["--rev", head, "--base", base, "--images", "lint", "--format", "json", "--timeout", "0.2"];
    // The history's older Dockerfile does not hang.
    argv.push("--edits", "0");
    const report = reportSchema.parse(JSON.parse((await trial(...argv)).stdout.toString("utf8")));
    expect(report.images[0]?.strategies.at(-1)?.runs[0]?.outcome).toBe("timed-out");
    expect(await containersLeft()).toEqual([]);
  });
});

describe("tare trial, interrupted", () => {
  const start = (): ChildProcess =>
    spawn(
      process.execPath,
      [MAIN, "trial", "--repo", example.directory, "--patch", EXAMPLE_PATCH, "--trust"],
      {
        stdio: "ignore",
        cwd: example.directory,
      },
    );
  const ended = (child: ChildProcess) => new Promise<number | null>((resolve) => child.on("exit", resolve));
  const untilRunning = async () => {
    for (
      let tries = 0;
      tries < 300 && !(await containersLeft()).some((name) => name.includes("cold"));
      tries++
    ) {
      await sleep(100);
    }
  };

  it("removes everything on Ctrl-C", async () => {
    const child = start();
    await untilRunning();
    child.kill("SIGINT");
    expect(await ended(child)).toBe(130);
    expect(await containersLeft()).toEqual([]);
    expect(groupsLeft()).toEqual([]);
  });

  it("is swept by the next start after SIGKILL", async () => {
    const child = start();
    await untilRunning();
    child.kill("SIGKILL");
    await ended(child);
    expect((await containersLeft()).length).toBeGreaterThan(0);
    const swept = await run(process.execPath, [MAIN, "sweep"]);
    expect(swept.exitCode).toBe(0);
    expect(await containersLeft()).toEqual([]);
    expect(groupsLeft()).toEqual([]);
  });
});

const job = (name: string, extra: string) =>
  `${name}-container:\n  extends: .container_job_template\n  variables:\n    NAME: ${name}\n${extra}`;
const jobs = (extra: string) => ["toolchain", "docs", "lint"].map((name) => job(name, extra)).join("\n");
/** Two ways to write the same jobs that differ in a recipe: only then there is something to try. */
const LOUD_JOBS = jobs("");
const QUIET_JOBS = jobs("    CONTAINER_TAG: quiet\n");

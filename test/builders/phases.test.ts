import { describe, expect, it } from "vitest";
import { builders } from "../../src/builders/index.ts";
import type { BuildRun } from "../../src/builders/types.ts";
import { DEFAULT_LIMITS, type JobResult } from "../../src/domain/job.ts";
import { trialRecipe } from "../fixtures/trial/image-trial.ts";

const run: BuildRun = {
  name: "r1",
  recipe: trialRecipe("kaniko/layers"),
  images: ["127.0.0.1:5000/group/app:latest", "127.0.0.1:5000/group/app:v1"],
  cacheFrom: [],
  cacheTo: ["127.0.0.1:5000/group/app-cache"],
  files: [],
  projectDirectory: "/builds/group/project",
  dockerfile: "/builds/group/project/Dockerfile",
  context: null,
  registryHost: "127.0.0.1:5000",
  baseHost: null,
  image: "builder",
  limits: DEFAULT_LIMITS,
};

function result(commands: JobResult["commands"], lines: [atMs: number, line: string][] = []): JobResult {
  return {
    outcome: "succeeded",
    commands,
    log: lines.map(([atMs, line]) => ({ atMs, stream: "stderr" as const, line })),
    memoryPeakBytes: 1,
    anonymousPeakBytes: 1,
    memoryKills: 0,
    clock: "a test's",
  };
}

const command = (phase: "build" | "push" | "build and push", startMs: number, endMs: number) => ({
  phase,
  startMs,
  endMs,
  exitCode: 0,
});

describe("phases of docker", () => {
  it("are those of its commands; pauses between them are in neither", () => {
    const ran = result([
      command("build", 10, 1_010),
      command("push", 1_100, 1_350),
      command("push", 1_400, 1_450),
    ]);
    expect(builders.docker.phases(run, ran)).toStrictEqual({ buildMs: 1_000, pushMs: 300, totalMs: 1_300 });
  });

  it("are unknown where a command did not run", () => {
    expect(builders.docker.phases(run, result([command("build", 0, 700)]))).toStrictEqual({
      buildMs: 700,
      pushMs: "unknown",
      totalMs: 700,
    });
    expect(builders.docker.phases(run, result([]))).toStrictEqual({
      buildMs: "unknown",
      pushMs: "unknown",
      totalMs: 0,
    });
  });
});

describe("phases of kaniko", () => {
  const whole = [command("build and push", 0, 5_000)];

  it("are told apart where it says that it pushes the image, not where it pushes to the cache", () => {
    const ran = result(whole, [
      [100, "INFO[0000] Retrieving image manifest debian:12-slim"],
      [2_000, "INFO[0002] Pushing layer 127.0.0.1:5000/group/app-cache:ab12 to cache now"],
      [2_001, "INFO[0002] Pushing image to 127.0.0.1:5000/group/app-cache:ab12"],
      [4_200, "INFO[0004] Pushing image to 127.0.0.1:5000/group/app:latest"],
      [4_900, "INFO[0005] Pushing image to 127.0.0.1:5000/group/app:v1"],
    ]);
    expect(builders.kaniko.phases(run, ran)).toStrictEqual({ buildMs: 4_200, pushMs: 800, totalMs: 5_000 });
  });

  it("know an image from another one whose name starts alike", () => {
    const ran = result(whole, [[900, "Pushing image to 127.0.0.1:5000/group/app:latest-debug"]]);
    expect(builders.kaniko.phases(run, ran).buildMs).toBe("unknown");
  });

  it("are unknown where it was killed before", () => {
    expect(builders.kaniko.phases(run, result(whole))).toStrictEqual({
      buildMs: "unknown",
      pushMs: "unknown",
      totalMs: 5_000,
    });
    expect(builders.kaniko.phases(run, result([])).totalMs).toBe(0);
  });
});

import { describe, expect, it } from "vitest";
import { builders } from "../../src/builders/index.ts";
import type { JobResult, Phase } from "../../src/domain/job.ts";
import { buildRun } from "../fixtures/trial/build-run.ts";
import { trialRecipe } from "../fixtures/trial/image-trial.ts";

const run = buildRun(trialRecipe("kaniko/layers"), {
  images: ["127.0.0.1:5000/group/app:latest", "127.0.0.1:5000/group/app:v1"],
  cacheTo: ["127.0.0.1:5000/group/app-cache"],
});

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

const command = (phase: Phase, startMs: number, endMs: number) => ({
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

  it("are told apart without a terminal, too", () => {
    const said = (message: string) => `time="2026-11-24T22:43:50Z" level=info msg="${message}"`;
    const ran = result(whole, [
      [1_900, said("Pushing image to 127.0.0.1:5000/group/app-cache:ab12")],
      [3_000, said("Pushing image to 127.0.0.1:5000/group/app:latest")],
    ]);
    expect(builders.kaniko.phases(run, ran)).toStrictEqual({ buildMs: 3_000, pushMs: 2_000, totalMs: 5_000 });
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

describe("pulls before a build", () => {
  it("count in the total, and neither as build nor as push", () => {
    const ran = result([command("pull", 0, 400), command("build", 500, 900), command("push", 900, 1_000)]);
    expect(builders.docker.phases(run, ran)).toStrictEqual({ buildMs: 400, pushMs: 100, totalMs: 900 });
    expect(builders.buildah.phases(run, ran)).toStrictEqual({ buildMs: 400, pushMs: 100, totalMs: 900 });
  });
});

describe("phases of BuildKit", () => {
  const whole = [command("build and push", 100, 2_100)];
  const lines: [number, string][] = [
    [200, "#1 [internal] load build definition from Dockerfile"],
    [900, "#7 exporting to image"],
    [900, "#7 exporting layers"],
    [1_300, "#7 pushing layers"],
    [1_700, "#7 pushing manifest for 127.0.0.1:5000/group/app:latest"],
    [1_800, "#8 exporting cache to registry"],
    [2_000, "#8 writing layer sha256:ab"],
  ];

  it("end with the first layer that is pushed; the cache's export is a push", () => {
    expect(builders.buildkit.phases(run, result(whole, lines))).toStrictEqual({
      buildMs: 1_200,
      pushMs: 800,
      totalMs: 2_000,
    });
  });

  it("end with the export of the cache where the image is not pushed before", () => {
    const warm = lines.filter(([, line]) => !line.includes("pushing"));
    expect(builders.buildkit.phases(run, result(whole, warm)).buildMs).toBe(1_700);
  });

  it("are unknown where the log does not get there, and where a RUN prints the same words", () => {
    const printed: [number, string][] = [[500, "#5 0.100 #7 pushing layers"]];
    for (const log of [lines.slice(0, 3), printed, []])
      expect(builders.buildkit.phases(run, result(whole, log))).toStrictEqual({
        buildMs: "unknown",
        pushMs: "unknown",
        totalMs: 2_000,
      });
  });

  it("are read the same way of docker buildx build --push", () => {
    const recipe = trialRecipe("docker/none", { program: "docker buildx build", flags: ["--push"] });
    expect(builders.docker.phases({ ...run, recipe }, result(whole, lines))).toStrictEqual({
      buildMs: 1_200,
      pushMs: 800,
      totalMs: 2_000,
    });
  });
});

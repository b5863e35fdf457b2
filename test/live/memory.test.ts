import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { STRATEGIES } from "../contracts/strategies.ts";
import { openLiveTestbed, type LiveTestbed } from "./live-testbed.ts";
import { runLiveTrial } from "./live-trial.ts";

const MIB = 1024 ** 2;
const LIMIT_BYTES = 512 * MIB;

let live: LiveTestbed;
beforeAll(async () => {
  live = await openLiveTestbed();
});
afterAll(async () => {
  await live.close();
});

/**
 * A RUN that really holds this much: one read fills it. Taken bit by bit, a job at its limit would first throw its own
 * programs out of memory and read them back from disk, for most of a minute.
 */
function taking(bytes: number): string {
  return [
    "FROM docker.io/library/busybox:1.36",
    `RUN busybox dd if=/dev/zero of=/dev/null bs=${Math.round(bytes / MIB)}M count=1`,
    "RUN head -c 1000 /dev/urandom > /done",
    "",
  ].join("\n");
}

/** One for each builder. */
const RECIPES = [
  STRATEGIES["docker/inline"],
  STRATEGIES["buildkit/registry-min"],
  STRATEGIES["kaniko/layers"],
  STRATEGIES["buildah/layers"],
];

describe.each(RECIPES)("$strategy with a limit of 512 MiB", (recipe) => {
  const limits = { memoryBytes: LIMIT_BYTES };
  const scenarios = ["cold"] as const;

  it("shows a RUN that takes half of it in the peak", async () => {
    const { record } = await runLiveTrial(live, recipe, taking(LIMIT_BYTES / 2), {
      limits,
      scenarios: [...scenarios],
    });
    const [run] = record.runs;
    expect(run?.result.outcome).toBe("succeeded");
    expect(run?.result.memoryKills).toBe(0);
    expect(Number(run?.result.memoryPeakBytes)).toBeGreaterThan(LIMIT_BYTES / 2);
    expect(Number(run?.result.memoryPeakBytes)).toBeLessThanOrEqual(LIMIT_BYTES * 1.01);
  });

  it("is killed by a RUN that takes twice as much; more memory then measures storage, untimed, from the same start", async () => {
    const more = 2 * 1024 * MIB;
    const { record } = await runLiveTrial(live, recipe, taking(2 * LIMIT_BYTES), {
      limits,
      moreMemoryBytes: more,
      scenarios: [...scenarios],
    });
    expect(record.runs.map((run) => [run.timed, run.result.outcome, run.memoryLimitBytes])).toEqual([
      [true, "out-of-memory", LIMIT_BYTES],
      [false, "succeeded", more],
    ]);
    const [killed] = record.runs;
    expect(Number(killed?.result.memoryKills)).toBeGreaterThanOrEqual(1);
    expect(Number(killed?.result.memoryPeakBytes)).toBeGreaterThan(0.9 * LIMIT_BYTES);
    expect(record.runs[1]?.misses).toBeGreaterThanOrEqual(1);
  });
});

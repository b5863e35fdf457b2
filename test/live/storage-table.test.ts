import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { STRATEGIES } from "../contracts/strategies.ts";
import { openLiveTestbed, type LiveDiskSums, type LiveTestbed } from "./live-testbed.ts";
import { runLiveTrial } from "./live-trial.ts";

const DOCKERFILE = [
  "FROM docker.io/library/busybox:1.36",
  ...[5, 3, 2].map((mb, index) => `RUN head -c ${mb}000000 /dev/urandom > /layer-${index + 1}`),
  "",
].join("\n");

/** One row of the table that was measured by hand, in MB of layers and configurations; its base image had 1.07 MB. */
type Row = { image: number; cache: number | null; cacheTags: number; sum: number; namespace: number };
const HAND_BASE_MB = 1.07;
const TOLERANCE_BYTES = 20_000;

const imageOnly = (mb: number): Row => ({ image: mb, cache: null, cacheTags: 0, sum: mb, namespace: mb });
const always = (row: Row) => ({ cold: row, warm: row, "edit 2": row });
const oneManifest = always({ image: 11.07, cache: 11.07, cacheTags: 1, sum: 22.14, namespace: 11.07 });
const kanikoCold: Row = { image: 11.08, cache: 10.01, cacheTags: 3, sum: 21.09, namespace: 11.08 };
const buildahCold: Row = { image: 11.07, cache: 11.07, cacheTags: 3, sum: 22.15, namespace: 11.07 };

/** The table, and the strategies that it does not name as those that store alike. */
const TABLE: Partial<Record<keyof typeof STRATEGIES, Record<"cold" | "warm" | "edit 2", Row>>> = {
  "docker/none": always(imageOnly(11.07)),
  "docker/inline": always(imageOnly(11.07)),
  "buildkit/registry-min": oneManifest,
  "buildkit/registry-max": oneManifest,
  "buildkit/inline": always(imageOnly(11.07)),
  "kaniko/none": always(imageOnly(11.08)),
  "kaniko/layers": {
    cold: kanikoCold,
    warm: kanikoCold,
    "edit 2": { image: 11.08, cache: 14.02, cacheTags: 5, sum: 25.1, namespace: 15.09 },
  },
  "buildah/none": always(imageOnly(11.07)),
  "buildah/layers": {
    cold: buildahCold,
    warm: buildahCold,
    "edit 2": { image: 11.07, cache: 15.08, cacheTags: 5, sum: 26.15, namespace: 15.08 },
  },
};

/** kaniko's cache holds no base image. */
const cacheHoldsBase = (strategy: string) => !strategy.startsWith("kaniko/");

let live: LiveTestbed;
beforeAll(async () => {
  live = await openLiveTestbed();
});
afterAll(async () => {
  await live.close();
});

describe("what the strategies store: layers of 5, 3 and 2 MB, the last RUN edited twice", () => {
  const strategies = Object.entries(TABLE) as [keyof typeof STRATEGIES, (typeof TABLE)["docker/none"]][];
  it.concurrent.each(strategies)("%s", async (strategy, rows) => {
    const { record, disk } = await runLiveTrial(live, STRATEGIES[strategy], DOCKERFILE, {
      edits: ["last", "last"],
    });
    expect(record.runs.map(({ scenario, result }) => [scenario, result.outcome])).toStrictEqual(
      ["cold", "warm", "edit 1", "edit 2"].map((scenario) => [scenario, "succeeded"]),
    );
    // Every builder's own output tells build and push apart.
    for (const { phases } of record.runs)
      expect(Number(phases.buildMs) + Number(phases.pushMs)).toBeCloseTo(phases.totalMs, 3);
    record.runs.forEach(({ scenario, ledgers }, index) => {
      const sums = disk[index];
      if (sums === undefined) throw new Error(`nothing was summed after ${scenario}`);
      // To the byte: the ledgers are what the registry's files add up to.
      expect(ledgers).toStrictEqual({
        perRepository: Object.values(sums.perRepository).reduce((total, bytes) => total + bytes, 0),
        namespace: sums.namespaceBytes,
        stored: sums.storedBytes,
        ghcr: sums.ghcrBytes,
      });
      const row = rows?.[scenario as "cold"];
      if (row !== undefined) showsRow(strategy, row, sums);
    });
  });
});

/** To 0.02 MB: the row with this machine's base image in place of the one that was there. */
function showsRow(strategy: string, row: Row, sums: LiveDiskSums): void {
  const bases = row.cache !== null && cacheHoldsBase(strategy) ? 1 : 0;
  const near = (actual: number, mb: number, timesBase: number) => {
    const expected = (mb - timesBase * HAND_BASE_MB) * 1_000_000 + timesBase * sums.baseBytes;
    expect(Math.abs(actual - expected)).toBeLessThan(TOLERANCE_BYTES);
  };
  const image = sums.repositories["group/project/image"];
  const cache = sums.repositories["group/project/image-cache"];
  expect([image?.tags, cache?.tags ?? 0]).toStrictEqual([1, row.cacheTags]);
  near(image?.contentBytes ?? 0, row.image, 1);
  near(cache?.contentBytes ?? 0, row.cache ?? 0, bases);
  near((image?.contentBytes ?? 0) + (cache?.contentBytes ?? 0), row.sum, 1 + bases);
  near(sums.namespaceBytes, row.namespace, 1);
}

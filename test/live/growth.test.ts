import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { STRATEGIES } from "../contracts/strategies.ts";
import { openLiveTestbed, type LiveTestbed } from "./live-testbed.ts";
import { runLiveTrial } from "./live-trial.ts";

const SIZES = [1_200_000, 800_000, 500_000];
const DOCKERFILE = [
  "FROM docker.io/library/busybox:1.36",
  ...SIZES.map((bytes, index) => `RUN head -c ${bytes} /dev/urandom > /layer-${index + 1}`),
  "",
].join("\n");
/** RUNs that are edited, one after the other, and what an edit stores: its own layer and all behind it. */
const EDITS = ["last", 2, "first", "last"] as const;
const SUFFIXES = [500_000, 1_300_000, 2_500_000, 500_000];
/** Tar headers and gzip's own bytes around random content, manifests and configurations. */
const SLACK_BYTES = 30_000;

let live: LiveTestbed;
beforeAll(async () => {
  live = await openLiveTestbed();
});
afterAll(() => live.close());

describe.each(["kaniko/layers", "buildah/layers", "buildkit/registry-max"] as const)(
  "four edits with %s",
  (strategy) => {
    it("grow as the registry's own files say, and every superseded layer has its keeper", async () => {
      const { record, disk } = await runLiveTrial(live, STRATEGIES[strategy], DOCKERFILE, {
        edits: [...EDITS],
      });
      expect(record.runs.map(({ scenario, result }) => `${scenario} ${result.outcome}`)).toStrictEqual(
        ["cold", "warm", "edit 1", "edit 2", "edit 3", "edit 4"].map((scenario) => `${scenario} succeeded`),
      );
      record.runs.forEach(({ ledgers, holding }, index) => {
        const repositories = Object.values(disk[index]?.perRepository ?? {});
        expect(ledgers.stored).toBe(disk[index]?.storedBytes);
        expect(ledgers.perRepository).toBe(repositories.reduce((sum, bytes) => sum + bytes, 0));
        const { image, cache, unreferenced } = holding.perRepository;
        expect(image + cache + unreferenced).toBe(ledgers.perRepository);
        expect(holding.namespace.image + holding.namespace.cache).toBe(ledgers.namespace);
        const onDisk = holding.stored === "unknown" ? null : Object.values(holding.stored);
        expect(onDisk?.reduce((sum, bytes) => sum + bytes, 0)).toBe(ledgers.stored);
      });
      const keepsAll = strategy !== "buildkit/registry-max";
      const namespace = record.runs.map(({ ledgers }) => ledgers.namespace);
      const grown = SUFFIXES.map((_, index) => (namespace[index + 2] ?? 0) - (namespace[index + 1] ?? 0));
      grown.forEach((bytes, index) => {
        const expected = keepsAll ? (SUFFIXES[index] ?? 0) : 0;
        expect(Math.abs(bytes - expected)).toBeLessThan(SLACK_BYTES);
      });
      // One overwritten tag keeps nothing; a tag per instruction keeps what each edit left behind.
      const last = record.runs.at(-1)?.holding;
      const left = keepsAll ? SUFFIXES.reduce((sum, bytes) => sum + bytes, 0) : 0;
      // Random content grows a little when it is compressed.
      expect(Math.abs((last?.supersededBytes ?? -1) - left)).toBeLessThan(0.01 * left + SLACK_BYTES);
      expect(last?.superseded.every(({ keptByCount }) => keptByCount > 0)).toBe(true);
    });
  },
);

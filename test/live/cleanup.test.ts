import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CleanupOutcome } from "../../src/domain/registry.ts";
import { tagsToDelete } from "../../src/registry/cleanup.ts";
import { chargeAll } from "../../src/registry/ledgers.ts";
import { simulateCleanup } from "../../src/trials/simulate-cleanup.ts";
import { STRATEGIES } from "../contracts/strategies.ts";
import { collectWithout, openLiveTestbed, type LiveTestbed } from "./live-testbed.ts";
import { runLiveTrial } from "./live-trial.ts";

const DOCKERFILE = [
  "FROM docker.io/library/busybox:1.36",
  ...[700_000, 500_000, 300_000].map(
    (bytes, index) => `RUN head -c ${bytes} /dev/urandom > /layer-${index + 1}`,
  ),
  "",
].join("\n");

let live: LiveTestbed;
beforeAll(async () => {
  live = await openLiveTestbed();
});
afterAll(() => live.close());

describe("a cleanup that is simulated", () => {
  it.each([
    ["kaniko/layers", 1],
    ["kaniko/layers", 5],
    ["buildah/layers", 1],
    ["buildkit/registry-max", 1],
  ] as const)("leaves what a real one leaves of %s that keeps %s", async (strategy, keepTags) => {
    let simulated: CleanupOutcome | undefined;
    const { record } = await runLiveTrial(live, STRATEGIES[strategy], DOCKERFILE, {
      edits: ["first", "last", "none"],
      async beforeLast(registry, uses) {
        const before = await registry.snapshot();
        const outcomes = simulateCleanup(before, uses, uses[1] ?? null);
        simulated = outcomes.find((outcome) => outcome.keepTags === keepTags);
        // The order of writing, as the registry's own log tells it: what is not written again by each build is old.
        const written = uses.flatMap(({ writtenTags }) => writtenTags);
        const daily = new Set(uses[1]?.writtenTags.map(({ repository, tag }) => `${repository}:${tag}`));
        const deleted = before.repositories.flatMap(({ name, tags }) => {
          const dated = Object.keys(tags).map((tag) => ({
            name: tag,
            writtenDay: daily.has(`${name}:${tag}`)
              ? 10
              : written.findLastIndex((each) => each.repository === name && each.tag === tag) / 1_000,
          }));
          const policy = { keepTags, olderThanDays: 7, nameRegex: ".*", nameRegexKeep: null };
          return tagsToDelete(dated, policy, 10).map((tag) => ({ repository: name, tag }));
        });
        expect(deleted).toHaveLength(simulated?.deletedTags ?? -1);
        await collectWithout(live.testbed, registry.host, deleted);
        expect(chargeAll(await registry.snapshot())).toStrictEqual(simulated?.ledgers);
      },
    });
    expect(record.runs.map(({ result }) => result.outcome)).toStrictEqual(Array(5).fill("succeeded"));
    const next = record.runs.at(-1);
    // The same source as in the run before: all of it is found, or what was deleted is built anew.
    expect(simulated?.neededTags).toBeGreaterThan(0);
    expect(next?.misses === 0).toBe(simulated?.neededDeleted === 0);
    expect(simulated?.neededDeleted === 0).toBe(keepTags === 5 || strategy === "buildkit/registry-max");
  });
});

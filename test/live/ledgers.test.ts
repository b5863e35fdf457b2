import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openLiveTestbed, STRATEGIES, type LiveTestbed } from "./live-testbed.ts";
import { runLiveTrial } from "./live-trial.ts";

const SIZES = [5_000_000, 3_000_000, 2_000_000];
const DOCKERFILE = [
  "FROM docker.io/library/busybox:1.36",
  ...SIZES.map((bytes, index) => `RUN head -c ${bytes} /dev/urandom > /layer-${index + 1}`),
  'CMD ["sh"]',
  "",
].join("\n");
/** Tar headers and gzip's own bytes around random content, and manifests and configs of an image. */
const SLACK_BYTES = 20_000;

let live: LiveTestbed;
beforeAll(async () => {
  live = await openLiveTestbed();
});
afterAll(async () => {
  await live.close();
});

const within = (actual: number, expected: number) => {
  expect(actual).toBeGreaterThanOrEqual(expected);
  expect(actual).toBeLessThanOrEqual(expected + SLACK_BYTES);
};

describe.each(Object.values(STRATEGIES))("$strategy against the registry's files", (recipe) => {
  it.each([1, 2, 3])("stores from the edited RUN %i on, and nothing new when warm", async (edited) => {
    const { record, disk } = await runLiveTrial(live, recipe, DOCKERFILE, { edit: edited });

    expect(record.runs.map((run) => [run.scenario, run.result.outcome])).toEqual([
      ["cold", "succeeded"],
      ["warm", "succeeded"],
      ["edit 1", "succeeded"],
    ]);
    record.runs.forEach((run, index) => {
      expect(run.ledgers.stored).toBe(disk[index]?.storedBytes);
      const repositories = Object.values(disk[index]?.perRepository ?? {});
      expect(run.ledgers.perRepository).toBe(repositories.reduce((sum, bytes) => sum + bytes, 0));
      for (const { name, bytes } of run.repositories) expect(bytes).toBe(disk[index]?.perRepository[name]);
    });
    const [cold, warm, edit] = record.runs;
    if (cold === undefined || warm === undefined || edit === undefined) throw new Error("a run is missing");

    expect([cold.hits, cold.misses]).toEqual([0, 3]);
    expect([warm.hits, warm.misses]).toEqual([3, 0]);
    expect([edit.hits, edit.misses]).toEqual([edited - 1, 4 - edited]);

    // Cold stores the three layers; warm stores no layer again.
    const baseBytes = cold.ledgers.namespace - SIZES.reduce((sum, bytes) => sum + bytes, 0);
    expect(baseBytes).toBeGreaterThan(500_000);
    expect(baseBytes).toBeLessThan(5_000_000);
    expect(Math.abs(warm.ledgers.namespace - cold.ledgers.namespace)).toBeLessThan(100);
    within(Number(warm.ledgers.stored) - Number(cold.ledgers.stored), 0);
    // The edit stores the edited layer and all behind it, whatever becomes of the old ones.
    const suffix = SIZES.slice(edited - 1).reduce((sum, bytes) => sum + bytes, 0);
    within(Number(edit.ledgers.stored) - Number(warm.ledgers.stored), suffix);
    const tagged = recipe.builder === "kaniko" ? suffix : 0;
    within(edit.ledgers.namespace - warm.ledgers.namespace + 200, tagged);
    expect(edit.traffic.pushedBytes).toBeGreaterThanOrEqual(suffix);
  });
});

it("keeps kaniko's superseded cache tags and overwrites docker's one tag", async () => {
  const [inline, layers] = await Promise.all([
    runLiveTrial(live, STRATEGIES["docker/inline"], DOCKERFILE, { edit: "last" }),
    runLiveTrial(live, STRATEGIES["kaniko/layers"], DOCKERFILE, { edit: "last" }),
  ]);
  const tags = (trial: typeof inline) =>
    trial.record.runs.map((run) => run.repositories.map(({ role, tags: count }) => [role, count]));
  const image = ["image", 1];
  const both = ["image and cache", 1];
  expect(tags(inline)).toEqual([[both], [both], [both]]);
  expect(tags(layers)).toEqual([
    [image, ["cache", 3]],
    [image, ["cache", 3]],
    [image, ["cache", 4]],
  ]);
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Recipe } from "../../src/domain/recipe.ts";
import type { EditChoice } from "../../src/trials/image-source.ts";
import type { TrialRecord } from "../../src/trials/run-trial.ts";
import { STRATEGIES } from "./strategies.ts";

/** What a registry's files say, read without any code of the registry room. Bytes. */
export type DiskSums = {
  storedBytes: number;
  /** Each layer once over all repositories, without manifests and configurations. */
  namespaceBytes: number;
  perRepository: Record<string, number>;
};

export type BuilderWorld = {
  /** Runs the scenarios of a recipe with one registry; `disk` is what its files said after each run. */
  trial(
    recipe: Recipe,
    dockerfile: string,
    edits: EditChoice[],
  ): Promise<{ record: TrialRecord; disk: DiskSums[] }>;
  close(): Promise<void>;
};

const SIZES = [5_000_000, 3_000_000, 2_000_000];
const TOTAL = 10_000_000;
const DOCKERFILE = [
  "FROM docker.io/library/busybox:1.36",
  ...SIZES.map((bytes, index) => `RUN head -c ${bytes} /dev/urandom > /layer-${index + 1}`),
  'CMD ["sh"]',
  "",
].join("\n");
/** Tar headers and gzip's own bytes around random content, and manifests and configs of an image. */
const SLACK_BYTES = 25_000;

/** How a strategy behaves: whether a fresh runner finds earlier work, whether old work keeps its tags, layers of an image. */
type Behaviour = { reuses: boolean; keepsTags: boolean; layers: number; tags: Tags[] };
/** Repositories by role with the number of their tags, after each run. */
type Tags = [role: string, tags: number][];

const always = (...tags: Tags): Tags[] => [tags, tags, tags];
const none: Behaviour = { reuses: false, keepsTags: false, layers: 3, tags: always(["image", 1]) };
const inline: Behaviour = { ...none, reuses: true, tags: always(["image and cache", 1]) };
const registry: Behaviour = { ...none, reuses: true, tags: always(["image", 1], ["cache", 1]) };
const layered = (...counts: number[]): Behaviour => ({
  ...none,
  reuses: true,
  keepsTags: true,
  tags: counts.map((count): Tags => [
    ["image", 1],
    ["cache", count],
  ]),
});

/** `tags` are those after an edit of the last RUN. buildah keeps CMD as well, and has one layer in all without --layers. */
const BEHAVIOUR: Record<keyof typeof STRATEGIES, Behaviour> = {
  "docker/none": none,
  "docker/inline": inline,
  "docker/registry-max": registry,
  "buildkit/registry-min": registry,
  "buildkit/registry-max": registry,
  "buildkit/inline": inline,
  "kaniko/none": none,
  "kaniko/layers": layered(3, 3, 4),
  "buildah/none": { ...none, layers: 1 },
  "buildah/layers": layered(4, 4, 6),
};

/** What every builder promises of every strategy; `edited` names the RUNs whose edit is tried, 1-based. */
export function builderContract(
  name: string,
  open: () => Promise<BuilderWorld>,
  edited: (strategy: string) => readonly number[],
): void {
  describe(`${name} keep the contract of builders`, () => {
    let world: BuilderWorld;
    beforeAll(async () => {
      world = await open();
    });
    afterAll(async () => {
      await world.close();
    });

    const strategies = Object.entries(STRATEGIES) as [keyof typeof STRATEGIES, Recipe][];
    const cases = strategies.flatMap(([strategy, recipe]) =>
      edited(strategy).map((run) => ({ strategy, recipe, run })),
    );
    it.concurrent.each(cases)("$strategy, RUN $run edited", async ({ strategy, recipe, run }) => {
      const behaviour = BEHAVIOUR[strategy];
      const { record, disk } = await world.trial(recipe, DOCKERFILE, [run]);
      expect(record.runs.map(({ scenario, result }) => [scenario, result.outcome])).toStrictEqual([
        ["cold", "succeeded"],
        ["warm", "succeeded"],
        ["edit 1", "succeeded"],
      ]);
      expect(record.remarks).toStrictEqual([]);
      agreesWithFiles(record, disk);
      hitsByDigest(record, behaviour, run);
      growsByTheEdit(record, behaviour, run);
      if (run !== SIZES.length) return;
      const tags = record.runs.map(({ repositories }) => repositories.map((use) => [use.role, use.tags]));
      expect(tags).toStrictEqual(behaviour.tags);
    });
  });
}

/** Every ledger is what the registry's files add up to. */
function agreesWithFiles({ runs }: TrialRecord, disk: readonly DiskSums[]): void {
  runs.forEach(({ ledgers, repositories }, index) => {
    const sums = disk[index]?.perRepository ?? {};
    expect(ledgers.stored).toBe(disk[index]?.storedBytes);
    expect(ledgers.namespace).toBe(disk[index]?.namespaceBytes);
    expect(ledgers.perRepository).toBe(Object.values(sums).reduce((sum, bytes) => sum + bytes, 0));
    expect(Object.fromEntries(repositories.map(({ name, bytes }) => [name, bytes]))).toStrictEqual(sums);
  });
}

function hitsByDigest({ runs }: TrialRecord, { reuses, layers }: Behaviour, edited: number): void {
  const kept = reuses ? edited - 1 : 0;
  expect(runs.map(({ hits, misses }) => [hits, misses])).toStrictEqual([
    [0, layers],
    reuses ? [layers, 0] : [0, layers],
    [kept, layers - kept],
  ]);
}

/** Cold stores all layers, warm none where it reuses, an edit those from the edited one on. */
function growsByTheEdit({ runs }: TrialRecord, { reuses, keepsTags }: Behaviour, edited: number): void {
  const [cold, warm, edit] = runs;
  if (cold === undefined || warm === undefined || edit === undefined) throw new Error("a run is missing");
  const baseBytes = cold.ledgers.namespace - TOTAL;
  expect(baseBytes).toBeGreaterThan(500_000);
  expect(baseBytes).toBeLessThan(5_000_000);
  expect(Math.abs(warm.ledgers.namespace - cold.ledgers.namespace)).toBeLessThan(1_000);
  const suffix = reuses ? SIZES.slice(edited - 1).reduce((sum, bytes) => sum + bytes, 0) : TOTAL;
  within(Number(warm.ledgers.stored) - Number(cold.ledgers.stored), reuses ? 0 : TOTAL);
  within(Number(edit.ledgers.stored) - Number(warm.ledgers.stored), suffix);
  within(edit.ledgers.namespace - warm.ledgers.namespace + 1_000, keepsTags ? suffix : 0);
  expect(edit.traffic.pushedBytes).toBeGreaterThanOrEqual(suffix);
}

function within(actual: number, expected: number): void {
  expect(actual).toBeGreaterThanOrEqual(expected);
  expect(actual).toBeLessThanOrEqual(expected + SLACK_BYTES);
}

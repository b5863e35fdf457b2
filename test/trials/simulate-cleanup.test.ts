import { describe, expect, it } from "vitest";
import type { Manifest, Snapshot, TagName } from "../../src/domain/registry.ts";
import { simulateCleanup, type TagUse } from "../../src/trials/simulate-cleanup.ts";

const CACHE = "group/app-cache";
const LATEST: TagName = { repository: "group/app", tag: "latest" };
const entry = (tag: string): TagName => ({ repository: CACHE, tag });

const manifest = (digest: string, layers: Record<string, number>): Manifest => ({
  digest,
  bytes: 1,
  mediaType: "manifest",
  config: null,
  layers: Object.entries(layers).map(([name, bytes]) => ({
    digest: name,
    bytes,
    mediaType: "layer",
    foreign: false,
  })),
  children: [],
});

function held(image: Record<string, number>, cache: Record<string, Record<string, number>>): Snapshot {
  const entries = Object.entries(cache);
  const repositories = [
    { name: "group/app", tags: { latest: "image" }, manifests: { image: manifest("image", image) } },
    {
      name: CACHE,
      tags: Object.fromEntries(entries.map(([tag]) => [tag, `m-${tag}`])),
      manifests: Object.fromEntries(
        entries.map(([tag, layers]) => [`m-${tag}`, manifest(`m-${tag}`, layers)]),
      ),
    },
  ];
  return { repositories: repositories.map((each) => ({ ...each, untagged: [] })), stored: null, faults: [] };
}

/** kaniko, three RUNs; edit 1 of the last, edit 2 of the last: entries c and d are superseded. */
const KANIKO = held(
  { base: 100, a: 50, b: 30, e: 20 },
  { a: { a: 50 }, b: { b: 30 }, c: { c: 20 }, d: { d: 20 }, e: { e: 20 } },
);
const use = (read: string[], written: string[]): TagUse => ({
  readTags: read.map(entry),
  writtenTags: [...written.map(entry), LATEST],
});
const COLD = use([], ["a", "b", "c"]);
const WARM = use(["a", "b", "c"], []);
const RUNS = [COLD, WARM, use(["a", "b"], ["d"]), use(["a", "b"], ["e"])];

describe("a simulated cleanup", () => {
  it("tells for each number of kept tags what stays, and what the next build misses", () => {
    const outcomes = simulateCleanup(KANIKO, RUNS, WARM);
    expect(
      outcomes.map((each) => [each.keepTags, each.deletedTags, each.neededDeleted, each.ledgers.namespace]),
    ).toStrictEqual([
      // The newest entry stays: what the next build asks for first is gone.
      [1, 4, 2, 200],
      [5, 0, 0, 240],
    ]);
    expect(outcomes.every((each) => each.tagsBefore === 6 && each.neededTags === 4)).toBe(true);
  });

  it("takes the oldest first, and hits make nothing younger", () => {
    const more = held(
      { base: 100, a: 50, b: 30, e: 20 },
      {
        x: { x: 1 },
        y: { y: 2 },
        a: { a: 50 },
        b: { b: 30 },
        c: { c: 20 },
        d: { d: 20 },
        e: { e: 20 },
      },
    );
    const early = use([], ["a", "x", "y", "b", "c"]);
    const outcome = simulateCleanup(more, [early, ...RUNS.slice(1)], WARM).find(
      ({ keepTags }) => keepTags === 5,
    );
    // Of a, x, y, b, c, d, e the two oldest go: a, which every build reads first, and x.
    expect(outcome).toMatchObject({ deletedTags: 2, neededDeleted: 1, ledgers: { namespace: 242 } });
  });

  it("deletes nothing of what each pipeline writes anew", () => {
    const buildkit = held({ base: 100, a: 50 }, { cache: { base: 100, a: 50 }, other: { b: 1 } });
    const each = use(["cache"], ["cache"]);
    const [strictest] = simulateCleanup(buildkit, [use([], ["other"]), each, each], each);
    expect(strictest).toMatchObject({ keepTags: 1, deletedTags: 1, neededDeleted: 0, neededTags: 2 });
    // Without a warm run nobody knows what a pipeline writes: the order of writing decides.
    const [alone] = simulateCleanup(buildkit, [use([], ["cache"]), use([], ["other"])], null);
    expect(alone).toMatchObject({ deletedTags: 1, neededDeleted: 0, ledgers: { namespace: 151 } });
  });

  it("has nothing to delete where one tag is overwritten", () => {
    const inline = held({ base: 100, a: 50 }, {});
    const each: TagUse = { readTags: [LATEST], writtenTags: [LATEST] };
    expect(simulateCleanup(inline, [each, each], each)).toMatchObject([
      { keepTags: 1, deletedTags: 0, neededTags: 1, neededDeleted: 0 },
    ]);
  });
});

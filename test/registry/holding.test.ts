import { describe, expect, it } from "vitest";
import type { Manifest, Snapshot } from "../../src/domain/registry.ts";
import { holdingOf } from "../../src/registry/holding.ts";
import { chargeAfterGrace, chargeGhcr, chargeHistory } from "../../src/registry/ledgers.ts";

const layer = (digest: string, bytes: number) => ({ digest, bytes, mediaType: "layer", foreign: false });

const manifest = (digest: string, layers: Record<string, number>): Manifest => ({
  digest,
  bytes: 1,
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  config: { digest: `config-${digest}`, bytes: 10, mediaType: "config", foreign: false },
  layers: Object.entries(layers).map(([name, bytes]) => layer(name, bytes)),
  children: [],
});

/** Repositories as `name -> tag -> layers`, and what the disk holds beside them. */
function snapshotOf(
  repositories: Record<string, Record<string, Record<string, number>>>,
  left: Record<string, number> = {},
): Snapshot {
  const held = Object.entries(repositories).map(([name, tagged]) => {
    const made = Object.entries(tagged).map(([tag, layers]) => ({
      tag,
      manifest: manifest(`${name}-${Object.keys(layers).join("-")}`, layers),
    }));
    return {
      name,
      tags: Object.fromEntries(made.map(({ tag, manifest: each }) => [tag, each.digest])),
      manifests: Object.fromEntries(made.map(({ manifest: each }) => [each.digest, each])),
      untagged: [],
    };
  });
  const stored: Record<string, number> = { ...left };
  for (const { manifests } of held) {
    for (const each of Object.values(manifests)) {
      stored[each.digest] = each.bytes;
      if (each.config !== null) stored[each.config.digest] = each.config.bytes;
      for (const { digest, bytes } of each.layers) stored[digest] = bytes;
    }
  }
  return { repositories: held, stored, faults: [] };
}

const IMAGE = [{ repository: "group/app", tag: "latest" }];

/** kaniko: one tag for each layer; the second layer is edited. */
const kaniko = [
  snapshotOf({}),
  snapshotOf({
    "group/app": { latest: { base: 100, one: 50, two: 20 } },
    "group/app-cache": { aaa: { one: 50 }, bbb: { two: 20 } },
  }),
  snapshotOf({
    "group/app": { latest: { base: 100, one: 50, edited: 21 } },
    "group/app-cache": { aaa: { one: 50 }, bbb: { two: 20 }, ccc: { edited: 21 } },
  }),
];

describe("what a registry holds by role", () => {
  it("is the image's, the cache's, and what waits for garbage collection", () => {
    const holding = holdingOf(kaniko, IMAGE);
    expect(holding).toMatchObject({
      // The image with its manifest and config; three entries of the cache with theirs.
      perRepository: { image: 100 + 50 + 21 + 11, cache: 50 + 20 + 21 + 3 * 11, unreferenced: 0 },
      // A layer of the image is the image's wherever it is counted.
      namespace: { image: 171, cache: 20, unreferenced: 0 },
      stored: { image: 171 + 11, cache: 20 + 3 * 11, unreferenced: 0 },
      tags: 4,
      blobs: 4 + 2 * 4,
    });
  });

  it("names the layers that an edit superseded, and the tags that keep them", () => {
    expect(holdingOf(kaniko, IMAGE)).toMatchObject({
      supersededBytes: 20,
      supersededLayers: 1,
      superseded: [{ digest: "two", bytes: 20, keptBy: ["group/app-cache:bbb"], keptByCount: 1 }],
    });
    expect(holdingOf(kaniko.slice(0, 2), IMAGE)).toMatchObject({ supersededBytes: 0, superseded: [] });
  });

  it("has no superseded layer where one tag was overwritten: its blobs wait on the disk", () => {
    const docker = [
      snapshotOf({ "group/app": { latest: { base: 100, one: 50 } } }),
      snapshotOf({ "group/app": { latest: { base: 100, two: 60 } } }, { one: 50, "group/app-base-one": 1 }),
    ];
    expect(holdingOf(docker, IMAGE)).toMatchObject({
      namespace: { image: 160, cache: 0, unreferenced: 0 },
      stored: { image: 171, cache: 0, unreferenced: 51 },
      supersededBytes: 0,
    });
  });

  it("does not know the disk where it cannot be seen", () => {
    const unseen = { ...snapshotOf({ "group/app": { latest: { base: 1 } } }), stored: null };
    expect(holdingOf([unseen], IMAGE).stored).toBe("unknown");
    expect(holdingOf([], IMAGE)).toMatchObject({ tags: 0, blobs: 0 });
  });
});

describe("ledgers over a history", () => {
  const overwritten = [
    snapshotOf({ "group/app": { latest: { base: 100, one: 50 } } }),
    snapshotOf({ "group/app": { latest: { base: 100, two: 60 } } }),
    snapshotOf({ "group/app": { latest: { base: 100, three: 70 } } }),
  ];

  it("keep every version of a package at GHCR", () => {
    expect(chargeGhcr(overwritten)).toBe(100 + 50 + 60 + 70 + 3 * 11);
    expect(chargeHistory(overwritten)).toStrictEqual({
      perRepository: 181,
      namespace: 170,
      stored: 181,
      ghcr: 313,
    });
  });

  it("keep what GitLab's garbage collection may not take yet", () => {
    const at = (hours: number[]) =>
      overwritten.map((snapshot, index) => ({ snapshot, atHours: hours[index] ?? 0 }));
    // The first version was let go a day ago, the second just now.
    expect(chargeAfterGrace(at([0, 24, 48]))).toBe(100 + 60 + 70 + 2 * 11);
    const [, , last] = at([0, 24, 48]);
    // A day after the last edit only the last version is left.
    expect(chargeAfterGrace([...at([0, 24, 48]), ...(last ? [{ ...last, atHours: 72 }] : [])])).toBe(181);
    // The second version was let go an hour ago, the first five hours ago.
    expect(chargeAfterGrace(at([0, 4, 9]), 24)).toBe(313);
    expect(chargeAfterGrace(at([0, 4, 9]), 5)).toBe(100 + 60 + 70 + 2 * 11);
    expect(chargeAfterGrace([])).toBe(0);
  });
});

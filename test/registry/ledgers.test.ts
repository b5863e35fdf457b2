import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Descriptor, Manifest, Snapshot } from "../../src/domain/registry.ts";
import {
  blobsOf,
  chargeAll,
  chargeNamespace,
  chargePerRepository,
  chargeStored,
  useOf,
} from "../../src/registry/ledgers.ts";

type Repository = Snapshot["repositories"][number];

const layer = (digest: string, bytes: number, foreign = false): Descriptor => ({
  digest,
  bytes,
  mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
  foreign,
});

function manifest(digest: string, bytes: number, layers: Descriptor[], config?: Descriptor): Manifest {
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  return { digest, bytes, mediaType, config: config ?? null, layers, children: [] };
}

/** A repository with one tag for each of its manifests. */
function repository(name: string, ...manifests: Manifest[]): Repository {
  return {
    name,
    tags: Object.fromEntries(manifests.map((each, index) => [`t${index}`, each.digest])),
    manifests: Object.fromEntries(manifests.map((each) => [each.digest, each])),
    untagged: [],
  };
}

const snapshotOf = (...repositories: Repository[]): Snapshot => ({ repositories, stored: null, faults: [] });

const base = layer("base", 1_000_000);
const one = layer("one", 5_000_000);
const two = layer("two", 700_000);
const config = layer("config", 2_000);
const image = manifest("image", 900, [base, one, two], config);

describe("ledgers on snapshots made by hand", () => {
  it("charge nothing for nothing", () => {
    expect(chargeAll({ repositories: [], stored: {}, faults: [] })).toStrictEqual({
      perRepository: 0,
      namespace: 0,
      stored: 0,
    });
    expect(chargeAll(snapshotOf())).toStrictEqual({ perRepository: 0, namespace: 0, stored: "unknown" });
  });

  it("charge one image with its manifest and configuration, and by GitLab's count without", () => {
    expect(chargeAll(snapshotOf(repository("group/app", image)))).toStrictEqual({
      perRepository: 6_702_900,
      namespace: 6_700_000,
      stored: "unknown",
    });
  });

  it("charge a layer that two tags share once", () => {
    const other = manifest("other", 901, [base, two], config);
    const snapshot = snapshotOf(repository("group/app", image, other));
    expect(chargePerRepository(snapshot)).toBe(6_702_900 + 901);
    expect(chargeNamespace(snapshot)).toBe(6_700_000);
  });

  it("charge a cache beside its image twice per repository and once in its root namespace", () => {
    const caches = [one, two].map((each) => manifest(`cache-${each.digest}`, 600, [each], config));
    const snapshot = snapshotOf(
      repository("group/app", image),
      repository("group/team/app-cache", ...caches),
    );
    expect(chargePerRepository(snapshot)).toBe(6_702_900 + 5_000_000 + 700_000 + 2_000 + 1_200);
    expect(chargeNamespace(snapshot)).toBe(6_700_000);
  });

  it("charge a layer again in another root namespace", () => {
    const snapshot = snapshotOf(repository("group/app", image), repository("fork/app", image));
    expect(chargeNamespace(snapshot)).toBe(13_400_000);
    expect(chargePerRepository(snapshot)).toBe(13_405_800);
  });

  it("take a repository without a slash for a namespace of its own", () => {
    const snapshot = snapshotOf(
      repository("app", image),
      repository("app/cache", image),
      repository("apple", image),
    );
    expect(chargeNamespace(snapshot)).toBe(2 * 6_700_000);
  });

  it("charge no foreign layers", () => {
    const foreign = manifest("windows", 500, [layer("huge", 9_000_000_000, true), two]);
    const snapshot = snapshotOf(repository("group/app", foreign));
    expect(chargePerRepository(snapshot)).toBe(700_500);
    expect(chargeNamespace(snapshot)).toBe(700_000);
  });

  it("charge a layer that stands twice in a manifest once", () => {
    const twice = manifest("twice", 400, [two, two, base, two]);
    expect(chargeAll(snapshotOf(repository("group/app", twice)))).toStrictEqual({
      perRepository: 1_700_400,
      namespace: 1_700_000,
      stored: "unknown",
    });
  });

  it("charge the disk by its files, whatever tags reach", () => {
    expect(chargeStored({ ...snapshotOf(), stored: { a: 1, b: 20, c: 300 } })).toBe(321);
    expect(chargeStored(snapshotOf(repository("group/app", image)))).toBe("unknown");
  });
});

describe("the use of repositories", () => {
  const snapshot = snapshotOf(
    repository("group/c", image),
    repository("group/b", image, manifest("second", 10, [base])),
    repository("group/a", manifest("third", 30, [two])),
  );

  it("is told in order of names, with tags, bytes and role", () => {
    expect(useOf(snapshot, ["group/c", "group/b"], ["group/b", "group/a"])).toStrictEqual([
      { name: "group/a", role: "cache", tags: 1, bytes: 700_030 },
      { name: "group/b", role: "image and cache", tags: 2, bytes: 6_702_910 },
      { name: "group/c", role: "image", tags: 1, bytes: 6_702_900 },
    ]);
  });

  it("adds up to the charge per repository", () => {
    const total = useOf(snapshot, [], []).reduce((sum, { bytes }) => sum + bytes, 0);
    expect(total).toBe(chargePerRepository(snapshot));
  });
});

/** Content that digests name: the same size wherever a digest stands. */
const POOL = fc.array(fc.record({ bytes: fc.nat({ max: 2 ** 40 }), foreign: fc.boolean() }), {
  minLength: 4,
  maxLength: 12,
});

const SNAPSHOT = POOL.chain((pool) => {
  const descriptor = fc
    .nat({ max: pool.length - 1 })
    .map((index) => layer(`d${index}`, pool[index]?.bytes ?? 0, pool[index]?.foreign ?? false));
  const own = fc.record({
    key: fc.nat({ max: 9 }),
    layers: fc.array(descriptor, { maxLength: 6 }),
    config: fc.option(descriptor),
  });
  const name = fc.constantFrom("a/x", "a/y", "a/x/cache", "b/x", "b/y", "c");
  const some = fc.uniqueArray(fc.record({ name, own: fc.uniqueArray(own, { selector: ({ key }) => key }) }), {
    selector: (each) => each.name,
  });
  return some.map((repositories) =>
    snapshotOf(
      ...repositories.map(({ name, own }) =>
        // A manifest's content, and so its digest, is its repository's own here.
        repository(
          name,
          ...own.map(({ key, layers, config }) =>
            manifest(
              `m-${name}-${key}`,
              100 + key,
              layers,
              config === null ? undefined : { ...config, foreign: false },
            ),
          ),
        ),
      ),
    ),
  );
});

/** Lines `scope digest bytes`, each once; the charge is the sum of their last words. */
function independentSum(snapshot: Snapshot, scopeOf: (name: string) => string, layersOnly: boolean): number {
  const lines = new Set<string>();
  for (const { name, manifests } of snapshot.repositories) {
    for (const each of Object.values(manifests)) {
      const parts = each.layers.filter(({ foreign }) => !foreign);
      if (!layersOnly)
        parts.push(layer(each.digest, each.bytes), ...(each.config === null ? [] : [each.config]));
      for (const { digest, bytes } of parts) lines.add(`${scopeOf(name)} ${digest} ${bytes}`);
    }
  }
  return [...lines].reduce((sum, text) => sum + Number(text.slice(text.lastIndexOf(" "))), 0);
}

describe("ledgers on any snapshot", () => {
  it("agree with an independent sum", () => {
    fc.assert(
      fc.property(SNAPSHOT, (snapshot) => {
        expect(chargePerRepository(snapshot)).toBe(independentSum(snapshot, (name) => name, false));
        const root = (name: string) => name.replace(/\/.*/, "");
        expect(chargeNamespace(snapshot)).toBe(independentSum(snapshot, root, true));
      }),
    );
  });

  it("never charge a namespace more than its repositories", () => {
    fc.assert(
      fc.property(SNAPSHOT, (snapshot) => {
        expect(chargeNamespace(snapshot)).toBeLessThanOrEqual(chargePerRepository(snapshot));
      }),
    );
  });

  it("do not depend on the order of repositories", () => {
    fc.assert(
      fc.property(SNAPSHOT, fc.infiniteStream(fc.nat()), (snapshot, keys) => {
        const keyed = snapshot.repositories.map((each) => ({ each, key: keys.next().value ?? 0 }));
        const shuffled = keyed.toSorted((a, b) => a.key - b.key).map(({ each }) => each);
        expect(chargeAll({ ...snapshot, repositories: shuffled })).toStrictEqual(chargeAll(snapshot));
      }),
    );
  });

  it("charge a repository what its blobs are", () => {
    fc.assert(
      fc.property(SNAPSHOT, (snapshot) => {
        const each = snapshot.repositories.map((own) =>
          chargePerRepository({ ...snapshot, repositories: [own] }),
        );
        const blobs = snapshot.repositories.map((own) =>
          [...blobsOf(own).values()].reduce((a, b) => a + b, 0),
        );
        expect(each).toStrictEqual(blobs);
      }),
    );
  });
});

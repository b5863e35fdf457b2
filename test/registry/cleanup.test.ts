import { describe, expect, it } from "vitest";
import type { Manifest, Snapshot } from "../../src/domain/registry.ts";
import {
  chargeAfterCleanup,
  tagsToDelete,
  withoutTags,
  type CleanupPolicy,
} from "../../src/registry/cleanup.ts";

const POLICY: CleanupPolicy = { keepTags: null, olderThanDays: null, nameRegex: ".*", nameRegexKeep: null };
const tags = (written: Record<string, number>) =>
  Object.entries(written).map(([name, writtenDay]) => ({ name, writtenDay }));

describe("tags that GitLab's cleanup deletes", () => {
  const deleted = (written: Record<string, number>, policy: Partial<CleanupPolicy>, today = 100) =>
    tagsToDelete(tags(written), { ...POLICY, ...policy }, today).toSorted();

  it("are never latest, however old it is", () => {
    expect(deleted({ latest: 0, old: 1 }, {})).toStrictEqual(["old"]);
  });

  it("are all but the newest, and latest is none of these", () => {
    expect(deleted({ latest: 9, a: 1, b: 3, c: 2, d: 4 }, { keepTags: 2 })).toStrictEqual(["a", "c"]);
  });

  it("are older than so many days, and not as old", () => {
    expect(deleted({ a: 92, b: 93, c: 94, d: 92.9 }, { olderThanDays: 7 })).toStrictEqual(["a", "d"]);
  });

  it("are those that a pattern matches whole and no other one spares", () => {
    const written = { "v1.0": 1, "main-1": 2, main: 3, "x-main-1": 4 };
    expect(deleted(written, { nameRegex: "main.*" })).toStrictEqual(["main", "main-1"]);
    expect(deleted(written, { nameRegexKeep: "v.+" })).toStrictEqual(["main", "main-1", "x-main-1"]);
  });

  it("are more than is meant where a pattern has alternatives without a group: each end is anchored once", () => {
    const written = { "a-long": 1, a: 2, "long-b": 3, b: 4, "x-a-x": 5 };
    expect(deleted(written, { nameRegex: "a|b" })).toStrictEqual(["a", "a-long", "b", "long-b"]);
    expect(deleted(written, { nameRegex: "(?:a|b)" })).toStrictEqual(["a", "b"]);
  });

  it("are kept anew in each thousand, in the order of names", () => {
    const many = Object.fromEntries(
      Array.from({ length: 1_500 }, (_, index) => [`t${String(index).padStart(4, "0")}`, index]),
    );
    const gone = deleted(many, { keepTags: 1 });
    expect(gone).toHaveLength(1_498);
    expect(gone).not.toContain("t0999");
    expect(gone).not.toContain("t1499");
  });

  it("are none where nothing is left to choose from", () => {
    expect(deleted({}, { keepTags: 1 })).toStrictEqual([]);
    expect(deleted({ a: 1 }, { keepTags: 5, olderThanDays: 7 })).toStrictEqual([]);
  });
});

const layer = (digest: string, bytes: number) => ({ digest, bytes, mediaType: "layer", foreign: false });
const manifest = (digest: string, layers: Record<string, number>, children: string[] = []): Manifest => ({
  digest,
  bytes: 7,
  mediaType: "manifest",
  config: children.length > 0 ? null : { ...layer(`config-${digest}`, 11) },
  layers: Object.entries(layers).map(([name, bytes]) => layer(name, bytes)),
  children,
});

/** The image's layers are in its cache as well; `old` is held by one entry of the cache alone. */
const HELD: Snapshot = {
  repositories: [
    {
      name: "group/app",
      tags: { latest: "index" },
      manifests: {
        index: manifest("index", {}, ["image"]),
        image: manifest("image", { base: 100, one: 50, new: 21 }),
      },
      untagged: [],
    },
    {
      name: "group/app-cache",
      tags: { aaa: "m-one", bbb: "m-old", ccc: "m-new" },
      manifests: {
        "m-one": manifest("m-one", { one: 50 }),
        "m-old": manifest("m-old", { old: 20 }),
        "m-new": manifest("m-new", { new: 21 }),
        signature: manifest("signature", { signed: 3 }),
      },
      untagged: ["signature"],
    },
  ],
  stored: {
    index: 7,
    image: 7,
    "config-image": 11,
    base: 100,
    one: 50,
    new: 21,
    "m-one": 7,
    "config-m-one": 11,
    "m-old": 7,
    "config-m-old": 11,
    old: 20,
    "m-new": 7,
    "config-m-new": 11,
    signature: 7,
    "config-signature": 11,
    signed: 3,
    garbage: 1_000,
  },
  faults: [],
};

describe("what is charged after a cleanup", () => {
  const after = withoutTags(HELD, [{ repository: "group/app-cache", tag: "bbb" }]);

  it("is what tags still reach, by each ledger, with the disk collected", () => {
    const app = 7 + 7 + 11 + 171;
    const cache = 18 + 50 + 18 + 21 + 21;
    expect(chargeAfterCleanup(HELD, after)).toStrictEqual({
      perRepository: app + cache,
      namespace: 171,
      stored: app + cache - 50 - 21,
    });
  });

  it("keeps a layer that another tag of the same name in another repository does not hold", () => {
    const other = withoutTags(HELD, [{ repository: "group/app", tag: "bbb" }]);
    expect(chargeAfterCleanup(HELD, other).namespace).toBe(171 + 20);
  });

  it("is not known of a disk that nobody sees", () => {
    const unseen = { ...HELD, stored: null };
    expect(chargeAfterCleanup(unseen, withoutTags(unseen, [])).stored).toBe("unknown");
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Outage } from "../../src/domain/problem.ts";
import type { Snapshot } from "../../src/domain/registry.ts";
import { createRegistryClient } from "../../src/registry/client.ts";
import { chargeAll, chargePerRepository } from "../../src/registry/ledgers.ts";
import { takeSnapshot } from "../../src/registry/snapshot.ts";
import { PATIENCE } from "../../src/registry/registry-http.ts";
import { sha256, startFakeRegistry, type FakeRegistry } from "../fakes/registry.ts";
import { pushAttestedImage, pushed, pushImage, pushManifest, TYPES } from "../fakes/registry-content.ts";

let registry: FakeRegistry;

beforeEach(async () => {
  registry = await startFakeRegistry({ pageSize: 7 });
});

afterEach(() => registry.close());

async function snapshot(stored: Snapshot["stored"] = null): Promise<Snapshot> {
  const client = createRegistryClient(registry.origin);
  return takeSnapshot(client, await client.repositories(), stored);
}

/** Requests for manifests of a repository. */
const manifestRequests = () => registry.requests.filter((request) => request.includes("/manifests/"));

describe("a snapshot", () => {
  it("of an empty registry is empty, and what is stored is handed through", async () => {
    expect(await snapshot({ "sha256:1": 5 })).toStrictEqual({
      repositories: [],
      stored: { "sha256:1": 5 },
      faults: [],
    });
  });

  it("holds what tags reach, each tag with its digest, and leaves out what no tag reaches", async () => {
    const old = pushImage(registry, "group/app", "latest", ["base", "old"]);
    const fresh = pushImage(registry, "group/app", "latest", ["base", "new"]);
    registry.blob("group/broken", "pushed before the build was killed");
    const taken = await snapshot();
    expect(taken.repositories.map(({ name, tags }) => ({ name, tags }))).toStrictEqual([
      { name: "group/app", tags: { latest: fresh.digest } },
    ]);
    expect(Object.keys(taken.repositories[0]?.manifests ?? {})).toStrictEqual([fresh.digest]);
    expect(old.digest).not.toBe(fresh.digest);
  });

  it("follows an index to its image and its attestation, once each", async () => {
    const { index, image, attestation } = pushAttestedImage(registry, "app", "latest", ["one", "two"]);
    const taken = await snapshot();
    const [repository] = taken.repositories;
    expect(Object.keys(repository?.manifests ?? {})).toStrictEqual([index, image, attestation]);
    expect([repository?.untagged, taken.faults]).toStrictEqual([[], []]);
    expect(manifestRequests()).toStrictEqual([
      "GET /v2/app/manifests/latest",
      `GET /v2/app/manifests/${image}`,
      `GET /v2/app/manifests/${attestation}`,
    ]);
  });

  it("reads many repositories with many tags, each manifest where it belongs", async () => {
    const expected: Record<string, number> = {};
    for (let repository = 0; repository < 9; repository++) {
      for (let tag = 0; tag < 10 + repository; tag++) {
        pushImage(registry, `group/app-${repository}`, `t${tag}`, ["base", `${repository}/${tag}`]);
      }
      expected[`group/app-${repository}`] = 10 + repository;
    }
    const taken = await snapshot();
    const tags = taken.repositories.map(({ name, tags }) => [name, Object.keys(tags).length]);
    expect(Object.fromEntries(tags)).toStrictEqual(expected);
    // The shared base; a layer of three bytes for each of 126 tags; one byte more for each of the 36 from t10 on.
    expect(chargeAll(taken).namespace).toBe(4 + 126 * 3 + 36);
  });

  it("is the same whichever answer comes first", async () => {
    for (let tag = 0; tag < 40; tag++) pushImage(registry, "app", `t${tag}`, ["base", `layer ${tag}`]);
    const first = await snapshot();
    for (const tag of [1, 3, 5, 7, 9]) {
      registry.disturb({ path: new RegExp(`manifests/t${tag}$`), status: 503, times: 1 });
    }
    const client = createRegistryClient(registry.origin, { ...PATIENCE, retryWaitMs: 20 });
    const second = await takeSnapshot(client, ["app"], null);
    expect(JSON.stringify(second)).toBe(JSON.stringify(first));
  });

  it("keeps a tag that is named like a part of every object", async () => {
    const { digest } = pushImage(registry, "app", "__proto__", ["one"]);
    pushImage(registry, "app", "constructor", ["two"]);
    const [repository] = (await snapshot()).repositories;
    expect(Object.entries(repository?.tags ?? {})).toContainEqual(["__proto__", digest]);
    expect(Object.keys(repository?.tags ?? {})).toHaveLength(2);
  });

  it("takes sizes from the disk without asking, and asks where the disk is not seen", async () => {
    pushImage(registry, "app", "latest", ["one", "two"]);
    const heads = () => registry.requests.filter((request) => request.startsWith("HEAD")).length;
    const seen = await snapshot(registry.stored());
    expect(heads()).toBe(0);
    const unseen = await snapshot();
    expect(heads()).toBe(3);
    expect(seen.repositories).toStrictEqual(unseen.repositories);
  });

  it("reads ten thousand layers", async () => {
    const layers = Array.from({ length: 10_000 }, (_, index) => `layer ${index}`);
    pushImage(registry, "app", "latest", layers);
    const taken = await snapshot(registry.stored());
    expect(chargeAll(taken).namespace).toBe(layers.join("").length);
    expect(taken.faults).toStrictEqual([]);
  });

  it("asks sixteen things at one time at the most", async () => {
    await registry.close();
    registry = await startFakeRegistry({ delayMs: 3 });
    const layers = Array.from({ length: 200 }, (_, index) => `layer ${index}`);
    for (let tag = 0; tag < 40; tag++) pushImage(registry, "app", `t${tag}`, layers.slice(tag));
    expect((await snapshot()).faults).toStrictEqual([]);
    expect(registry.requests.length).toBeGreaterThan(240);
    expect(registry.mostAtOnce()).toBe(16);
  });
});

describe("what a registry names and does not hold as named", () => {
  const faults = async (stored: Snapshot["stored"] = null) => (await snapshot(stored)).faults;

  it("is a child that is gone: named, and 0 bytes", async () => {
    const image = pushImage(registry, "app", null, ["one"]);
    const gone = { mediaType: TYPES.manifest, digest: sha256("gone"), size: 700 };
    const index = pushManifest(registry, "app", "latest", TYPES.index, {
      manifests: [gone, { mediaType: TYPES.manifest, digest: image.digest, size: image.bytes }],
    });
    const taken = await snapshot();
    expect(taken.faults).toStrictEqual([
      {
        kind: "manifest-missing",
        repository: "app",
        namedBy: index.digest,
        digest: gone.digest,
        said: `app@${index.digest} names the manifest ${gone.digest} of 700 bytes, which is not there: it counts 0 bytes.`,
      },
    ]);
    expect(chargeAll(taken).namespace).toBe(3);
  });

  it("is a tag that was listed and is gone", async () => {
    const { digest } = pushImage(registry, "app", "latest", ["one"]);
    registry.lose("app", digest);
    pushImage(registry, "app", "other", ["two"]);
    const taken = await snapshot();
    expect(taken.faults).toStrictEqual([
      {
        kind: "manifest-missing",
        repository: "app",
        namedBy: "latest",
        digest: "",
        said: "app lists latest among its tags and has no such manifest.",
      },
    ]);
    expect(Object.keys(taken.repositories[0]?.tags ?? {})).toStrictEqual(["other"]);
  });

  it("is a tag that would lead elsewhere", async () => {
    pushImage(registry, "app", "latest", ["one"]);
    registry.disturb({ path: /tags/, body: '{"tags":["../../_catalog"]}' });
    expect((await faults()).map(({ said }) => said)).toStrictEqual([
      "app lists ../../_catalog among its tags and has no such manifest.",
    ]);
    expect(manifestRequests()).toStrictEqual(["GET /v2/app/manifests/..%2F..%2F_catalog"]);
  });

  it("is a blob that is gone: named once, and 0 bytes", async () => {
    const layer = pushed(registry, "app", TYPES.layer, "lost");
    const { digest } = pushManifest(registry, "app", "latest", TYPES.manifest, {
      config: pushed(registry, "app", TYPES.config, "{}"),
      layers: [layer, layer, pushed(registry, "app", TYPES.layer, "kept")],
    });
    registry.lose("app", layer.digest);
    for (const stored of [null, registry.stored()]) {
      const taken = await snapshot(stored);
      expect(taken.faults).toStrictEqual([
        {
          kind: "blob-missing",
          repository: "app",
          namedBy: digest,
          digest: layer.digest,
          said: `app@${digest} names the blob ${layer.digest} of 4 bytes, which is not there: it counts 0 bytes.`,
        },
      ]);
      expect(chargeAll(taken).namespace).toBe(4);
      expect(chargePerRepository(taken)).toBe(4 + 2 + (taken.repositories[0]?.manifests[digest]?.bytes ?? 0));
    }
  });

  it("is a size that the blob does not have: named, and counted by the blob", async () => {
    const layer = { ...pushed(registry, "app", TYPES.layer, "five!"), size: 5_000_000 };
    const config = { ...pushed(registry, "app", TYPES.config, "{}"), size: 1 };
    const { digest } = pushManifest(registry, "app", "latest", TYPES.manifest, { config, layers: [layer] });
    const taken = await snapshot();
    expect(taken.faults.map(({ kind, said }) => [kind, said])).toStrictEqual([
      ["size-differs", `app@${digest} says that ${config.digest} has 1 bytes; it has 2.`],
      ["size-differs", `app@${digest} says that ${layer.digest} has 5000000 bytes; it has 5.`],
    ]);
    expect(chargeAll(taken).namespace).toBe(5);
  });

  it("is the size of a manifest in an index", async () => {
    const image = pushImage(registry, "app", null, ["one"]);
    const { digest } = pushManifest(registry, "app", "latest", TYPES.index, {
      manifests: [{ mediaType: TYPES.manifest, digest: image.digest, size: image.bytes + 1 }],
    });
    expect((await faults()).map(({ kind, said }) => [kind, said])).toStrictEqual([
      [
        "size-differs",
        `app@${digest} says that ${image.digest} has ${image.bytes + 1} bytes; it has ${image.bytes}.`,
      ],
    ]);
  });

  it("is an entry without a type or of an unknown one, counted as what it is", async () => {
    const image = pushImage(registry, "app", null, ["image"]);
    const blob = pushed(registry, "app", "application/vnd.example.blob", "seven b");
    const untyped = { digest: image.digest, size: image.bytes };
    const { digest, size } = pushManifest(registry, "app", "latest", TYPES.index, {
      manifests: [untyped, blob],
    });
    const taken = await snapshot();
    expect(taken.faults.map(({ kind, digest: of, said }) => [kind, of, said])).toStrictEqual([
      [
        "type-unknown",
        image.digest,
        `app@${digest} names ${image.digest} with no type: it is counted as a manifest, which it is.`,
      ],
      [
        "type-unknown",
        blob.digest,
        `app@${digest} names ${blob.digest} with the unknown type application/vnd.example.blob: it is counted as a blob, which it is.`,
      ],
    ]);
    expect(chargeAll(taken).namespace).toBe(5 + 7);
    const config = taken.repositories[0]?.manifests[image.digest]?.config?.bytes ?? 0;
    expect(chargePerRepository(taken)).toBe(size + 7 + image.bytes + 5 + config);
  });

  it("is a manifest of an unknown type, read by the usual fields", async () => {
    const type = "application/vnd.example.manifest+json";
    const { digest, size } = pushManifest(registry, "app", "latest", type, {
      layers: [pushed(registry, "app", TYPES.layer, "one")],
    });
    const taken = await snapshot();
    expect(taken.faults.map(({ kind, said }) => [kind, said])).toStrictEqual([
      ["type-unknown", `app@${digest} has the unknown type ${type}: it is read by the usual fields.`],
    ]);
    expect(chargePerRepository(taken)).toBe(size + 3);
  });

  it("is an Outage where the bytes of a child are not what the index names", async () => {
    const { image } = pushAttestedImage(registry, "app", "latest", ["one"]);
    registry.disturb({ path: new RegExp(`manifests/${image}`), body: '{"schemaVersion":2}' });
    await expect(snapshot()).rejects.toThrow(
      new Outage(
        `/v2/app/manifests/${image} is not what its digest names: ${image} was asked for or announced, the bytes are ${sha256('{"schemaVersion":2}')}.`,
        "Do not trust this registry's content; look at its storage.",
      ),
    );
  });

  it("is an Outage that ends all questions where the registry fails in the middle", async () => {
    for (let tag = 0; tag < 300; tag++) pushImage(registry, "app", `t${tag}`, ["base", `layer ${tag}`]);
    registry.disturb({ path: /manifests\/t10$/, status: 401 });
    await expect(snapshot()).rejects.toThrow(
      new Outage("The registry answered 401 to /v2/app/manifests/t10.", "Run it again."),
    );
    // What was under way arrives still; of 300 manifests most were never asked for.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(manifestRequests().length).toBeLessThan(200);
  });

  it("is an Outage where manifests are more than memory should hold", async () => {
    const body = `{"pad":"${" ".repeat(4_000_000)}"}`;
    for (let tag = 0; tag < 34; tag++)
      registry.manifest("app", `t${tag}`, { body, mediaType: TYPES.manifest });
    await expect(snapshot()).rejects.toThrow(
      new Outage(
        "The registry holds more than 100000 manifests or 134217728 bytes of them.",
        "Look at what was pushed there.",
      ),
    );
  });
});

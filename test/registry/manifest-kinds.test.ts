import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Snapshot } from "../../src/domain/registry.ts";
import { createRegistryClient } from "../../src/registry/client.ts";
import { chargeAll } from "../../src/registry/ledgers.ts";
import { takeSnapshot } from "../../src/registry/snapshot.ts";
import { sha256, startFakeRegistry, type FakeRegistry } from "../fakes/registry.ts";
import {
  pushAttestedImage,
  pushed,
  pushImage,
  pushManifest,
  signSchema1,
  TYPES,
  type Described,
} from "../fakes/registry-content.ts";

let registry: FakeRegistry;

beforeEach(async () => {
  registry = await startFakeRegistry({ pageSize: 3 });
});

afterEach(() => registry.close());

/** A registry with a list of referrers instead of the one without. */
async function withReferrers(): Promise<void> {
  await registry.close();
  registry = await startFakeRegistry({ pageSize: 3, referrers: true });
}

async function snapshot(): Promise<Snapshot> {
  const client = createRegistryClient(registry.origin);
  return takeSnapshot(client, await client.repositories(), registry.stored());
}

const blob = (mediaType: string, content: string) => pushed(registry, "g/app", mediaType, content);
const push = (tag: string | null, mediaType: string, fields: Record<string, unknown>) =>
  pushManifest(registry, "g/app", tag, mediaType, fields);
const manifestsAsked = () => registry.requests.filter((request) => request.includes("/manifests/"));
const about = (subject: Described) => ({
  config: blob(TYPES.empty, "{}"),
  layers: [blob(TYPES.attestation, "signature")],
  subject,
});

describe("ledgers of each kind of content", () => {
  it.each([
    ["OCI", TYPES.manifest, TYPES.config, TYPES.layer],
    ["OCI with zstd", TYPES.manifest, TYPES.config, TYPES.zstdLayer],
    ["Docker schema 2", TYPES.dockerManifest, TYPES.dockerConfig, TYPES.dockerLayer],
    ["an artifact", TYPES.manifest, TYPES.empty, "application/vnd.example.thing"],
  ])("of an image (%s)", async (_, type, configType, layerType) => {
    const { size } = push("v1", type, {
      config: blob(configType, "{}"),
      layers: [blob(layerType, "first"), blob(layerType, "second")],
    });
    const taken = await snapshot();
    expect(taken.faults).toStrictEqual([]);
    expect(chargeAll(taken)).toStrictEqual({
      perRepository: size + 2 + 11,
      namespace: 11,
      stored: size + 13,
    });
  });

  it("of an artifact from before OCI 1.1", async () => {
    const { size } = push("v1", "application/vnd.oci.artifact.manifest.v1+json", {
      blobs: [blob("text/plain", "words")],
    });
    expect(chargeAll(await snapshot())).toStrictEqual({
      perRepository: size + 5,
      namespace: 5,
      stored: size + 5,
    });
  });

  it("of an index in an index, with an attestation of unknown/unknown", async () => {
    const { index } = pushAttestedImage(registry, "g/app", "latest", ["one", "three"]);
    const outer = push("all", TYPES.dockerList, {
      manifests: [
        {
          mediaType: TYPES.index,
          digest: index,
          size: registry.stored()[index],
          platform: { os: "unknown" },
        },
      ],
    });
    const taken = await snapshot();
    const stored = Object.values(registry.stored()).reduce((sum, bytes) => sum + bytes, 0);
    expect(taken.faults).toStrictEqual([]);
    // The statement of the attestation is a layer too: 45 bytes.
    expect(chargeAll(taken)).toStrictEqual({ perRepository: stored, namespace: 3 + 5 + 45, stored });
    expect(Object.keys(taken.repositories[0]?.manifests ?? {})).toHaveLength(4);
    expect(taken.repositories[0]?.tags["all"]).toBe(outer.digest);
  });

  it("of a BuildKit cache as an image, layers twice and its configuration", async () => {
    const layer = blob(TYPES.layer, "cached");
    const { size } = push("cache", TYPES.manifest, {
      config: blob(TYPES.cacheConfig, '{"layers":[]}'),
      layers: [layer, blob(TYPES.layer, "x"), layer],
    });
    expect(chargeAll(await snapshot())).toStrictEqual({
      perRepository: size + 13 + 7,
      namespace: 7,
      stored: size + 20,
    });
  });

  it.each([
    ["an OCI index", TYPES.index, TYPES.layer],
    ["a Docker manifest list", TYPES.dockerList, TYPES.dockerLayer],
  ])(
    "of a BuildKit cache as %s of blobs, none of which is asked for as a manifest",
    async (_, type, layerType) => {
      const { size } = push("cache", type, {
        manifests: [
          blob(layerType, "cached"),
          blob(layerType, "x"),
          blob(TYPES.cacheConfig, '{"layers":[]}'),
        ],
      });
      const taken = await snapshot();
      expect(manifestsAsked()).toStrictEqual(["GET /v2/g/app/manifests/cache"]);
      expect(taken.faults).toStrictEqual([]);
      expect(chargeAll(taken)).toStrictEqual({
        perRepository: size + 13 + 7,
        namespace: 7,
        stored: size + 20,
      });
    },
  );

  it("of foreign layers, which are stored elsewhere: 0", async () => {
    const elsewhere = (mediaType: string, name: string, urls?: string[]) => ({
      mediaType,
      digest: sha256(name),
      size: 1_000_000,
      ...(urls === undefined ? {} : { urls }),
    });
    const { size } = push("windows", TYPES.dockerManifest, {
      config: blob(TYPES.dockerConfig, "{}"),
      layers: [
        elsewhere(TYPES.foreignLayer, "a", ["https://example.org/a"]),
        elsewhere(TYPES.nonDistributable, "b"),
        elsewhere(TYPES.layer, "c", ["https://example.org/c"]),
        blob(TYPES.dockerLayer, "own"),
      ],
    });
    const taken = await snapshot();
    expect(taken.faults).toStrictEqual([]);
    expect(registry.requests.filter((request) => request.startsWith("HEAD"))).toStrictEqual([]);
    expect(chargeAll(taken)).toStrictEqual({ perRepository: size + 2 + 3, namespace: 3, stored: size + 5 });
  });

  it("of schema 1, whose sizes are the blobs', the empty layer once", async () => {
    const [empty, layer] = ["empty", "a layer"].map((text) => registry.blob("g/app", text));
    const fsLayers = [empty, layer, empty, empty].map((blobSum) => ({ blobSum }));
    const { served, payload } = signSchema1({ name: "g/app", tag: "old", fsLayers });
    const mediaType = TYPES.signedSchema1;
    registry.manifest("g/app", "old", { body: served, mediaType, digest: sha256(payload) });
    const client = createRegistryClient(registry.origin);
    const taken = await takeSnapshot(client, ["g/app"], null);
    expect(taken.faults).toStrictEqual([]);
    expect(registry.requests.filter((request) => request.startsWith("HEAD"))).toHaveLength(2);
    expect(chargeAll(taken)).toStrictEqual({
      perRepository: payload.length + 5 + 7,
      namespace: 5 + 7,
      stored: "unknown",
    });
  });

  it("of schema 1 with a layer that is gone: named without a size", async () => {
    const digest = sha256("gone");
    push("old", TYPES.schema1, { fsLayers: [{ blobSum: digest }, { blobSum: digest }] });
    const { faults } = await snapshot();
    expect(faults.map(({ kind, said }) => [kind, said.replace(/@\S+/, "")])).toStrictEqual([
      ["blob-missing", `g/app names the blob ${digest}, which is not there: it counts 0 bytes.`],
    ]);
  });
});

describe("referrers", () => {
  it("without a tag are in their repository's ledger and marked, and not in GitLab's", async () => {
    await withReferrers();
    const image = pushImage(registry, "g/app", "latest", ["one"]);
    const subject = { mediaType: TYPES.manifest, digest: image.digest, size: image.bytes };
    const signature = push(null, TYPES.manifest, about(subject));
    const ofSignature = push(null, TYPES.manifest, { ...about(signature), annotations: { of: "signature" } });
    const taken = await snapshot();
    const [repository] = taken.repositories;
    expect(taken.faults).toStrictEqual([]);
    expect(repository?.untagged).toStrictEqual([signature.digest, ofSignature.digest]);
    const stored = Object.values(registry.stored()).reduce((sum, bytes) => sum + bytes, 0);
    expect(chargeAll(taken)).toStrictEqual({ perRepository: stored, namespace: 3, stored });
  });

  it("under the tag of the older scheme are children of an index, and in both", async () => {
    const image = pushImage(registry, "g/app", "latest", ["one"]);
    const subject = { mediaType: TYPES.manifest, digest: image.digest, size: image.bytes };
    const signature = push(null, TYPES.manifest, about(subject));
    push(image.digest.replace(":", "-"), TYPES.index, { manifests: [signature] });
    const taken = await snapshot();
    expect(taken.repositories[0]?.untagged).toStrictEqual([]);
    const stored = Object.values(registry.stored()).reduce((sum, bytes) => sum + bytes, 0);
    expect(chargeAll(taken)).toStrictEqual({ perRepository: stored, namespace: 3 + 9, stored });
  });

  it("are not asked for again where the registry has no list of them", async () => {
    for (const tag of ["a", "b", "c", "d"]) pushImage(registry, `g/${tag}`, tag, [tag]);
    pushAttestedImage(registry, "g/app", "latest", ["one"]);
    await snapshot();
    const asked = registry.requests.filter((request) => request.includes("/referrers/")).length;
    // Those under way when the first answer came, and none after it.
    expect(asked).toBeGreaterThanOrEqual(1);
    expect(asked).toBeLessThanOrEqual(5);
  });

  it("lead to their subject, and a subject that is not there is no fault: OCI allows it", async () => {
    const image = pushImage(registry, "g/app", null, ["one"]);
    const subject = { mediaType: TYPES.manifest, digest: image.digest, size: image.bytes };
    push("signature", TYPES.manifest, about(subject));
    push("other", TYPES.manifest, { ...about({ ...subject, digest: sha256("never pushed") }), x: 1 });
    const taken = await snapshot();
    expect(taken.faults).toStrictEqual([]);
    expect(taken.repositories[0]?.untagged).toStrictEqual([image.digest]);
    expect(chargeAll(taken).namespace).toBe(9);
  });

  it("end where subject and list lead in a circle", async () => {
    await withReferrers();
    const image = pushImage(registry, "g/app", null, ["one"]);
    const subject = { mediaType: TYPES.manifest, digest: image.digest, size: image.bytes };
    const signature = push("signature", TYPES.manifest, about(subject));
    // The list says that the image is about its own signature.
    const body = JSON.stringify({ manifests: [subject, signature] });
    registry.disturb({ path: /referrers/, status: 200, body });
    const taken = await snapshot();
    expect(Object.keys(taken.repositories[0]?.manifests ?? {})).toStrictEqual([
      signature.digest,
      image.digest,
    ]);
    expect(manifestsAsked()).toHaveLength(2);
  });

  it("that are listed and not there are named", async () => {
    await withReferrers();
    const image = pushImage(registry, "g/app", "latest", ["one"]);
    const gone = { mediaType: TYPES.manifest, digest: sha256("gone"), size: 3 };
    registry.disturb({
      path: new RegExp(`referrers/${image.digest}`),
      body: JSON.stringify({ manifests: [gone] }),
    });
    const { faults } = await snapshot();
    expect(faults).toStrictEqual([
      {
        kind: "manifest-missing",
        repository: "g/app",
        namedBy: "referrers",
        digest: gone.digest,
        said: `g/app lists ${gone.digest} among its referrers and has no such manifest.`,
      },
    ]);
  });
});

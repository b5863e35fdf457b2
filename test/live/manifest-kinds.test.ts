import { randomBytes } from "node:crypto";
import { appendFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openTestbed, type Testbed } from "../../src/images/testbed.ts";
import { cacheDirectory } from "../../src/lib/cache-directory.ts";
import { chargeAll, useOf } from "../../src/registry/ledgers.ts";
import { startRegistry, type TrialRegistry } from "../../src/registry/trial-registry.ts";
import { TYPES } from "../fakes/registry-content.ts";
import { registryDirectory } from "./live-testbed.ts";
import { createPusher, type Pushed, type Pusher } from "./registry-pusher.ts";

let testbed: Testbed;
let registry: TrialRegistry;
let push: Pusher;
/** Where the registry keeps its files, on this machine. */
let root: string;

beforeAll(async () => {
  testbed = await openTestbed({
    cacheDirectory: cacheDirectory(process.env),
    environment: process.env,
    dialogue: { say: () => {}, ask: async () => true },
    builders: [],
    archivedKaniko: true,
  });
});
afterAll(() => testbed.close());

beforeEach(async () => {
  registry = await startRegistry({
    name: `kinds-${randomBytes(3).toString("hex")}`,
    image: testbed.tools.registry.image,
    volume: null,
    startService: (spec) => testbed.executor.service(spec),
  });
  push = createPusher(registry.host);
  root = await registryDirectory(testbed, registry.host);
});
afterEach(() => registry.remove());

const REPOSITORY = "group/project/app";

const fileOf = (digest: string) => {
  const hex = digest.replace("sha256:", "");
  return join(root, "blobs/sha256", hex.slice(0, 2), hex, "data");
};

/** Bytes of the files of distinct blobs. */
const onDisk = (...blobs: Pushed[]) =>
  [...new Set(blobs.map(({ digest }) => digest))].reduce(
    (sum, digest) => sum + statSync(fileOf(digest)).size,
    0,
  );

/** Bytes of every blob file. */
const allOnDisk = () =>
  readdirSync(join(root, "blobs"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name === "data")
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);

const bytes = (length: number) => randomBytes(length);
const layer = (length: number, type: string = TYPES.layer) => push.blob(REPOSITORY, type, bytes(length));
const config = (type: string = TYPES.config) => push.blob(REPOSITORY, type, JSON.stringify({ x: bytes(4) }));

/** An image with its parts. */
async function image(tag: string | null, type: string, configType: string, layers: Pushed[]) {
  const ownConfig = await config(configType);
  const manifest = await push.manifest(REPOSITORY, tag, type, { config: ownConfig, layers });
  return { manifest, parts: [manifest, ownConfig, ...layers] };
}

/** What Tare reads: ledgers, use of the one repository, and what it finds fault with. */
async function read() {
  const snapshot = await registry.snapshot();
  const [use] = useOf(snapshot, [], []);
  return {
    ...chargeAll(snapshot),
    use: use?.bytes,
    faults: snapshot.faults.map(({ kind, digest }) => [kind, digest]),
  };
}

/** What the files say: those that belong to the repository, those that are layers, and all. */
const files = (repositoryParts: Pushed[], layers: Pushed[], faults: [string, string][] = []) => ({
  perRepository: onDisk(...repositoryParts),
  namespace: onDisk(...layers),
  stored: allOnDisk(),
  use: onDisk(...repositoryParts),
  faults,
});

describe("ledgers against the registry's files", () => {
  it.each([
    ["OCI", TYPES.manifest, TYPES.config, TYPES.layer],
    ["OCI with zstd", TYPES.manifest, TYPES.config, TYPES.zstdLayer],
    ["Docker schema 2", TYPES.dockerManifest, TYPES.dockerConfig, TYPES.dockerLayer],
    ["an artifact", TYPES.manifest, TYPES.empty, "application/vnd.example.thing"],
  ])("of an image (%s)", async (_, type, configType, layerType) => {
    const layers = [await layer(50_000, layerType), await layer(7_000, layerType)];
    const { parts } = await image("latest", type, configType, layers);
    expect(await read()).toStrictEqual(files(parts, layers));
  });

  it.each([
    ["OCI", TYPES.index, TYPES.manifest, TYPES.config, TYPES.layer],
    ["Docker", TYPES.dockerList, TYPES.dockerManifest, TYPES.dockerConfig, TYPES.dockerLayer],
  ])(
    "of an index of %s with an attestation of unknown/unknown",
    async (_, list, type, configType, layerType) => {
      const layers = [await layer(40_000, layerType)];
      const statement = await layer(900, TYPES.attestation);
      const one = await image(null, type, configType, layers);
      const attested = await image(null, TYPES.manifest, TYPES.config, [statement]);
      const index = await push.manifest(REPOSITORY, "latest", list, {
        manifests: [
          { ...one.manifest, platform: { os: "linux", architecture: "amd64" } },
          { ...attested.manifest, platform: { os: "unknown", architecture: "unknown" } },
        ],
      });
      expect(await read()).toStrictEqual(
        files([index, ...one.parts, ...attested.parts], [...layers, statement]),
      );
    },
  );

  it("of an index in an index", async () => {
    const layers = [await layer(30_000)];
    const one = await image(null, TYPES.manifest, TYPES.config, layers);
    const inner = await push.manifest(REPOSITORY, null, TYPES.index, { manifests: [one.manifest] });
    const outer = await push.manifest(REPOSITORY, "latest", TYPES.index, { manifests: [inner] });
    expect(await read()).toStrictEqual(files([outer, inner, ...one.parts], layers));
  });

  it("of a BuildKit cache as an image with a layer twice, beside the image that shares it", async () => {
    const layers = [await layer(20_000), await layer(5_000)];
    const [first, second] = layers as [Pushed, Pushed];
    const one = await image("latest", TYPES.manifest, TYPES.config, layers);
    const cache = await image("cache", TYPES.manifest, TYPES.cacheConfig, [first, second, first]);
    expect(await read()).toStrictEqual(files([...one.parts, ...cache.parts], layers));
  });

  it.each([
    ["an OCI index", TYPES.index, TYPES.layer],
    ["a Docker manifest list", TYPES.dockerList, TYPES.dockerLayer],
  ])("of a BuildKit cache as %s of blobs", async (_, type, layerType) => {
    const layers = [await layer(20_000, layerType), await layer(5_000, layerType)];
    const cacheConfig = await config(TYPES.cacheConfig);
    const cache = await push.manifest(REPOSITORY, "cache", type, { manifests: [...layers, cacheConfig] });
    expect(await read()).toStrictEqual(files([cache, cacheConfig, ...layers], layers));
  });

  it("of an index that names its parts without a type, or with an unknown one", async () => {
    const blob = await layer(3_000, "application/vnd.example.blob");
    const layers = [await layer(2_000)];
    const one = await image(null, TYPES.manifest, TYPES.config, layers);
    const { digest, size } = one.manifest;
    const index = await push.manifest(REPOSITORY, "latest", TYPES.index, {
      manifests: [{ digest, size }, blob],
    });
    const faults: [string, string][] = [
      ["type-unknown", digest],
      ["type-unknown", blob.digest],
    ];
    expect(await read()).toStrictEqual(files([index, blob, ...one.parts], [blob, ...layers], faults));
  });

  it("of foreign layers, which were never pushed", async () => {
    const own = await layer(4_000, TYPES.dockerLayer);
    const elsewhere = (mediaType: string) => ({
      mediaType,
      digest: `sha256:${bytes(32).toString("hex")}`,
      size: 1_000_000,
      urls: ["https://example.org/layer"],
    });
    const ownConfig = await config(TYPES.dockerConfig);
    const docker = await push.manifest(REPOSITORY, "windows", TYPES.dockerManifest, {
      config: ownConfig,
      layers: [elsewhere(TYPES.foreignLayer), own],
    });
    const oci = await push.manifest(REPOSITORY, "oci", TYPES.manifest, {
      config: ownConfig,
      layers: [elsewhere(TYPES.nonDistributable), own],
    });
    expect(await read()).toStrictEqual(files([docker, oci, ownConfig, own], [own]));
  });

  it("of what refers to an image: under the older tag it counts, without a tag nobody can list it", async () => {
    const layers = [await layer(6_000)];
    const one = await image("latest", TYPES.manifest, TYPES.config, layers);
    const referring = async (content: string) => {
      const empty = await push.blob(REPOSITORY, TYPES.empty, "{}");
      const statement = await push.blob(REPOSITORY, TYPES.attestation, content);
      const fields = { config: empty, layers: [statement], subject: one.manifest };
      const manifest = await push.manifest(REPOSITORY, null, TYPES.manifest, fields);
      return { manifest, statement, parts: [manifest, empty, statement] };
    };
    const listed = await referring("a signature");
    const unlisted = await referring("another signature");
    const index = await push.manifest(REPOSITORY, one.manifest.digest.replace(":", "-"), TYPES.index, {
      manifests: [listed.manifest],
    });
    expect(await read()).toStrictEqual(
      files([...one.parts, index, ...listed.parts], [...layers, listed.statement]),
    );
    const reachable = onDisk(...one.parts, index, ...listed.parts);
    expect(allOnDisk() - reachable).toBe(onDisk(unlisted.manifest, unlisted.statement));
  });

  it("leave out schema 1, which this registry refuses: it stays with the fake", async () => {
    const blob = await layer(1_000);
    const body = JSON.stringify({
      schemaVersion: 1,
      name: REPOSITORY,
      tag: "old",
      fsLayers: [{ blobSum: blob.digest }],
    });
    expect(await push.manifestStatus(REPOSITORY, "old", TYPES.signedSchema1, body)).toBe(400);
  });
});

describe("bytes over the link", () => {
  it("are those of uploads in one and in many parts, and none of what is mounted", async () => {
    await registry.traffic();
    const whole = await layer(20_000);
    const parts = await push.chunkedBlob(REPOSITORY, TYPES.layer, [bytes(10_000), bytes(3_000), bytes(500)]);
    await push.mount("group/project/cache", REPOSITORY, whole);
    const again = await push.blob("group/project/cache", TYPES.config, "{}");
    expect(await registry.traffic()).toMatchObject({
      pulledBytes: 0,
      pushedBytes: 20_000 + 13_500 + 2,
      serverErrors: 0,
    });
    for (const [repository, blob] of [
      [REPOSITORY, parts],
      ["group/project/cache", again],
      ["group/project/cache", whole],
    ] as const) {
      const url = `http://${registry.host}/v2/${repository}/blobs/${blob.digest}`;
      await fetch(url, { method: "HEAD" });
      await (await fetch(url)).arrayBuffer();
    }
    expect(await registry.traffic()).toMatchObject({
      pulledBytes: 13_500 + 2 + 20_000,
      pushedBytes: 0,
      serverErrors: 0,
    });
  });
});

describe("a registry whose files were harmed", () => {
  it("is told: a blob that is gone, one that is larger, a manifest that was changed", async () => {
    const layers = [await layer(9_000), await layer(8_000)];
    const [gone, larger] = layers as [Pushed, Pushed];
    const { manifest } = await image("latest", TYPES.manifest, TYPES.config, layers);
    rmSync(fileOf(gone.digest));
    appendFileSync(fileOf(larger.digest), "more");
    const { faults, ...snapshot } = await registry.snapshot();
    expect(faults.map(({ kind, digest }) => [kind, digest])).toStrictEqual([
      ["blob-missing", gone.digest],
      ["size-differs", larger.digest],
    ]);
    expect(chargeAll({ ...snapshot, faults }).namespace).toBe(8_004);
    appendFileSync(fileOf(manifest.digest), "\n");
    await expect(registry.snapshot()).rejects.toThrow(
      /manifests\/latest is not what its digest names|answered 500/,
    );
  });
});

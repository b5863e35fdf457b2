import { describe, expect, it } from "vitest";
import { Outage } from "../../src/domain/problem.ts";
import { MANIFEST_TYPES, readManifest } from "../../src/registry/read-manifest.ts";
import { TYPES } from "../fakes/registry-content.ts";

const read = (body: unknown, contentType: string | null = null) =>
  readManifest("here", Buffer.from(JSON.stringify(body)), "sha256:dd", contentType);

/** A descriptor as a manifest has it. */
const entry = (mediaType: string | undefined, name: string, size: number, more = {}) => ({
  mediaType,
  digest: `sha256:${name}`,
  size,
  ...more,
});

/** A descriptor as it is read. */
const part = (mediaType: string, name: string, bytes: number, foreign = false) => ({
  digest: `sha256:${name}`,
  bytes,
  mediaType,
  foreign,
});

describe("a manifest's bytes", () => {
  it("tell layers that are stored elsewhere", () => {
    const layers = [
      entry(TYPES.layer, "1", 1),
      entry(TYPES.foreignLayer, "1", 1),
      entry(TYPES.nonDistributable, "1", 1),
      entry(TYPES.layer, "1", 1, { urls: ["https://example.org/layer"] }),
      entry(TYPES.layer, "1", 1, { urls: [] }),
      entry(TYPES.zstdLayer, "1", 1),
    ];
    expect(read({ layers }).manifest.layers.map(({ foreign }) => foreign)).toStrictEqual([
      false,
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it("tell a BuildKit cache of the older kind: blobs in an index, one of them its configuration", () => {
    for (const mediaType of [TYPES.index, TYPES.dockerList]) {
      const found = read({
        mediaType,
        manifests: [
          entry(TYPES.layer, "aa", 7),
          entry(TYPES.dockerLayer, "bb", 8),
          entry(TYPES.zstdLayer, "ee", 6),
          entry(TYPES.cacheConfig, "cc", 9),
        ],
      });
      expect(found.manifest).toStrictEqual({
        digest: "sha256:dd",
        bytes: found.manifest.bytes,
        mediaType,
        config: part(TYPES.cacheConfig, "cc", 9),
        layers: [
          part(TYPES.layer, "aa", 7),
          part(TYPES.dockerLayer, "bb", 8),
          part(TYPES.zstdLayer, "ee", 6),
        ],
        children: [],
      });
      expect([found.described, found.unsettled]).toStrictEqual([[], []]);
    }
  });

  it("take manifests of every kind for children, whatever stands beside them", () => {
    const children = MANIFEST_TYPES.map((type, index) => entry(type, `c${index}`, index));
    const found = read({ mediaType: TYPES.index, manifests: [entry(TYPES.layer, "aa", 7), ...children] });
    expect(found.manifest.children).toStrictEqual(children.map(({ digest }) => digest));
    expect(found.manifest.layers).toStrictEqual([part(TYPES.layer, "aa", 7)]);
    expect(found.described).toStrictEqual(
      MANIFEST_TYPES.map((type, index) => part(type, `c${index}`, index)),
    );
  });

  it("leave open what an entry without a type, or of an unknown one, is", () => {
    const found = read({
      mediaType: TYPES.index,
      manifests: [entry(undefined, "aa", 7), entry("application/vnd.example.thing+json", "bb", 8)],
    });
    expect(found.unsettled).toStrictEqual([
      part("", "aa", 7),
      part("application/vnd.example.thing+json", "bb", 8),
    ]);
    expect([found.manifest.layers, found.manifest.children]).toStrictEqual([[], []]);
  });

  it("tell layers of schema 1 without sizes, the empty one as often as it stands", () => {
    const found = read(
      {
        schemaVersion: 1,
        fsLayers: [{ blobSum: "sha256:a3" }, { blobSum: "sha256:bb" }, { blobSum: "sha256:a3" }],
      },
      TYPES.signedSchema1,
    );
    expect(found.unsized).toBe(true);
    expect(found.unknownType).toBe(false);
    expect(found.manifest.mediaType).toBe(TYPES.signedSchema1);
    expect(found.manifest.layers.map(({ digest, bytes }) => [digest, bytes])).toStrictEqual([
      ["sha256:a3", 0],
      ["sha256:bb", 0],
      ["sha256:a3", 0],
    ]);
  });

  it("tell the blobs of an artifact and what it is about", () => {
    const found = read({
      mediaType: "application/vnd.oci.artifact.manifest.v1+json",
      blobs: [entry("text/plain", "aa", 3)],
      subject: entry(TYPES.manifest, "ff", 5),
    });
    expect(found.manifest.layers).toStrictEqual([part("text/plain", "aa", 3)]);
    expect(found.subject).toBe("sha256:ff");
    expect(found.unknownType).toBe(false);
  });

  it.each([
    ["its own", { mediaType: TYPES.index }, TYPES.manifest, TYPES.index, false],
    ["the answer's", {}, `${TYPES.dockerManifest}; charset=utf-8`, TYPES.dockerManifest, false],
    ["by its config", { config: entry("x", "1", 1) }, "application/json", TYPES.manifest, false],
    ["by its entries", { manifests: [] }, "text/plain", TYPES.index, false],
    ["by its fsLayers", { fsLayers: [] }, null, TYPES.signedSchema1, false],
    ["unknown", { layers: [] }, "application/vnd.example+json", "application/vnd.example+json", true],
    ["none at all", {}, null, "", true],
  ])("have a type: %s", (_, body, contentType, mediaType, unknownType) => {
    const found = read(body, contentType);
    expect([found.manifest.mediaType, found.unknownType]).toStrictEqual([mediaType, unknownType]);
  });

  it.each([
    ["no size", { layers: [{ digest: "sha256:1" }] }],
    ["no digest", { layers: [{ size: 1 }] }],
    ["a negative size", { layers: [{ digest: "sha256:1", size: -1 }] }],
    ["half a byte", { layers: [{ digest: "sha256:1", size: 0.5 }] }],
    ["a size beyond exact integers", { layers: [{ digest: "sha256:1", size: 2 ** 53 }] }],
    ["a size in words", { config: { digest: "sha256:1", size: "1" } }],
    ["an entry of an index without size", { manifests: [{ digest: "sha256:1" }] }],
    ["a subject without size", { subject: { digest: "sha256:1" } }],
    ["a layer of schema 1 without digest", { fsLayers: [{}] }],
    ["a descriptor that is none", { layers: [null] }],
  ])("are an Outage with %s", (_, body) => {
    expect(() => read(body)).toThrow(Outage);
    expect(() => read(body)).toThrow("here holds a descriptor without digest or size.");
  });

  it("are not believed in a type longer than a type can be", () => {
    const long = `application/vnd.${"x".repeat(1_000)}`;
    expect(read({ layers: [entry(long, "1", 1)] }).manifest.layers[0]?.mediaType).toBe("");
    expect(read({ mediaType: long }).manifest.mediaType).toHaveLength(255);
  });

  it.each(["../../_catalog", "sha256:../x", "sha256:a/b", "latest", "sha256:", ""])(
    "are an Outage with the digest %j, which would lead elsewhere",
    (digest) => {
      expect(() => read({ layers: [{ digest, size: 1 }] })).toThrow(
        `here holds a digest that is none: ${digest}`,
      );
    },
  );

  it.each(["null", "[]", '"text"', '{"layers":{}}', '{"manifests":3}', '{"fsLayers":"x"}', '{"blobs":1}'])(
    "are an Outage where they are %s",
    (body) => {
      const parse = () => readManifest("here", Buffer.from(body), "sha256:2", null);
      expect(parse).toThrow(Outage);
      expect(parse).toThrow("here is no manifest.");
    },
  );
});

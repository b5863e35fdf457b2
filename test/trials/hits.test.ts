import { describe, expect, it } from "vitest";
import type { Manifest, Snapshot } from "../../src/domain/registry.ts";
import { countHits, imageManifest } from "../../src/trials/hits.ts";

const OCI = "application/vnd.oci.image.manifest.v1+json";
const TAR = "application/vnd.oci.image.layer.v1.tar+gzip";

function manifest(digest: string, layers: string[], mediaType = TAR, children: string[] = []): Manifest {
  return {
    digest,
    bytes: 1,
    mediaType: OCI,
    config: null,
    layers: layers.map((layer) => ({ digest: layer, bytes: 1, mediaType, foreign: false })),
    children,
  };
}

const snapshot = (tag: string, ...manifests: Manifest[]): Snapshot => ({
  repositories: [
    {
      name: "group/app",
      tags: { latest: tag },
      manifests: Object.fromEntries(manifests.map((each) => [each.digest, each])),
      untagged: [],
    },
  ],
  stored: null,
  faults: [],
});

const find = (taken: Snapshot, repository = "group/app", tag = "latest") =>
  imageManifest(taken, repository, tag)?.digest ?? null;

describe("the image behind a tag", () => {
  it("is the manifest itself", () => {
    expect(find(snapshot("m", manifest("m", ["a"])))).toBe("m");
  });

  it("is the index's image, not its attestation, whichever comes first", () => {
    const attestation = manifest("attestation", ["statement"], "application/vnd.in-toto+json");
    const image = manifest("image", ["a"]);
    for (const children of [
      ["attestation", "image"],
      ["image", "attestation"],
    ]) {
      expect(find(snapshot("index", manifest("index", [], TAR, children), attestation, image))).toBe("image");
    }
  });

  it("is none where there is no such repository, tag, manifest or child, or no layer", () => {
    const taken = snapshot("m", manifest("m", ["a"]));
    expect(find(taken, "group/other")).toBeNull();
    expect(find(taken, "group/app", "v1")).toBeNull();
    expect(find(snapshot("gone", manifest("m", ["a"])))).toBeNull();
    expect(find(snapshot("index", manifest("index", [], TAR, ["gone"])))).toBeNull();
    expect(find(snapshot("m", manifest("m", [])))).toBeNull();
  });
});

describe("hits and misses", () => {
  const image = { diffIds: ["d-base", "d-one", "d-two"], manifest: manifest("m", ["base", "one", "two"]) };

  it("are told by digest among the layers that the Dockerfile made", () => {
    expect(countHits(image, ["d-base"], new Set())).toStrictEqual({ hits: 0, misses: 2 });
    expect(countHits(image, ["d-base"], new Set(["one"]))).toStrictEqual({ hits: 1, misses: 1 });
    expect(countHits(image, ["d-base"], new Set(["one", "two", "base"]))).toStrictEqual({
      hits: 2,
      misses: 0,
    });
  });

  it("count every layer where the base image is not known or another one", () => {
    expect(countHits(image, [], new Set(["base"]))).toStrictEqual({ hits: 1, misses: 2 });
    expect(countHits(image, ["d-other"], new Set(["base"]))).toStrictEqual({ hits: 1, misses: 2 });
    const deeper = ["d-base", "d-one", "d-two", "d-three"];
    expect(countHits(image, deeper, new Set())).toStrictEqual({ hits: 0, misses: 3 });
  });

  it("are none of an image that is its base", () => {
    expect(countHits(image, image.diffIds, new Set(["base"]))).toStrictEqual({ hits: 0, misses: 0 });
  });

  it("count a layer that stands twice twice: two instructions made it", () => {
    const twice = { diffIds: ["d-one", "d-one"], manifest: manifest("m", ["one", "one"]) };
    expect(countHits(twice, [], new Set(["one"]))).toStrictEqual({ hits: 2, misses: 0 });
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Outage } from "../../src/domain/problem.ts";
import type { Snapshot } from "../../src/domain/registry.ts";
import { createRegistryClient } from "../../src/registry/client.ts";
import { chargeAll } from "../../src/registry/ledgers.ts";
import { takeSnapshot } from "../../src/registry/snapshot.ts";
import { startFakeRegistry, type FakeRegistry } from "../fakes/registry.ts";
import { pushAttestedImage, pushed, pushImage, TYPES } from "../fakes/registry-content.ts";

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
    expect(await snapshot({ "sha256:1": 5 })).toStrictEqual({ repositories: [], stored: { "sha256:1": 5 } });
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
    const [repository] = (await snapshot()).repositories;
    expect(Object.keys(repository?.manifests ?? {})).toStrictEqual([index, image, attestation]);
    expect(manifestRequests()).toStrictEqual([
      "GET /v2/app/manifests/latest",
      `GET /v2/app/manifests/${image}`,
      `GET /v2/app/manifests/${attestation}`,
    ]);
  });

  it("never asks for layers of a BuildKit cache as for manifests", async () => {
    const layers = ["one", "two"].map((text) => pushed(registry, "app", TYPES.layer, text));
    const config = pushed(registry, "app", TYPES.cacheConfig, '{"layers":[]}');
    const old = { mediaType: TYPES.index, manifests: [...layers, config] };
    const recent = { mediaType: TYPES.manifest, config, layers };
    registry.manifest("app", "index", { body: old, mediaType: TYPES.index });
    registry.manifest("app", "image", { body: recent, mediaType: TYPES.manifest });
    const taken = await snapshot();
    expect(manifestRequests()).toStrictEqual(["GET /v2/app/manifests/image", "GET /v2/app/manifests/index"]);
    const manifestBytes = JSON.stringify(old).length + JSON.stringify(recent).length;
    expect(chargeAll(taken)).toStrictEqual({
      perRepository: 6 + 13 + manifestBytes,
      // The older form has its configuration among its entries, which are layers to a reader.
      namespace: 6 + 13,
      stored: "unknown",
    });
  });

  it("ends where children lead in a circle", async () => {
    const child = (digest: string) => ({ mediaType: TYPES.index, digest, size: 1 });
    const index = (...digests: string[]) => ({ mediaType: TYPES.index, manifests: digests.map(child) });
    const named = (digest: string, ...to: string[]) => ({
      body: index(...to),
      mediaType: TYPES.index,
      digest,
    });
    registry.manifest("app", "latest", named("sha256:a", "sha256:b", "sha256:b"));
    registry.manifest("app", null, named("sha256:b", "sha256:c", "sha256:a"));
    registry.manifest("app", null, named("sha256:c", "sha256:c"));
    const [repository] = (await snapshot()).repositories;
    expect(Object.keys(repository?.manifests ?? {})).toStrictEqual(["sha256:a", "sha256:b", "sha256:c"]);
    expect(manifestRequests()).toHaveLength(3);
  });

  it("is an Outage where a child is not there", async () => {
    const missing = { mediaType: TYPES.manifest, digest: "sha256:gone", size: 1 };
    const body = { mediaType: TYPES.index, manifests: [missing] };
    registry.manifest("app", "latest", { body, mediaType: TYPES.index });
    await expect(snapshot()).rejects.toThrow(
      new Outage("The registry answered 404 to /v2/app/manifests/sha256:gone.", "Run it again."),
    );
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
});

import { afterEach, describe, expect, it } from "vitest";
import { Outage } from "../../src/domain/problem.ts";
import { createRegistryClient, readManifest } from "../../src/registry/client.ts";
import { sha256, startFakeRegistry, type FakeRegistry, type FakeRegistryOptions } from "../fakes/registry.ts";
import { pushImage, TYPES } from "../fakes/registry-content.ts";

let running: FakeRegistry | null = null;

async function start(options: FakeRegistryOptions = {}) {
  running = await startFakeRegistry(options);
  return { registry: running, client: createRegistryClient(running.origin) };
}

afterEach(async () => {
  await running?.close();
  running = null;
});

/** The sentence of the Outage that a promise ends with. */
async function outageOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof Outage) return error.message;
  throw new Error("no outage", { cause: error });
}

describe("lists of a registry", () => {
  it("are read page by page, as the Link header leads", async () => {
    const { registry, client } = await start({ pageSize: 2 });
    for (const tag of ["e", "b", "d", "a", "c"]) pushImage(registry, "group/app", tag, ["one"]);
    expect(await client.tags("group/app")).toStrictEqual(["a", "b", "c", "d", "e"]);
    expect(registry.requests).toStrictEqual([
      "GET /v2/group/app/tags/list?n=1000",
      "GET /v2/group/app/tags/list?last=b&n=2",
      "GET /v2/group/app/tags/list?last=d&n=2",
    ]);
  });

  it("follow a Link that names the registry by another host", async () => {
    const { registry, client } = await start();
    pushImage(registry, "a", "latest", ["one"]);
    pushImage(registry, "b", "latest", ["one"]);
    registry.disturb({
      path: /^\/v2\/_catalog$/,
      headers: { link: '<https://registry.example.org/v2/b/tags/list>; rel="next"' },
    });
    expect(await client.repositories()).toStrictEqual(["a", "b"]);
    expect(registry.requests.at(-1)).toBe("GET /v2/b/tags/list");
  });

  it("end with an Outage where pages lead in a circle", async () => {
    const { registry, client } = await start();
    pushImage(registry, "a", "latest", ["one"]);
    registry.disturb({ path: /_catalog/, headers: { link: '</v2/_catalog?n=1000>; rel="next"' } });
    expect(await outageOf(client.repositories())).toBe("The pages of /v2/_catalog?n=1000 lead in a circle.");
    expect(registry.requests).toHaveLength(1);
  });

  it("hold no tags where a killed push left blobs alone, which Distribution answers with 404", async () => {
    const { registry, client } = await start();
    registry.blob("group/app-cache", "half of a push");
    expect(await client.repositories()).toStrictEqual(["group/app-cache"]);
    expect(await client.tags("group/app-cache")).toStrictEqual([]);
  });
});

describe("a manifest", () => {
  it("is read by tag and by digest, whatever its type", async () => {
    const { registry, client } = await start();
    for (const mediaType of [TYPES.manifest, TYPES.dockerManifest, TYPES.index, TYPES.dockerList]) {
      const digest = registry.manifest("app", "latest", { body: { schemaVersion: 2 }, mediaType });
      const expected = { digest, bytes: 19, mediaType, config: null, layers: [], children: [] };
      expect(await client.manifest("app", "latest")).toStrictEqual(expected);
      expect(await client.manifest("app", digest)).toStrictEqual(expected);
    }
  });

  it("is named by the digest of its bytes where the registry does not say it", async () => {
    const { registry, client } = await start({ digestHeader: false });
    const { digest } = pushImage(registry, "app", "latest", ["one"]);
    expect((await client.manifest("app", "latest")).digest).toBe(digest);
  });

  it("tells layers that are stored elsewhere", () => {
    const layer = (mediaType: string, urls?: string[]) => ({ mediaType, digest: "sha256:1", size: 1, urls });
    const body = {
      layers: [
        layer(TYPES.layer),
        layer(TYPES.foreignLayer),
        layer("application/vnd.oci.image.layer.nondistributable.v1.tar"),
        layer(TYPES.layer, ["https://example.org/layer"]),
        layer(TYPES.layer, []),
      ],
    };
    const { layers } = readManifest("here", Buffer.from(JSON.stringify(body)), "sha256:2", null);
    expect(layers.map(({ foreign }) => foreign)).toStrictEqual([false, true, true, true, false]);
  });

  it("reads entries of an index that are no manifests as its layers, as BuildKit's older cache has them", () => {
    const body = {
      mediaType: TYPES.index,
      manifests: [
        { mediaType: TYPES.layer, digest: "sha256:aa", size: 7 },
        { mediaType: TYPES.manifest, digest: "sha256:bb", size: 8 },
        { mediaType: TYPES.cacheConfig, digest: "sha256:cc", size: 9 },
      ],
    };
    const manifest = readManifest("here", Buffer.from(JSON.stringify(body)), "sha256:dd", null);
    expect(manifest.children).toStrictEqual(["sha256:bb"]);
    expect(manifest.layers).toStrictEqual([
      { digest: "sha256:aa", bytes: 7, mediaType: TYPES.layer, foreign: false },
      { digest: "sha256:cc", bytes: 9, mediaType: TYPES.cacheConfig, foreign: false },
    ]);
  });

  it.each([
    ["no size", { layers: [{ digest: "sha256:1" }] }],
    ["no digest", { layers: [{ size: 1 }] }],
    ["a negative size", { layers: [{ digest: "sha256:1", size: -1 }] }],
    ["half a byte", { layers: [{ digest: "sha256:1", size: 0.5 }] }],
    ["a size beyond exact integers", { layers: [{ digest: "sha256:1", size: 2 ** 53 }] }],
    ["a size in words", { config: { digest: "sha256:1", size: "1" } }],
    ["an entry of an index without size", { manifests: [{ digest: "sha256:1" }] }],
    ["a descriptor that is none", { layers: [null] }],
  ])("with %s is an Outage", (_, body) => {
    const read = () =>
      readManifest("/v2/app/manifests/x", Buffer.from(JSON.stringify(body)), "sha256:2", null);
    expect(read).toThrow(Outage);
    expect(read).toThrow("/v2/app/manifests/x holds a descriptor without digest or size.");
  });

  it.each(["null", "[]", '"text"', '{"layers":{}}', '{"manifests":3}'])("%s is none: an Outage", (body) => {
    const read = () => readManifest("/v2/app/manifests/x", Buffer.from(body), "sha256:2", null);
    expect(read).toThrow(Outage);
    expect(read).toThrow("/v2/app/manifests/x is no manifest.");
  });
});

describe("a registry that does not answer as it should", () => {
  it("is an Outage with its status", async () => {
    const { registry, client } = await start();
    pushImage(registry, "app", "latest", ["one"]);
    registry.disturb({ path: /./, status: 500 });
    expect(await outageOf(client.repositories())).toBe("The registry answered 500 to /v2/_catalog?n=1000.");
    expect(await outageOf(client.tags("app"))).toBe("The registry answered 500 to /v2/app/tags/list?n=1000.");
    expect(await outageOf(client.manifest("app", "latest"))).toBe(
      "The registry answered 500 to /v2/app/manifests/latest.",
    );
  });

  it("is an Outage where a manifest or a blob is not there", async () => {
    const { registry, client } = await start();
    pushImage(registry, "app", "latest", ["one"]);
    expect(await outageOf(client.manifest("app", "other"))).toBe(
      "The registry answered 404 to /v2/app/manifests/other.",
    );
    expect(await outageOf(client.config("app", "sha256:0"))).toBe(
      "The registry answered 404 to /v2/app/blobs/sha256:0.",
    );
  });

  it("is an Outage where it says something that is no JSON", async () => {
    const { registry, client } = await start();
    pushImage(registry, "app", "latest", ["one"]);
    registry.disturb({ path: /./, body: "<html>proxy</html>" });
    expect(await outageOf(client.repositories())).toBe("/v2/_catalog?n=1000 is no JSON.");
    expect(await outageOf(client.tags("app"))).toBe("/v2/app/tags/list?n=1000 is no JSON.");
    expect(await outageOf(client.manifest("app", "latest"))).toBe("/v2/app/manifests/latest is no JSON.");
    const config = registry.blob("app", "{}");
    expect(await outageOf(client.config("app", config))).toBe(`/v2/app/blobs/${config} is no JSON.`);
  });

  it("is an Outage where a manifest is larger than 4 MiB", async () => {
    const { registry, client } = await start();
    const body = (bytes: number) => `{"pad":"${" ".repeat(bytes - 10)}"}`;
    registry.manifest("app", "fits", { body: body(4_194_304), mediaType: TYPES.manifest });
    registry.manifest("app", "large", { body: body(4_194_305), mediaType: TYPES.manifest });
    expect((await client.manifest("app", "fits")).bytes).toBe(4_194_304);
    expect(await outageOf(client.manifest("app", "large"))).toBe(
      "/v2/app/manifests/large is larger than 4194304 bytes.",
    );
  });

  it("is an Outage where nothing listens", async () => {
    const { registry, client } = await start();
    await registry.close();
    running = null;
    expect(await outageOf(client.repositories())).toMatch(
      /^The registry does not answer: .+ \(\/v2\/_catalog/,
    );
  });

  it("reads an empty catalog as no repositories", async () => {
    const { client } = await start();
    expect(await client.repositories()).toStrictEqual([]);
  });
});

describe("a configuration", () => {
  it("is read by digest", async () => {
    const { registry, client } = await start();
    const digest = registry.blob("app", '{"rootfs":{"diff_ids":["sha256:1"]}}');
    expect(digest).toBe(sha256('{"rootfs":{"diff_ids":["sha256:1"]}}'));
    expect(await client.config("app", digest)).toStrictEqual({ rootfs: { diff_ids: ["sha256:1"] } });
  });
});

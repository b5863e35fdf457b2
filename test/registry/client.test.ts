import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Outage } from "../../src/domain/problem.ts";
import { createRegistryClient } from "../../src/registry/client.ts";
import type { RegistryPatience } from "../../src/registry/registry-http.ts";
import { sha256, startFakeRegistry, type FakeRegistry, type FakeRegistryOptions } from "../fakes/registry.ts";
import { pushed, pushImage, pushManifest, signSchema1, TYPES } from "../fakes/registry-content.ts";

let running: FakeRegistry | null = null;

/** Waits that a test can sit out. */
const PATIENCE: RegistryPatience = { timeoutMs: 2_000, retryWaitMs: 5, longestWaitMs: 50 };

async function start(options: FakeRegistryOptions = {}, patience: Partial<RegistryPatience> = {}) {
  running = await startFakeRegistry(options);
  return { registry: running, client: createRegistryClient(running.origin, { ...PATIENCE, ...patience }) };
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
      expect((await client.manifest("app", "latest"))?.manifest).toStrictEqual(expected);
      expect((await client.manifest("app", digest))?.manifest).toStrictEqual(expected);
    }
  });

  it("is named by the digest of its bytes where the registry does not say it", async () => {
    const { registry, client } = await start({ digestHeader: false });
    const { digest } = pushImage(registry, "app", "latest", ["one"]);
    expect((await client.manifest("app", "latest"))?.manifest.digest).toBe(digest);
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

  it("has no manifest where it answers 404, and is an Outage where a configuration is not there", async () => {
    const { registry, client } = await start();
    pushImage(registry, "app", "latest", ["one"]);
    expect(await client.manifest("app", "other")).toBeNull();
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
    const config = registry.blob("app", "<html>proxy</html>");
    expect(await outageOf(client.config("app", config))).toBe(`/v2/app/blobs/${config} is no JSON.`);
  });

  it("is an Outage where a manifest is larger than 4 MiB", async () => {
    const { registry, client } = await start();
    const body = (bytes: number) => `{"pad":"${" ".repeat(bytes - 10)}"}`;
    registry.manifest("app", "fits", { body: body(4_194_304), mediaType: TYPES.manifest });
    registry.manifest("app", "large", { body: body(4_194_305), mediaType: TYPES.manifest });
    expect((await client.manifest("app", "fits"))?.manifest.bytes).toBe(4_194_304);
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

describe("a registry that falters", () => {
  const PATH = "/v2/app/manifests/latest";
  const asked = (registry: FakeRegistry) =>
    registry.requests.filter((request) => request.endsWith(PATH)).length;

  it.each([500, 502, 503, 429])("is asked once more after %i", async (status) => {
    const { registry, client } = await start();
    const { digest } = pushImage(registry, "app", "latest", ["one"]);
    registry.disturb({ path: /manifests/, status, times: 1 });
    expect((await client.manifest("app", "latest"))?.manifest.digest).toBe(digest);
    expect(asked(registry)).toBe(2);
  });

  it("is asked once more and not twice", async () => {
    const { registry, client } = await start();
    registry.disturb({ path: /manifests/, status: 503, times: 2 });
    expect(await outageOf(client.manifest("app", "latest"))).toBe(`The registry answered 503 to ${PATH}.`);
    expect(asked(registry)).toBe(2);
  });

  it.each([401, 403, 400])("is not asked again after %i", async (status) => {
    const { registry, client } = await start();
    registry.disturb({ path: /manifests/, status });
    expect(await outageOf(client.manifest("app", "latest"))).toBe(
      `The registry answered ${status} to ${PATH}.`,
    );
    expect(asked(registry)).toBe(1);
  });

  it.each([
    ["seconds", "1", 950, 1_900],
    ["seconds beyond the limit", "3600", 1_150, 1_900],
    ["a date that is past", "Tue, 24 Nov 2020 00:00:00 GMT", 0, 900],
    ["a date that is far away", "Tue, 24 Nov 2099 00:00:00 GMT", 1_150, 1_900],
    ["words", "soon", 0, 900],
  ])("waits as Retry-After says in %s, up to its limit", async (_, value, atLeastMs, atMostMs) => {
    const { registry, client } = await start({}, { longestWaitMs: 1_200 });
    pushImage(registry, "app", "latest", ["one"]);
    registry.disturb({ path: /manifests/, status: 429, times: 1, headers: { "retry-after": value } });
    const begun = performance.now();
    expect(await client.manifest("app", "latest")).not.toBeNull();
    const waitedMs = performance.now() - begun;
    expect(waitedMs).toBeGreaterThanOrEqual(atLeastMs);
    expect(waitedMs).toBeLessThan(atMostMs);
  });

  it("is an Outage with its path where the connection is cut", async () => {
    const { registry, client } = await start();
    pushImage(registry, "app", "latest", ["one"]);
    registry.disturb({ path: /manifests/, cutAfter: 40 });
    expect(await outageOf(client.manifest("app", "latest"))).toBe(
      `The registry does not answer: terminated: other side closed (${PATH})`,
    );
  });

  it("is an Outage where it sends half a manifest and calls it whole", async () => {
    const { registry, client } = await start({ digestHeader: false });
    registry.disturb({ path: /manifests/, status: 200, body: '{"schemaVersion":2,"layers":[{"dig' });
    expect(await outageOf(client.manifest("app", "latest"))).toBe(`${PATH} is no JSON.`);
  });

  it("is an Outage where it never answers", async () => {
    const { registry, client } = await start({}, { timeoutMs: 100 });
    registry.disturb({ path: /manifests/, silent: true });
    expect(await outageOf(client.manifest("app", "latest"))).toBe(
      `The registry does not answer: The operation was aborted due to timeout (${PATH})`,
    );
  });

  it("is an Outage where a manifest without a length is larger than 4 MiB", async () => {
    const { registry, client } = await start();
    const body = `{"pad":"${" ".repeat(5_000_000)}"}`;
    registry.manifest("app", "latest", { body, mediaType: TYPES.manifest });
    registry.disturb({ path: /manifests/, chunked: true });
    expect(await outageOf(client.manifest("app", "latest"))).toBe(`${PATH} is larger than 4194304 bytes.`);
  });

  it("is an Outage where pages do not end", async () => {
    let page = 0;
    const server = createServer((_, response) => {
      page += 1;
      response.writeHead(200, { link: `</v2/_catalog?last=${page}>; rel="next"` });
      response.end(JSON.stringify({ repositories: [`r${page}`] }));
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    const { port } = server.address() as AddressInfo;
    const client = createRegistryClient(`http://127.0.0.1:${port}`, PATIENCE);
    expect(await outageOf(client.repositories())).toBe(
      "The pages of /v2/_catalog?n=1000 do not end: 2000 were read.",
    );
    expect(page).toBe(2_000);
    server.closeAllConnections();
    server.close();
  });

  it("is an Outage where it lists more names than fit", async () => {
    const { registry, client } = await start();
    const tags = Array.from({ length: 400_000 }, () => "t");
    registry.disturb({
      path: /tags/,
      status: 200,
      body: JSON.stringify({ tags }),
      headers: { link: '</v2/app/tags/list?last=t>; rel="next"' },
    });
    expect(await outageOf(client.tags("app"))).toBe("/v2/app/tags/list?n=1000 lists more than 500000 names.");
  });

  it("is an Outage where a page leads to no address", async () => {
    const { registry, client } = await start();
    registry.disturb({ path: /_catalog/, headers: { link: '<http://[>; rel="next"' } });
    expect(await outageOf(client.repositories())).toBe(
      "The pages of /v2/_catalog?n=1000 lead to no address: http://[",
    );
  });
});

describe("bytes that are not what their digest names", () => {
  const OTHER = `sha256:${"0".repeat(64)}`;

  it("are an Outage where the registry announces another digest", async () => {
    const { registry, client } = await start();
    const { digest } = pushImage(registry, "app", "latest", ["one"]);
    registry.disturb({ path: /manifests/, headers: { "docker-content-digest": OTHER } });
    expect(await outageOf(client.manifest("app", "latest"))).toBe(
      `/v2/app/manifests/latest is not what its digest names: ${OTHER} was asked for or announced, the bytes are ${digest}.`,
    );
  });

  it("are an Outage where a manifest is asked for by digest", async () => {
    const { registry, client } = await start({ digestHeader: false });
    const { digest } = pushImage(registry, "app", "latest", ["one"]);
    registry.disturb({ path: /manifests/, body: "{}" });
    expect(await outageOf(client.manifest("app", digest))).toBe(
      `/v2/app/manifests/${digest} is not what its digest names: ${digest} was asked for or announced, the bytes are ${sha256("{}")}.`,
    );
  });

  it("are an Outage where a configuration was changed", async () => {
    const { registry, client } = await start();
    const digest = registry.blob("app", '{"rootfs":{}}');
    registry.disturb({ path: /blobs/, body: '{"rootfs":{"diff_ids":[]}}' });
    expect(await outageOf(client.config("app", digest))).toMatch(
      /^\/v2\/app\/blobs\/sha256:\w+ is not what its/,
    );
  });

  it("are checked by SHA-512 too, and an algorithm that is not known is an Outage", async () => {
    const { registry, client } = await start({ digestHeader: false });
    const mediaType = TYPES.manifest;
    const digest = `sha512:${createHash("sha512").update("{}").digest("hex")}`;
    registry.manifest("app", null, { body: "{}", mediaType, digest });
    expect((await client.manifest("app", digest))?.manifest.digest).toBe(digest);
    registry.manifest("app", null, { body: "{}", mediaType, digest: "md5:1" });
    expect(await outageOf(client.manifest("app", "md5:1"))).toBe(
      "/v2/app/manifests/md5:1 has a digest that cannot be checked: md5:1.",
    );
  });

  it("are the signed text alone in schema 1", async () => {
    const { registry, client } = await start();
    const layer = registry.blob("app", "layer");
    const { served, payload } = signSchema1({ name: "app", fsLayers: [{ blobSum: layer }] });
    const mediaType = TYPES.signedSchema1;
    registry.manifest("app", "latest", { body: served, mediaType, digest: sha256(payload) });
    const read = await client.manifest("app", "latest");
    expect(read?.manifest.digest).toBe(sha256(payload));
    expect(read?.manifest.bytes).toBe(payload.length);
    expect(read?.manifest.layers.map(({ digest }) => digest)).toStrictEqual([layer]);
    registry.manifest("app", "other", { body: served, mediaType, digest: sha256("unsigned") });
    expect(await outageOf(client.manifest("app", "other"))).toContain(`the bytes are ${sha256(payload)}.`);
  });
});

describe("the size of a blob", () => {
  it("is asked for without its bytes, also of one that is larger than any manifest", async () => {
    const { registry, client } = await start();
    const digest = registry.blob("app", Buffer.alloc(5_000_000));
    expect(await client.blobBytes("app", digest)).toBe(5_000_000);
    expect(registry.requests).toStrictEqual([`HEAD /v2/app/blobs/${digest}`]);
  });

  it("is null where the repository has no such blob, and an Outage where it is not told", async () => {
    const { registry, client } = await start();
    const digest = registry.blob("other", "layer");
    expect(await client.blobBytes("app", digest)).toBeNull();
    registry.disturb({ path: /blobs/, chunked: true, times: 1 });
    expect(await outageOf(client.blobBytes("other", digest))).toBe(
      `The registry does not tell the size of /v2/other/blobs/${digest}.`,
    );
    expect(await client.blobBytes("other", digest)).toBe(5);
  });
});

describe("referrers", () => {
  it("are read page by page", async () => {
    const { registry, client } = await start({ referrers: true, pageSize: 2 });
    const image = pushImage(registry, "app", "latest", ["one"]);
    const signatures = ["a", "b", "c", "d", "e"].map((text) =>
      pushManifest(registry, "app", null, TYPES.manifest, {
        config: pushed(registry, "app", TYPES.empty, "{}"),
        layers: [pushed(registry, "app", TYPES.attestation, text)],
        subject: { mediaType: TYPES.manifest, digest: image.digest, size: image.bytes },
      }),
    );
    const digests = signatures.map(({ digest }) => digest).sort();
    expect(await client.referrers("app", image.digest)).toStrictEqual(digests);
    expect(registry.requests).toHaveLength(3);
    expect(await client.referrers("app", digests[0] ?? "")).toStrictEqual([]);
  });

  it.each([404, 405, 501])("are unsupported where the registry answers %i", async (status) => {
    const { registry, client } = await start();
    registry.disturb({ path: /referrers/, status });
    expect(await client.referrers("app", sha256(""))).toBe("unsupported");
    expect(registry.requests).toHaveLength(1);
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

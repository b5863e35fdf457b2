import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readTraffic } from "../../src/registry/access-log.ts";

const ONE = "sha256:6d07eebcf4f94b82436ac61b554da442817d8ee35bc2c048b0ceb5b1651ce075";
const TWO = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
const SIZES = new Map([
  [ONE, 21],
  [TWO, 2],
]);

const captured = (name: string) =>
  readFileSync(join(import.meta.dirname, `../fixtures/registry/${name}.log`), "utf8")
    .trimEnd()
    .split("\n");

/** Written by docker-registry 2.8.2: two uploads, a manifest, a mount, reads in whole and in part, and misses. */
const CAPTURED = captured("distribution-2.8.2");

/** Every digest of a log, one byte each: what is charged is then the number of uploads. */
const oneByteEach = (lines: readonly string[]) =>
  new Map(
    lines
      .flatMap((text) => [...text.matchAll(/sha256(?::|%3A)([0-9a-f]{64})/g)])
      .map(([, hex]) => [`sha256:${hex}`, 1]),
  );

const line = (request: string, status: number, bytes: number) =>
  `127.0.0.1 - - [24/Nov/2026:00:01:02 +0000] "${request} HTTP/1.1" ${status} ${bytes} "" "docker/20.10"`;

/** What `readTraffic` counts, without the tags. */
function counted(lines: readonly string[], sizes: ReadonlyMap<string, number>) {
  const { pulledBytes, pushedBytes, serverErrors } = readTraffic(lines, sizes);
  return { pulledBytes, pushedBytes, serverErrors };
}

describe("traffic by a registry's access log", () => {
  it("is counted exactly in lines of CNCF Distribution 2.8", () => {
    expect(CAPTURED).toHaveLength(17);
    // Two catalogs (31, 32), the manifest (393), a blob (2) and five bytes of another.
    expect(counted(CAPTURED, SIZES)).toStrictEqual({
      pulledBytes: 31 + 32 + 393 + 2 + 5,
      pushedBytes: 23,
      serverErrors: 0,
    });
  });

  it("is nothing for no lines", () => {
    expect(counted([], SIZES)).toStrictEqual({ pulledBytes: 0, pushedBytes: 0, serverErrors: 0 });
  });

  it.each([
    [
      "a digest with its colon encoded",
      `PUT /v2/a/blobs/uploads/u?_state=x&digest=${ONE.replace(":", "%3A")}`,
      21,
    ],
    ["a digest as it is", `PUT /v2/a/blobs/uploads/u?digest=${ONE}&_state=x`, 21],
    ["a digest that is not stored any more", "PUT /v2/a/blobs/uploads/u?digest=sha256%3A00", 0],
    ["a manifest", "PUT /v2/a/manifests/latest", 0],
    ["all in one POST", `POST /v2/a/blobs/uploads/?digest=${ONE}`, 21],
    ["no upload at all", "POST /v2/a/blobs/uploads/?mount=sha256%3A6d07&from=b", 0],
  ])("counts an upload with %s", (_, request, pushedBytes) => {
    expect(counted([line(request, 201, 0)], SIZES)).toStrictEqual({
      pulledBytes: 0,
      pushedBytes,
      serverErrors: 0,
    });
  });

  it("names the tags that were written and read, in order, and no digests", () => {
    const lines = [
      line("HEAD /v2/a/app/manifests/latest", 404, 0),
      line("PUT /v2/a/app-cache/manifests/4be5", 201, 0),
      line(`PUT /v2/a/app/manifests/${ONE}`, 201, 0),
      line("PUT /v2/a/app/manifests/latest", 201, 0),
      line("PUT /v2/a/app/manifests/refused", 401, 0),
      line("GET /v2/a/app/manifests/latest", 200, 393),
      line(`GET /v2/a/app/manifests/${ONE}`, 200, 393),
      line("HEAD /v2/a/app-cache/manifests/4be5", 200, 393),
      line("PUT /v2/a/app/manifests/latest", 201, 0),
    ];
    const latest = { repository: "a/app", tag: "latest" };
    const cache = { repository: "a/app-cache", tag: "4be5" };
    const { writtenTags, readTags } = readTraffic(lines, SIZES);
    expect(writtenTags).toStrictEqual([cache, latest, latest]);
    expect(readTags).toStrictEqual([latest, cache]);
  });

  it.each([
    ["buildah-cold", 4],
    ["buildkit-cold", 2],
    ["docker-cold", 1],
    ["kaniko-cold", 3],
  ])("names what a cold build wrote: %s", (name, tags) => {
    const log = captured(name);
    expect(readTraffic(log, oneByteEach(log)).writtenTags).toHaveLength(tags);
  });

  it("tells how often the registry failed, whatever it was asked", () => {
    const lines = ["HEAD", "GET", "POST", "PATCH", "PUT", "DELETE"].map((method) =>
      line(`${method} /v2/a/blobs/uploads/u?digest=${ONE}`, 503, 99),
    );
    lines.push(line("GET /v2/", 500, 1), line(`GET /v2/a/blobs/${ONE}`, 404, 1));
    expect(counted(lines, SIZES)).toStrictEqual({ pulledBytes: 0, pushedBytes: 0, serverErrors: 7 });
  });

  it("counts the same blob again when it crosses the link again", () => {
    const upload = (repository: string) =>
      line(`PUT /v2/${repository}/blobs/uploads/u?digest=${ONE}`, 201, 0);
    expect(readTraffic([upload("app"), upload("app-cache")], SIZES).pushedBytes).toBe(42);
  });

  it.each([
    ["an upload that failed", line(`PUT /v2/a/blobs/uploads/u?digest=${ONE}`, 400, 99)],
    ["an upload that is under way", line(`PATCH /v2/a/blobs/uploads/u?digest=${ONE}`, 202, 0)],
    ["a question for the size", line(`HEAD /v2/a/blobs/${ONE}`, 200, 21)],
    ["an answer that is an error", line(`GET /v2/a/blobs/${ONE}`, 404, 157)],
    ["a redirect", line(`GET /v2/a/blobs/${ONE}`, 307, 300)],
    ["another service", line("GET /metrics", 200, 300)],
    ["a line of another kind", 'time="2026-11-24T00:00:00Z" level=warning msg="GET /v2/a"'],
    ["an empty line", ""],
  ])("leaves out %s", (_, text) => {
    expect(counted([text], SIZES)).toStrictEqual({ pulledBytes: 0, pushedBytes: 0, serverErrors: 0 });
  });

  // Cold builds of two layers on a base, image and cache beside each other, by docker-registry 2.8.2.
  it.each([
    ["buildah 1.39: PATCH and PUT for one repository, mounts for the other", "buildah-cold", 60, 7],
    ["BuildKit v0.32: POST and PUT, image and cache each by itself", "buildkit-cold", 29, 8],
    ["docker 26.1: POST and PUT, one repository", "docker-cold", 15, 4],
    ["kaniko v1.24: PATCH and PUT, one mount answered with an upload", "kaniko-cold", 46, 8],
  ])("counts the uploads of %s", (_, name, lines, uploads) => {
    const log = captured(name);
    expect(log).toHaveLength(lines);
    expect(counted(log, oneByteEach(log))).toStrictEqual({
      pulledBytes: 0,
      pushedBytes: uploads,
      serverErrors: 0,
    });
  });
});

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builders } from "../../src/builders/index.ts";
import { DEFAULT_LIMITS } from "../../src/domain/job.ts";
import { BUILDERS, type BuilderId } from "../../src/domain/recipe.ts";
import { createDownloadCache, type DownloadCache } from "../../src/network/download-cache.ts";
import { createLink } from "../../src/network/link.ts";
import { parseLink } from "../../src/network/link-rate.ts";
import type { TrialRegistry } from "../../src/registry/trial-registry.ts";
import { STRATEGIES } from "../contracts/strategies.ts";
import { openLiveTestbed, type LiveTestbed } from "./live-testbed.ts";

const DIRECTORY = "/builds/group/project";
const PAYLOAD = randomBytes(3_000_000);
/** Loopback, but no name of it that a `no_proxy` of the build mentions. */
const ORIGIN_ADDRESS = "127.0.0.2";

let questions = 0;
const origin = createServer((_request, response) => {
  questions += 1;
  response.end(PAYLOAD);
});
let originUrl: string;
let directory: string;
let downloads: DownloadCache;
let live: LiveTestbed;

beforeAll(async () => {
  live = await openLiveTestbed();
  origin.listen(0, ORIGIN_ADDRESS);
  await once(origin, "listening");
  originUrl = `http://${ORIGIN_ADDRESS}:${(origin.address() as AddressInfo).port}`;
  directory = mkdtempSync(join(tmpdir(), "tare-proxy-"));
  downloads = await createDownloadCache({ directory, allow: () => true });
});

afterAll(async () => {
  origin.close();
  await downloads?.close();
  await live?.close();
  rmSync(directory, { recursive: true });
});

const strategyOf: Record<BuilderId, keyof typeof STRATEGIES> = {
  docker: "docker/none",
  buildkit: "buildkit/inline",
  kaniko: "kaniko/layers",
  buildah: "buildah/layers",
};

/** One build whose RUN downloads the payload; resolves with what the builder said where it failed. */
async function build(builder: BuilderId, host: string, proxy = downloads.address): Promise<string> {
  const recipe = STRATEGIES[strategyOf[builder]];
  const dockerfile = `FROM docker.io/library/busybox:1.36\nRUN wget -q -O /payload ${originUrl}/payload\n`;
  const { job } = builders[builder].job({
    name: `live-proxy-${randomBytes(3).toString("hex")}`,
    recipe,
    images: [`${host}/app:latest`],
    cacheFrom: recipe.cacheFrom.length > 0 ? [`${host}/app/cache`] : [],
    cacheTo: recipe.cacheTo.length > 0 ? [`${host}/app/cache`] : [],
    pulls: [],
    files: [
      { kind: "file", path: `${DIRECTORY}/Dockerfile`, content: Buffer.from(dockerfile), executable: false },
    ],
    projectDirectory: DIRECTORY,
    dockerfile: `${DIRECTORY}/Dockerfile`,
    context: DIRECTORY,
    registryHost: host,
    credentials: null,
    mirrors: live.mirrors,
    proxy,
    image: live.testbed.tools.builders[builder]?.image ?? "",
    limits: DEFAULT_LIMITS,
  });
  const result = await live.run(job);
  return result.outcome === "succeeded" ? "" : result.log.map(({ line }) => line).join("\n");
}

/** The image's config as the registry has it, of the platform that was built where there is an index. */
async function configText({ client }: TrialRegistry): Promise<string> {
  const top = await client.manifest("app", "latest");
  const [child] = top?.manifest.children ?? [];
  const image = child === undefined ? top : await client.manifest("app", child);
  return JSON.stringify(await client.config("app", image?.manifest.config?.digest ?? ""));
}

describe.each(BUILDERS)("RUN steps of %s", (builder) => {
  it("download through the cache, push through the link, and leave no trace of either", async () => {
    const registry = await live.startRegistry("live-proxy");
    const { bytesPerSecond } = parseLink("400mbit");
    const link = await createLink({ targetHost: registry.host, bytesPerSecond });
    try {
      downloads.take();
      expect(await build(builder, link.host)).toBe("");
      const { requests, served, missed } = downloads.take();
      expect([requests, served + missed]).toStrictEqual([1, 1]);
      expect(link.pushedBytes()).toBeGreaterThan(PAYLOAD.length);
      const config = await configText(registry);
      expect(config).toContain("wget -q -O /payload");
      expect(config).not.toMatch(/_proxy/i);
      expect(config).not.toContain(new URL(downloads.address).host);
    } finally {
      await link.close();
      await registry.remove();
    }
  });
});

describe("the origin behind them all", () => {
  it("was asked once", () => {
    expect(questions).toBe(1);
  });
});

describe("kaniko's cache", () => {
  it("is hit by builds with the same address of the cache, and by no other: it is part of the key", async () => {
    const registry = await live.startRegistry("live-proxy-keys");
    const other = await createDownloadCache({ directory, allow: () => true });
    try {
      expect(await build("kaniko", registry.host)).toBe("");
      downloads.take();
      expect(await build("kaniko", registry.host)).toBe("");
      expect(downloads.take().requests).toBe(0);
      expect(await build("kaniko", registry.host, other.address)).toBe("");
      expect(other.take().requests).toBe(1);
    } finally {
      await other.close();
      await registry.remove();
    }
  });
});

import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLink, type Link } from "../../src/network/link.ts";
import { parseLink } from "../../src/network/link-rate.ts";
import type { TrialRegistry } from "../../src/registry/trial-registry.ts";
import { until } from "../network/sockets.ts";
import { openLiveTestbed, type LiveTestbed } from "./live-testbed.ts";

const BLOB_BYTES = 20_000_000;
const RATE = parseLink("40mbit");

let live: LiveTestbed;
let registry: TrialRegistry;
let link: Link;

beforeAll(async () => {
  live = await openLiveTestbed();
  registry = await live.startRegistry("live-link");
  link = await createLink({ targetHost: registry.host, bytesPerSecond: RATE.bytesPerSecond });
});

afterAll(async () => {
  await link?.close();
  await registry?.remove();
  await live?.close();
});

/** Opens an upload behind a host and resolves with the address that the registry says to go on at. */
async function openUpload(host: string): Promise<URL> {
  const opened = await fetch(`http://${host}/v2/group/app/blobs/uploads/`, { method: "POST" });
  expect(opened.status).toBe(202);
  return new URL(opened.headers.get("location") ?? "", opened.url);
}

async function push(host: string, blob: Buffer): Promise<string> {
  const address = await openUpload(host);
  const digest = `sha256:${createHash("sha256").update(blob).digest("hex")}`;
  address.searchParams.set("digest", digest);
  const pushed = await fetch(address, {
    method: "PUT",
    body: new Uint8Array(blob),
    headers: { "content-type": "application/octet-stream" },
  });
  expect(pushed.status).toBe(201);
  return digest;
}

/**
 * Works three times at most until it takes 4 s within 5 %: other programs of the machine can make it slower, and nothing
 * may make it faster. `work` resolves with the moment at which the last byte was over the link.
 */
async function bestSeconds(work: () => Promise<number>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 3 && best > 4.2; attempt++) {
    const startMs = performance.now();
    best = Math.min(best, ((await work()) - startMs) / 1000);
  }
  return best;
}

/** The moment at which the link has carried so many bytes up. */
async function pushedAt(bytes: number): Promise<number> {
  await until(() => link.pushedBytes() >= bytes, 30_000);
  return performance.now();
}

/** Bytes beside those of the blob: heads of HTTP. */
function expectHeads(bytes: number): void {
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThan(5000);
}

describe("a registry behind a link of 40 Mbit/s", () => {
  let digest = "";

  it("sends clients on through the link", async () => {
    expect((await openUpload(link.host)).host).toBe(link.host);
  });

  it("takes 20 MB in 4 s", async () => {
    const seconds = await bestSeconds(async () => {
      const before = link.pushedBytes();
      const pushed = pushedAt(before + BLOB_BYTES);
      digest = await push(link.host, randomBytes(BLOB_BYTES));
      expectHeads(link.pushedBytes() - before - BLOB_BYTES);
      return pushed;
    });
    expect(seconds).toBeGreaterThan(3.8);
    expect(seconds).toBeLessThan(4.2);
  });

  it("gives 20 MB in 4 s", async () => {
    const seconds = await bestSeconds(async () => {
      const before = link.pulledBytes();
      const answer = await fetch(`http://${link.host}/v2/group/app/blobs/${digest}`);
      const blob = Buffer.from(await answer.arrayBuffer());
      const pulledAt = performance.now();
      expect(`sha256:${createHash("sha256").update(blob).digest("hex")}`).toBe(digest);
      expectHeads(link.pulledBytes() - before - BLOB_BYTES);
      return pulledAt;
    });
    expect(seconds).toBeGreaterThan(3.8);
    expect(seconds).toBeLessThan(4.2);
  });

  it("is faster beside the link", async () => {
    const startMs = performance.now();
    await push(registry.host, randomBytes(BLOB_BYTES));
    expect(performance.now() - startMs).toBeLessThan(2000);
  });
});

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, get, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { createDownloadCache } from "../src/network/download-cache.ts";
import { createLink } from "../src/network/link.ts";
import { spread } from "./figures.ts";

const RUNS = 5;
const BYTES = 500_000_000;
const CHUNK = randomBytes(1 << 20);
const GIGABIT = 125_000_000;
/** Name of the body that a worker's server serves, `BYTES` long. */
const BODY = "/pool/body.deb";

/**
 * What the relay between builder and registry takes of the machine at 1 Gbit/s and without a limit, beside the same
 * transfers without it, in turn; and what the download cache serves. Server and client are threads of their own: the
 * CPU time is that of this thread, which relays.
 */
export async function benchLink(): Promise<void> {
  const server = await startServer();
  try {
    await benchRelays(server.port);
    await benchDownloads(server.port);
  } finally {
    await server.stop();
  }
}

async function benchRelays(port: number): Promise<void> {
  const targetHost = `127.0.0.1:${port}`;
  const links = {
    "link at 1 Gbit/s": await createLink({ targetHost, bytesPerSecond: GIGABIT }),
    "link without a limit": await createLink({ targetHost, bytesPerSecond: null }),
  };
  try {
    const hosts = Object.entries(links).map(([name, { host }]) => ({ name, host }));
    const all = [{ name: "no link", host: targetHost }, ...hosts];
    const seen = new Map<string, Transfer[]>(all.map(({ name }) => [name, []]));
    for (let run = 0; run < RUNS; run++)
      for (const { name, host } of all) seen.get(name)?.push(await transfer({ host, path: BODY }));
    for (const [name, transfers] of seen) printTransfers(name, transfers);
  } finally {
    for (const link of Object.values(links)) await link.close();
  }
}

/** A stored answer of the size of a large package, by the proxy that RUN steps use. */
async function benchDownloads(port: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "tare-downloads-"));
  // The origin is this machine's own here, which jobs may not reach.
  const cache = await createDownloadCache({ directory, mode: "replay", allow: () => true });
  try {
    const host = new URL(cache.address).host;
    const target = { host, path: `http://127.0.0.1:${port}${BODY}` };
    printTransfers("download cache, fetched, stored and served", [await transfer(target)]);
    const served: Transfer[] = [];
    for (let run = 0; run < RUNS; run++) served.push(await transfer(target));
    printTransfers("download cache, served", served);
    const taken = cache.take();
    console.log(`  ${taken.served} answers from the cache, ${taken.missed} fetched`);
  } finally {
    await cache.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

type Transfer = { megabytesPerSecond: number; cpuSecondsPerGigabyte: number };

async function transfer(target: Target): Promise<Transfer> {
  const before = process.threadCpuUsage();
  const startMs = performance.now();
  const bytes = await fetchInThread(target);
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.threadCpuUsage(before);
  if (bytes !== BYTES) throw new Error(`${bytes} B of ${BYTES} came from ${target.path}`);
  return {
    megabytesPerSecond: bytes / 1e6 / seconds,
    cpuSecondsPerGigabyte: (user + system) / 1e6 / (bytes / 1e9),
  };
}

function printTransfers(name: string, transfers: readonly Transfer[]): void {
  const words = (values: number[], digits: number) => {
    const { median, least, greatest } = spread(values);
    return `${median.toFixed(digits)} (${least.toFixed(digits)} to ${greatest.toFixed(digits)})`;
  };
  const rate = words(
    transfers.map(({ megabytesPerSecond }) => megabytesPerSecond),
    0,
  );
  const cost = words(
    transfers.map(({ cpuSecondsPerGigabyte }) => cpuSecondsPerGigabyte),
    2,
  );
  console.log(`${name}: median ${rate} MB/s, ${cost} CPU s per GB, n=${transfers.length}`);
}

type Target = { host: string; path: string };

/** Fetches one body in a thread of its own; returns its bytes. */
async function fetchInThread(target: Target): Promise<number> {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { role: "client", target } });
  const [bytes] = (await once(worker, "message")) as [number];
  return bytes;
}

async function startServer(): Promise<{ port: number; stop(): Promise<void> }> {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { role: "server" } });
  const [port] = (await once(worker, "message")) as [number];
  return { port, stop: async () => void (await worker.terminate()) };
}

function say(number: number): void {
  parentPort?.postMessage(number, []);
}

function serve(): Server {
  return createServer((_, response) => {
    response.writeHead(200, { "content-length": BYTES, "last-modified": new Date(0).toUTCString() });
    let left = BYTES;
    const write = () => {
      while (left > 0) {
        const chunk = CHUNK.subarray(0, Math.min(left, CHUNK.length));
        left -= chunk.length;
        if (!response.write(chunk)) {
          response.once("drain", write);
          return;
        }
      }
      response.end();
    };
    write();
  });
}

function fetchBody({ host, path }: Target): void {
  const { hostname, port } = new URL(`http://${host}`);
  get({ hostname, port, path, agent: false }, (response) => {
    let bytes = 0;
    response.on("data", (chunk: Buffer) => (bytes += chunk.length));
    response.on("end", () => say(bytes));
  });
}

if (!isMainThread) {
  const { role, target } = workerData as { role: "server" | "client"; target: Target };
  if (role === "client") fetchBody(target);
  else {
    const server = serve().listen(0, "127.0.0.1", () => {
      const address = server.address();
      say(typeof address === "object" && address !== null ? address.port : 0);
    });
  }
}

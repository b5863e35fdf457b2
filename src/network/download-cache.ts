import { createServer, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { allowAllButMachine, isLoopback, type AllowAddress, type Resolve } from "./addresses.ts";
import { openAnswerStore } from "./answer-store.ts";
import { addressAsked, hostOfConnect, hostOfUrl, type AskedHost } from "./asked-host.ts";
import { createDownloadCounts, type DownloadReport } from "./download-counts.ts";
import { createDownloadDesk, type DownloadMode } from "./download-desk.ts";
import { createLink, type Link } from "./link.ts";
import { cutOff, listenOnLoopback } from "../lib/listen.ts";
import { createOrigins } from "./origin.ts";
import { openTunnel, refuseTunnel } from "./tunnel.ts";

export type { DownloadReport } from "./download-counts.ts";
export type { DownloadMode } from "./download-desk.ts";

/**
 * One cache for the downloads of RUN steps: a forward proxy on loopback. Plain HTTP is stored; HTTPS goes through
 * uncached (CONNECT) and is counted. Any number of jobs may use it at once. A job reaches every host that `allowHost`
 * and every address that `allow` allows: without both it is for trusted builds only.
 */
export type DownloadCache = {
  /** http://host:port for http_proxy and https_proxy; the same for the whole life of the cache. */
  address: string;
  setMode(mode: DownloadMode): void;
  /** What went through since the last call. */
  take(): DownloadReport;
  /** Cuts every connection; downloads that are not whole are forgotten. */
  close(): Promise<void>;
};

export type DownloadCacheOptions = {
  directory: string;
  /** `fill` if left out. */
  mode?: DownloadMode;
  /** Rate of each direction between cache and jobs; null or left out: unlimited. */
  bytesPerSecond?: number | null;
  /** The directory is brought down to this when the cache is opened, used longest ago first; 20 GB if left out. */
  maximumBytes?: number;
  /** Which addresses jobs may reach; all but loopback and link-local if left out. The cache itself is never one. */
  allow?: AllowAddress;
  /** Which hosts jobs may ask for, before anything is looked up; all if left out. */
  allowHost?: (host: string, port: number) => boolean;
  /** How names are looked up, as `node:dns` does if left out. */
  resolve?: Resolve;
};

const DEFAULT_MAXIMUM_BYTES = 20_000_000_000;

export async function createDownloadCache(options: DownloadCacheOptions): Promise<DownloadCache> {
  const store = await openAnswerStore(options.directory, options.maximumBytes ?? DEFAULT_MAXIMUM_BYTES);
  const counts = createDownloadCounts();
  const ownPorts = new Set<number>();
  const rule = options.allow ?? allowAllButMachine;
  const allow =
    (port: number): AllowAddress =>
    (host, address) =>
      rule(host, address) && !(ownPorts.has(port) && isLoopback(address));
  const origins = createOrigins(allow, options.resolve);
  const desk = createDownloadDesk({ store, origins, counts, mode: options.mode ?? "fill" });
  const sockets = new Set<Socket>();
  // A job may think for minutes between two downloads on one connection.
  const server = createServer({ keepAliveTimeout: 600_000, requestTimeout: 0, noDelay: true });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const allowed = (asked: AskedHost | null) =>
    options.allowHost === undefined || (asked !== null && options.allowHost(asked.host, asked.port));
  server.on("request", (request, response) => {
    const url = addressAsked(request);
    if (allowed(url === null ? null : hostOfUrl(url))) void desk.answer(request, response);
    else refuse(response);
  });
  server.on("connect", (request, socket, head) => {
    const authority = request.url ?? "";
    const count = (host: string, part: { connections?: number; bytes?: number }) =>
      counts.addTunnel(host, part);
    if (allowed(hostOfConnect(authority)))
      void openTunnel(authority, socket, head, allow, count, options.resolve);
    else refuseTunnel(socket);
  });
  const port = await listenOnLoopback(server);
  ownPorts.add(port);
  const link = await slowLink(port, options.bytesPerSecond ?? null);
  if (link !== null) ownPorts.add(Number(link.host.split(":")[1]));
  return {
    address: `http://${link?.host ?? `127.0.0.1:${port}`}`,
    setMode: (mode) => desk.setMode(mode),
    take: () => counts.take(),
    async close() {
      await link?.close();
      // Tunnels are no requests any more: the server does not know them.
      await cutOff(server, sockets);
      await desk.close();
      origins.close();
    },
  };
}

function refuse(response: ServerResponse): void {
  response.writeHead(403, { "content-type": "text/plain; charset=utf-8" });
  response.end("This host is not among those that this job may reach.\n");
}

/** With a rate, jobs reach the cache through a link of their own: tunnels are held to it as well. */
function slowLink(port: number, bytesPerSecond: number | null): Promise<Link | null> {
  if (bytesPerSecond === null) return Promise.resolve(null);
  return createLink({ targetHost: `127.0.0.1:${port}`, bytesPerSecond });
}

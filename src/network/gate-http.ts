import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { errorText } from "../lib/error-text.ts";
import { AddressRefused } from "./addresses.ts";
import { addressAsked, hostOfConnect, hostOfUrl } from "./asked-host.ts";
import type { Egress } from "./egress.ts";
import { createOrigins, endToEnd, type Origins } from "./origin.ts";
import { openTunnel, refuseTunnel } from "./tunnel.ts";

/** An HTTP server and what it holds open to others. */
export type Front = { server: Server; close(): void };

/**
 * The gate's proxy: plain HTTP by the host of each request, whether it is asked as a proxy or in a server's place, and
 * CONNECT. A host that is not listed is never looked up: its name could carry words out.
 */
export function createGateHttp(egress: Egress): Front {
  const origins = createOrigins(() => egress.allowsAddress, egress.resolve);
  const stopped = new AbortController();
  const server = createServer({ noDelay: true, requestTimeout: 0, keepAliveTimeout: 60_000 });
  server.on("request", (request, response) => {
    response.on("error", () => {});
    const url = addressAsked(request);
    if (url === null) return refuse(response, 400, "This is a proxy for http:// addresses.");
    const { host, port } = hostOfUrl(url);
    if (!egress.allowsHost(host, port))
      return refuse(response, 403, `${host}:${port} is not among the hosts that this job may reach.`);
    void passOn(request, response, url, origins, stopped.signal);
  });
  server.on("connect", (request, socket, head) => {
    const asked = hostOfConnect(request.url ?? "");
    if (asked === null || !egress.allowsHost(asked.host, asked.port)) return refuseTunnel(socket);
    const allow = () => egress.allowsAddress;
    void openTunnel(request.url ?? "", socket, head, allow, () => {}, egress.resolve);
  });
  // What is no HTTP at all is not answered.
  server.on("clientError", (_error, socket) => socket.destroy());
  return {
    server,
    close() {
      stopped.abort();
      origins.close();
    },
  };
}

/** Reads of one server and nothing else: a registry that others start from must not be written by a job. */
export function createReadOnly(targetHost: string): Front {
  // The target is one of Tare's own on loopback, which no job chose.
  const origins = createOrigins(() => () => true);
  const stopped = new AbortController();
  const server = createServer({ noDelay: true, requestTimeout: 0 });
  server.on("request", (request, response) => {
    response.on("error", () => {});
    if (request.method !== "GET" && request.method !== "HEAD")
      return refuse(response, 403, "This registry is only read.");
    const url = URL.parse(`http://${targetHost}${(request.url ?? "").replace(/^\/*/, "/")}`);
    if (url === null || url.host !== targetHost) return refuse(response, 400, "This is no proxy.");
    void passOn(request, response, url, origins, stopped.signal);
  });
  server.on("connect", (_request, socket) => socket.destroy());
  server.on("clientError", (_error, socket) => socket.destroy());
  return {
    server,
    close() {
      stopped.abort();
      origins.close();
    },
  };
}

async function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  origins: Origins,
  signal: AbortSignal,
): Promise<void> {
  const hasBody = "content-length" in request.headers || "transfer-encoding" in request.headers;
  const headers = { ...endToEnd(request.headers), host: url.host };
  const body = hasBody ? request : null;
  try {
    const reply = await origins.ask({ url, method: request.method ?? "GET", headers, body }, signal);
    response.writeHead(reply.statusCode ?? 502, endToEnd(reply.headers));
    await pipeline(reply, response);
  } catch (error) {
    if (response.headersSent) response.destroy();
    else refuse(response, error instanceof AddressRefused ? 403 : 502, errorText(error));
  }
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" });
  response.end(`${sentence}\n`);
}

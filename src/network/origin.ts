import {
  Agent,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from "node:http";
import type { Readable } from "node:stream";
import { guardedLookup, refuseLiteral, type AllowAddress, type Resolve } from "./addresses.ts";

/** Web servers as the download cache reaches them. */
export type Origins = {
  /** Asks and resolves with the head of the answer. Rejects with AddressRefused, or with what the connection failed of. */
  ask(question: Question, signal: AbortSignal): Promise<IncomingMessage>;
  close(): void;
};

export type Question = {
  url: URL;
  method: string;
  headers: OutgoingHttpHeaders;
  body: Readable | null;
};

/** An origin that says nothing for so long is given up. */
const SILENCE_LIMIT_MS = 60_000;

/** Headers about one connection, not about what is asked or answered (RFC 9110, section 7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** `allow` decides with the port too, so that the cache never asks itself. */
export function createOrigins(allow: (port: number) => AllowAddress, lookUp?: Resolve): Origins {
  const agent = new Agent({ keepAlive: true, maxSockets: 64, timeout: SILENCE_LIMIT_MS });
  return {
    ask({ url, method, headers, body }, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
      const allowed = allow(Number(url.port || 80));
      refuseLiteral(url.hostname, allowed);
      const asking = request(url, { method, headers, agent, signal, lookup: guardedLookup(allowed, lookUp) });
      asking.once("response", resolve);
      asking.on("error", reject);
      asking.on("timeout", () => asking.destroy(new Error(`${url.host} said nothing for a minute`)));
      if (body === null) asking.end();
      else body.on("error", (error) => asking.destroy(error)).pipe(asking);
      return promise;
    },
    close: () => agent.destroy(),
  };
}

/** Headers to hand on: without those of the connection, and without those that `Connection` names. */
export function endToEnd(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = (headers.connection ?? "").toLowerCase().split(/\s*,\s*/);
  const left: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !HOP_BY_HOP.has(name) && !named.includes(name)) left[name] = value;
  }
  return left;
}

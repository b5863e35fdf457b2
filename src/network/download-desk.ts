import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { errorText } from "../lib/error-text.ts";
import { AddressRefused } from "./addresses.ts";
import type { AnswerStore, StoredAnswer } from "./answer-store.ts";
import type { DownloadCounts } from "./download-counts.ts";
import { beginDownload, type Download } from "./download.ts";
import { endToEnd, type Origins } from "./origin.ts";
import { serveStored } from "./serve-stored.ts";
import { writeTo } from "./write.ts";

/**
 * `fill`: an answer that was stored by an earlier cache is asked for anew once, so that packages and their lists are of
 * one day; whatever this cache has fetched or renewed itself is served. `replay`: whatever is stored is served as it is.
 * In both, what is not stored is fetched, stored and counted as missed.
 */
export type DownloadMode = "fill" | "replay";

/** Where requests of jobs are answered: from the store, from a download that runs, or from their origin. */
export type DownloadDesk = {
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
  setMode(mode: DownloadMode): void;
  close(): Promise<void>;
};

export type DeskOptions = {
  store: AnswerStore;
  origins: Origins;
  counts: DownloadCounts;
  mode: DownloadMode;
};

/** How an origin was asked: a download has begun, or what is stored still holds. */
type Fetched = { download: Download } | { holds: StoredAnswer };

export function createDownloadDesk(options: DeskOptions): DownloadDesk {
  const { store, origins, counts } = options;
  let { mode } = options;
  const stopped = new AbortController();
  const running = new Map<string, Promise<Fetched>>();
  const writing = new Set<Promise<void>>();
  /** URLs that were fetched or renewed since this cache was opened. */
  const renewed = new Set<string>();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    counts.add({ requests: 1 });
    response.on("error", () => {});
    const url = proxiedUrl(request.url ?? "");
    if (url === null) return say(response, 400, "This is a proxy for http:// addresses.");
    try {
      if (isStorable(request, url)) await answerStorable(request, response, url);
      else await passOn(request, response, url);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else say(response, error instanceof AddressRefused ? 403 : 502, errorText(error));
    }
  }

  async function answerStorable(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const others = await runningNow(url.href);
    if (others !== null) {
      counts.add({ served: 1 });
      return follow(request, response, others, true);
    }
    const stored = await store.find(url.href);
    // Somebody may have asked while the disk was read.
    if (running.has(url.href)) return answerStorable(request, response, url);
    if (stored !== null && (mode === "replay" || renewed.has(url.href))) {
      counts.add({ served: 1 });
      return serveFromStore(request, response, stored);
    }
    if (request.method === "HEAD") return passOn(request, response, url);
    counts.add({ missed: 1 });
    const fetched = await fetch(request, url, stored);
    if ("holds" in fetched) return serveFromStore(request, response, fetched.holds);
    return follow(request, response, fetched.download, false);
  }

  /** The download of an address that is still coming; null where there is none, or none any more. */
  async function runningNow(href: string): Promise<Download | null> {
    const fetched = await running.get(href);
    if (fetched === undefined || "holds" in fetched) return null;
    if (!fetched.download.isWhole()) return fetched.download;
    await fetched.download.settled;
    return null;
  }

  function serveFromStore(request: IncomingMessage, response: ServerResponse, stored: StoredAnswer): void {
    serveStored(request, response, store.bodies, stored, (bytes) => counts.add({ bytesFromCache: bytes }));
  }

  /** Asks the origin; others who want the same meanwhile get the same. */
  function fetch(request: IncomingMessage, url: URL, stored: StoredAnswer | null): Promise<Fetched> {
    const ended = (holds: boolean) => {
      running.delete(url.href);
      if (holds) renewed.add(url.href);
    };
    const fetching = askOrigin(request, url, stored, ended);
    running.set(url.href, fetching);
    fetching.catch(() => ended(false));
    return fetching;
  }

  async function askOrigin(
    request: IncomingMessage,
    url: URL,
    stored: StoredAnswer | null,
    ended: (holds: boolean) => void,
  ): Promise<Fetched> {
    const headers = { ...plainQuestion(request), ...(stored === null ? {} : conditions(stored)) };
    const reply = await origins.ask({ url, method: "GET", headers, body: null }, stopped.signal);
    if (stored !== null && reply.statusCode === 304) {
      reply.resume();
      ended(true);
      return { holds: stored };
    }
    const download = await beginDownload(url.href, reply, store, {
      received: (bytes) => counts.add({ bytesFetched: bytes }),
      ended,
    });
    writing.add(download.settled);
    void download.settled.then(() => writing.delete(download.settled));
    return { download };
  }

  async function follow(
    request: IncomingMessage,
    response: ServerResponse,
    download: Download,
    second: boolean,
  ): Promise<void> {
    const { head, expectedBytes } = download;
    response.writeHead(head.status, {
      ...head.headers,
      ...(expectedBytes === null ? {} : { "content-length": expectedBytes }),
    });
    if (request.method !== "HEAD") {
      await download.pour((part) => {
        if (second) counts.add({ bytesFromCache: part.length });
        return writeTo(response, part);
      });
    }
    response.end();
  }

  /** What is never stored goes to its origin and back as it is. */
  async function passOn(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const hasBody = "content-length" in request.headers || "transfer-encoding" in request.headers;
    const reply = await origins.ask(
      {
        url,
        method: request.method ?? "GET",
        headers: { ...endToEnd(request.headers), host: url.host },
        body: hasBody ? request : null,
      },
      stopped.signal,
    );
    reply.on("data", (chunk: Buffer) => counts.add({ bytesFetched: chunk.length }));
    response.writeHead(reply.statusCode ?? 502, endToEnd(reply.headers));
    await pipeline(reply, response);
  }

  return {
    answer,
    setMode(next) {
      mode = next;
    },
    async close() {
      stopped.abort();
      await Promise.allSettled(running.values());
      await Promise.all(writing);
    },
  };
}

/** The absolute http address that a proxy is asked for; null for anything else. */
function proxiedUrl(target: string): URL | null {
  const url = URL.parse(target);
  if (url === null || url.protocol !== "http:") return null;
  url.hash = "";
  return url;
}

/** What may be answered to anybody: asked without credentials, and not to change something. */
function isStorable({ method, headers }: IncomingMessage, url: URL): boolean {
  const readOnly = method === "GET" || method === "HEAD";
  return readOnly && url.username === "" && !("authorization" in headers) && !("cookie" in headers);
}

/** The whole is asked for, in no encoding, whatever part or encoding this one wants: others want it as well. */
function plainQuestion(request: IncomingMessage): Record<string, string | string[]> {
  const own = new Set([
    "range",
    "if-range",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
  ]);
  const headers = Object.entries(endToEnd(request.headers)).filter(
    ([name]) => !own.has(name) && name !== "host",
  );
  return { ...Object.fromEntries(headers), "accept-encoding": "identity" };
}

function conditions({ headers }: StoredAnswer): Record<string, string> {
  const { etag, "last-modified": lastModified } = headers;
  return {
    ...(etag === undefined ? {} : { "if-none-match": etag }),
    ...(lastModified === undefined ? {} : { "if-modified-since": lastModified }),
  };
}

function say(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(`${sentence}\n`);
}

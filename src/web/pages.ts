import type { IncomingMessage, ServerResponse } from "node:http";
import { gunzip } from "node:zlib";
import { promisify } from "node:util";
import { Gauge, Registry } from "prom-client";
import { equalInConstantTime } from "../lib/constant-time.ts";
import { pagePolicy } from "../reports/fill.ts";
import type { Secrets } from "../lib/secrets.ts";
import { createPageRenderer, type PageRenderer } from "./page-renderer.ts";
import { renderStatusPage, type StatusPage } from "../reports/status-page.ts";

type ListedRequest = Omit<StatusPage["requests"][number], "title" | "href"> & {
  key: string;
  head: string;
  hasReport: boolean;
};

/** What pages are made from. */
export type PageStore = {
  requests(): Promise<ListedRequest[]>;
  workers(): Promise<StatusPage["workers"]>;
  /** The report as JSON; its text is null where it is too long. */
  reportText(id: string): Promise<{ bytes: number; text: string | null } | null>;
  states(): Promise<{ requests: Record<string, number>; replies: Record<string, number> }>;
};

/** Answers a page's path; false where the path is none of a page. */
export type Pages = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<boolean>;

const PATHS = /^\/(?:requests(?:\/(?<id>[0-9a-f-]{36})(?<json>\/report\.json)?)?|metrics)$/u;

/**
 * Pages behind a token, whatever they show: a report may be of a private project. The token is the password of HTTP's basic
 * authentication, or a bearer's.
 */
export function createPages(store: PageStore, token: string, secrets: Secrets): Pages {
  const renderer = createPageRenderer(secrets);
  const shown = {
    ...store,
    requests: async () => secrets.redactTexts(await store.requests()),
    workers: async () => secrets.redactTexts(await store.workers()),
  };
  return async (request, response, path) => {
    const match = PATHS.exec(path);
    if (match === null) return false;
    if (!mayRead(request, token)) {
      response.writeHead(401, {
        "www-authenticate": 'Basic realm="Tare", charset="UTF-8"',
        "content-type": "text/plain; charset=utf-8",
      });
      response.end("These pages want the token of TARE_PAGES_TOKEN as password.\n");
      return true;
    }
    const { id, json } = match.groups ?? {};
    if (path === "/metrics") await metrics(response, store);
    else if (id === undefined) await list(response, shown);
    else
      await page({ request, response }, store, renderer, { id, kind: json === undefined ? "html" : "json" });
    return true;
  };
}

function mayRead({ headers }: IncomingMessage, token: string): boolean {
  const [, scheme = "", value = ""] = /^(\w+) +(\S+)$/u.exec(headers.authorization ?? "") ?? [];
  if (scheme.toLowerCase() === "bearer") return equalInConstantTime(value, token);
  if (scheme.toLowerCase() !== "basic") return false;
  const given = Buffer.from(value, "base64").toString("utf8");
  return equalInConstantTime(given.slice(given.indexOf(":") + 1), token);
}

async function list(response: ServerResponse, store: PageStore): Promise<void> {
  const [requests, workers] = await Promise.all([store.requests(), store.workers()]);
  const rows = requests.map(({ id, key, head, hasReport, ...rest }) => ({
    ...rest,
    id: head.slice(0, 12),
    title: key,
    href: hasReport ? `/requests/${id}` : null,
  }));
  html(response, renderStatusPage({ requests: rows, workers }));
}

type Exchange = { request: IncomingMessage; response: ServerResponse };

async function page(
  { request, response }: Exchange,
  store: PageStore,
  renderer: PageRenderer,
  { id, kind }: { id: string; kind: "html" | "json" },
): Promise<void> {
  const rendered = await renderer.render(kind, id, async () => store.reportText(id));
  if (rendered === null || "refused" in rendered) {
    response.writeHead(rendered === null ? 404 : 503, { "content-type": "text/plain; charset=utf-8" });
    response.end(`${rendered?.refused ?? "No report is kept under this address."}\n`);
    return;
  }
  const takesGzip = /\bgzip\b/u.test(request.headers["accept-encoding"] ?? "");
  const body = takesGzip ? rendered.gzip : await unzip(rendered.gzip);
  const encoding: Record<string, string> = takesGzip ? { "content-encoding": "gzip" } : {};
  const headers = { vary: "accept-encoding", ...encoding };
  if (kind === "json") send(response, "application/json", body, headers);
  else html(response, body, headers);
}

const unzip = promisify(gunzip);

/** Prometheus' text format. */
async function metrics(response: ServerResponse, store: PageStore): Promise<void> {
  const registry = new Registry();
  const { requests, replies } = await store.states();
  for (const [name, help, states] of [
    ["tare_requests", "Requests by state.", requests],
    ["tare_replies", "Replies by state.", replies],
  ] as const) {
    const gauge = new Gauge({ name, help, labelNames: ["state"], registers: [registry] });
    for (const [state, count] of Object.entries(states)) gauge.set({ state }, count);
  }
  send(response, registry.contentType, await registry.metrics());
}

function html(
  response: ServerResponse,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): void {
  send(response, "text/html; charset=utf-8", body, {
    ...headers,
    "content-security-policy": pagePolicy(),
    "referrer-policy": "no-referrer",
  });
}

function send(
  response: ServerResponse,
  type: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): void {
  response.writeHead(200, {
    "content-type": type,
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-store",
    ...headers,
  });
  response.end(body);
}

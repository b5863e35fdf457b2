import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Logger } from "pino";
import { createBodyReader } from "../channels/body-reader.ts";
import { errorFields } from "../channels/error-fields.ts";
import { createGithubDoor } from "../channels/github.ts";
import { createGitlabDoor } from "../channels/gitlab.ts";
import type { Admit, ChangeEvent, Door } from "../channels/types.ts";
import type { ServeConfig } from "../config/serve.ts";
import type { Secrets } from "../lib/secrets.ts";
import { createPages, type Pages, type PageStore } from "./pages.ts";
import { Problem } from "../domain/problem.ts";

/** What the web process asks of the store. */
export type WebStore = PageStore & {
  admit: Admit;
  size(): Promise<{ waiting: number; running: number; replies: number }>;
};

export type WebServerOptions = {
  config: ServeConfig;
  store: WebStore;
  log: Logger;
  /** What no page may show. */
  secrets: Secrets;
  now: () => Date;
};

export type WebServer = {
  /** Rejects with Problem("port-taken") where the address is in use. `url` has no slash at its end. */
  listen(): Promise<{ url: string }>;
  /** Takes nothing more in. */
  close(): Promise<void>;
};

/** The web process: the forges' webhooks, `/healthz` and `/readyz`. What it acknowledges is on disk. */
export function createWebServer(options: WebServerOptions): WebServer {
  let doors: readonly Door[] = [];
  const { pagesToken } = options.config;
  const pages = pagesToken === null ? null : createPages(options.store, pagesToken, options.secrets);
  const server = createServer((request, response) => {
    route(request, response, { doors, pages, store: options.store }).catch((error: unknown) => {
      options.log.error(errorFields(error), "request failed");
      if (!response.headersSent) plain(response, 500, "failed");
    });
  });
  // Slow senders hold memory: GitHub itself gives up after 10 s.
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  return {
    async listen() {
      doors = await openDoors(options);
      const address = await listen(server, options.config);
      const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
      const url = `http://${host}:${address.port}`;
      options.log.info({ url, doors: doors.map((door) => door.path) }, "listening");
      return { url };
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function openDoors({ config, store, log, now }: WebServerOptions): Promise<Door[]> {
  const parts = {
    admit: async (event: ChangeEvent) => store.admit(event),
    log,
    now,
    reader: createBodyReader(),
  };
  const doors: Door[] = [];
  if (config.github) doors.push(await createGithubDoor(config.github, parts));
  if (config.gitlab) doors.push(createGitlabDoor(config.gitlab, parts));
  return doors;
}

type Routes = { doors: readonly Door[]; pages: Pages | null; store: WebStore };

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  { doors, pages, store }: Routes,
): Promise<void> {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  if (path === "/healthz") return json(response, 200, { status: "ok" });
  if (path === "/readyz") return ready(response, store);
  if (request.method === "GET" && pages !== null && (await pages(request, response, path))) return;
  const door = doors.find((door) => door.path === path);
  if (!door) return plain(response, 404, "not found");
  if (request.method !== "POST") {
    response.setHeader("allow", "POST");
    return plain(response, 405, "a webhook is sent with POST");
  }
  await door.handle(request, response);
}

/** Ready is who can keep what it acknowledges: the database answers. */
async function ready(response: ServerResponse, store: WebStore): Promise<void> {
  try {
    json(response, 200, { status: "ready", ...(await store.size()) });
  } catch {
    json(response, 503, { status: "the database does not answer" });
  }
}

function json(response: ServerResponse, status: number, content: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(content)}\n`);
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" });
  response.end(`${text}\n`);
}

async function listen(server: Server, config: ServeConfig): Promise<AddressInfo> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host: config.host, port: config.port }, resolve);
  try {
    await promise;
  } catch (error) {
    throw asProblem(error, config);
  }
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("the server has no port");
  return address;
}

function asProblem(error: unknown, config: ServeConfig): unknown {
  const code = error instanceof Error && "code" in error ? error.code : null;
  const where = `${config.host}:${config.port}`;
  if (code === "EADDRINUSE") {
    return new Problem("port-taken", `Something else listens on ${where}.`, "Set TARE_PORT to a free port.");
  }
  if (code === "EACCES" || code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return new Problem(
      "configuration",
      `Tare cannot listen on ${where}.`,
      "Set TARE_HOST and TARE_PORT to an address of this machine.",
      [code],
    );
  }
  return error;
}

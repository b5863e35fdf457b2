import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

export type RecordedRequest = {
  method: string;
  path: string;
  query: string;
  headers: IncomingMessage["headers"];
  body: unknown;
  status: number;
};

/** An answer to be given instead of the real one, to the next request that fits. */
export type Failure = { method: string; path: RegExp; status: number; afterwards?: boolean };

export type Reply = { status: number; body?: unknown; headers?: Record<string, string> };

export type ApiRequest = {
  method: string;
  path: string;
  search: URLSearchParams;
  headers: IncomingMessage["headers"];
  body: Record<string, unknown>;
};

/** A loopback server that records each request; JSON for the API, raw for git. */
export type HttpRecorder = {
  url: string;
  requests: RecordedRequest[];
  /** With `afterwards`, the request is carried out and then answered with the failure. */
  failNext(failure: Failure): void;
  close(): Promise<void>;
};

type Handlers = {
  api(request: ApiRequest): Reply;
  /** True when it took the request. */
  git(request: IncomingMessage, response: ServerResponse, path: string, query: string): boolean;
};

export async function startHttpRecorder(handlers: (url: string) => Handlers): Promise<HttpRecorder> {
  const requests: RecordedRequest[] = [];
  const failures: Failure[] = [];
  let current: Handlers | null = null;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://fake");
    const method = request.method ?? "GET";
    const seen = { method, path: url.pathname, query: url.search.slice(1), headers: request.headers };
    if (current?.git(request, response, url.pathname, url.search.slice(1))) {
      response.once("finish", () => requests.push({ ...seen, body: null, status: response.statusCode }));
      return;
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      const body = text ? (JSON.parse(text) as Record<string, unknown>) : {};
      const failure = takeFailure(failures, method, url.pathname);
      const asked = { method, path: url.pathname, search: url.searchParams, headers: request.headers, body };
      const real = failure && !failure.afterwards ? null : current?.api(asked);
      const reply: Reply = failure
        ? { status: failure.status, body: { message: "bad gateway" } }
        : (real ?? { status: 500 });
      requests.push({ ...seen, body, status: reply.status });
      response.writeHead(reply.status, { "content-type": "application/json", ...reply.headers });
      response.end(reply.body === undefined ? undefined : JSON.stringify(reply.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  const url = `http://127.0.0.1:${address.port}`;
  current = handlers(url);
  return {
    url,
    requests,
    failNext: (failure) => void failures.push(failure),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function takeFailure(failures: Failure[], method: string, path: string): Failure | null {
  const index = failures.findIndex((failure) => failure.method === method && failure.path.test(path));
  return index < 0 ? null : (failures.splice(index, 1)[0] ?? null);
}

/** One page and the headers of the forges' offset pagination. */
export function page(url: string, request: ApiRequest, items: readonly unknown[]): Reply {
  const perPage = Math.min(Number(request.search.get("per_page") ?? 30), 100);
  const number = Number(request.search.get("page") ?? 1);
  const last = Math.max(1, Math.ceil(items.length / perPage));
  const next = new URL(`${url}${request.path}?${request.search.toString()}`);
  next.searchParams.set("page", String(number + 1));
  return {
    status: 200,
    body: items.slice((number - 1) * perPage, number * perPage),
    headers: number < last ? { link: `<${next.href}>; rel="next"`, "x-next-page": String(number + 1) } : {},
  };
}

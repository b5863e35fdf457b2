import { createHash, randomBytes } from "node:crypto";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createDownloadCache,
  type DownloadCacheOptions,
  type DownloadMode,
} from "../../src/network/download-cache.ts";
import { ask, get } from "./proxy-client.ts";
import { dial, readAll, until } from "./sockets.ts";
import { serveWeb, type WebOrigin } from "./web-origin.ts";

const WRITTEN = "Tue, 24 Nov 2026 10:00:00 GMT";
const open: { close(): unknown }[] = [];
let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tare-downloads-"));
});

afterEach(async () => {
  for (const part of open.splice(0).toReversed()) await part.close();
  rmSync(directory, { recursive: true });
});

/** A cache that may reach loopback, where the origins of tests are. */
async function cache(options: Partial<DownloadCacheOptions> = {}) {
  const opened = await createDownloadCache({ directory, allow: () => true, ...options });
  open.push(opened);
  return {
    address: opened.address,
    take: () => opened.take(),
    setMode: (mode: DownloadMode) => opened.setMode(mode),
  };
}

/** Everything that was downloaded is in the store. */
const allStored = () => until(() => readdirSync(join(directory, "drafts")).length === 0);

async function origin(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<WebOrigin> {
  const served = await serveWeb(answer);
  open.push(served);
  return served;
}

/** A file with the validators that web servers give. */
const file =
  (body: Buffer | string, headers: Record<string, string> = {}) =>
  (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, {
      "content-type": "application/vnd.debian.binary-package",
      "content-length": Buffer.byteLength(body),
      etag: '"v1"',
      "last-modified": WRITTEN,
      ...headers,
    });
    response.end(body);
  };

const counted = (part: object) => ({
  requests: 0,
  served: 0,
  missed: 0,
  bytesFromCache: 0,
  bytesFetched: 0,
  tunnels: [],
  ...part,
});

describe("a download", () => {
  it("is fetched once and served from disk after that, with the headers that matter", async () => {
    const body = randomBytes(300_000);
    const web = await origin(file(body, { "set-cookie": "a=b", server: "web" }));
    const { address, take } = await cache();
    const first = await get(address, `${web.url}/pool/hello.deb`);
    expect(first.body.equals(body)).toBe(true);
    expect(take()).toStrictEqual(counted({ requests: 1, missed: 1, bytesFetched: 300_000 }));
    const second = await get(address, `${web.url}/pool/hello.deb`);
    expect(second.status).toBe(200);
    expect(second.body.equals(body)).toBe(true);
    expect(second.headers).toMatchObject({
      "content-type": "application/vnd.debian.binary-package",
      "content-length": "300000",
      "accept-ranges": "bytes",
      etag: '"v1"',
      "last-modified": WRITTEN,
    });
    expect(second.headers).not.toHaveProperty("set-cookie");
    expect(take()).toStrictEqual(counted({ requests: 1, served: 1, bytesFromCache: 300_000 }));
    expect(web.requests).toStrictEqual(["GET /pool/hello.deb"]);
  });

  it("lies in the store by the digest of its body, beside its address and status", async () => {
    const web = await origin(file("hello"));
    const { address } = await cache();
    await get(address, `${web.url}/a?b=c#d`);
    await allStored();
    const sha256 = createHash("sha256").update("hello").digest("hex");
    expect(readdirSync(join(directory, "bodies"))).toStrictEqual([sha256]);
    const [name = ""] = readdirSync(join(directory, "answers"));
    expect(JSON.parse(readFileSync(join(directory, "answers", name), "utf8"))).toStrictEqual({
      url: `${web.url}/a?b=c`,
      status: 200,
      headers: {
        "content-type": "application/vnd.debian.binary-package",
        etag: '"v1"',
        "last-modified": WRITTEN,
      },
      bytes: 5,
      sha256,
    });
  });

  it("is asked of its origin whole and unencoded, without what this client has", async () => {
    const web = await origin(file("hello"));
    const { address } = await cache();
    const heard = await get(address, `${web.url}/x`, {
      range: "bytes=1-2",
      "if-modified-since": WRITTEN,
      "accept-encoding": "gzip, br",
      "proxy-connection": "keep-alive",
      "user-agent": "Debian APT-HTTP/1.3 (2.6.1)",
    });
    expect(heard.status).toBe(200);
    expect(heard.body.toString()).toBe("hello");
    expect(web.heads[0]).toStrictEqual({
      host: web.host,
      "user-agent": "Debian APT-HTTP/1.3 (2.6.1)",
      "accept-encoding": "identity",
      connection: "keep-alive",
    });
  });

  it("reaches its client while it is still coming, and a second client with it", async () => {
    let finish = () => {};
    const web = await origin((_request, response) => {
      response.write("first ");
      finish = () => response.end("last");
    });
    const { address, take } = await cache();
    const one = await ask(address, `${web.url}/slow`);
    const two = await ask(address, `${web.url}/slow`);
    const [part] = (await once(one, "data")) as [Buffer];
    expect(part.toString()).toBe("first ");
    finish();
    expect(Buffer.concat(await two.toArray()).toString()).toBe("first last");
    expect(web.requests).toHaveLength(1);
    expect(take()).toStrictEqual(
      counted({ requests: 2, missed: 1, served: 1, bytesFetched: 10, bytesFromCache: 10 }),
    );
  });

  it("that does not exist is a stored answer too", async () => {
    const web = await origin((_request, response) => response.writeHead(404).end("no such file"));
    const { address, take } = await cache();
    for (let attempt = 0; attempt < 2; attempt++) {
      const heard = await get(address, `${web.url}/dists/InRelease`);
      expect([heard.status, heard.body.toString()]).toStrictEqual([404, "no such file"]);
    }
    expect(web.requests).toHaveLength(1);
    expect(take()).toMatchObject({ requests: 2, missed: 1, served: 1 });
  });

  it("that is elsewhere leads there again", async () => {
    const web = await origin((_request, response) => response.writeHead(302, { location: "/there" }).end());
    const { address } = await cache();
    for (let attempt = 0; attempt < 2; attempt++) {
      const heard = await get(address, `${web.url}/here`);
      expect([heard.status, heard.headers.location]).toStrictEqual([302, "/there"]);
    }
    expect(web.requests).toStrictEqual(["GET /here"]);
  });

  it.each([500, 503, 429, 403, 401])("that is answered %d is not stored", async (status) => {
    const web = await origin((_request, response) => response.writeHead(status).end("later"));
    const { address } = await cache();
    for (let attempt = 0; attempt < 2; attempt++) {
      expect((await get(address, `${web.url}/busy`)).status).toBe(status);
    }
    expect(web.requests).toHaveLength(2);
  });
});

describe("a stored download", () => {
  const BODY = "0123456789";

  async function stored(): Promise<{
    address: string;
    url: string;
    web: WebOrigin;
    take: () => object;
  }> {
    const web = await origin(file(BODY));
    const { address, take } = await cache();
    const url = `${web.url}/list`;
    await get(address, url);
    await allStored();
    take();
    return { address, url, web, take };
  }

  it.each([
    ["bytes=0-3", 206, "0123", "bytes 0-3/10"],
    ["bytes=4-", 206, "456789", "bytes 4-9/10"],
    ["bytes=-2", 206, "89", "bytes 8-9/10"],
  ])("is served by its range %s", async (range, status, body, contentRange) => {
    const { address, url, take } = await stored();
    const heard = await get(address, url, { range });
    expect([heard.status, heard.body.toString(), heard.headers["content-range"]]).toStrictEqual([
      status,
      body,
      contentRange,
    ]);
    expect(take()).toMatchObject({ served: 1, bytesFromCache: body.length });
  });

  it("says that a range past its end is none, as apt needs to see that its part is whole", async () => {
    const { address, url } = await stored();
    const heard = await get(address, url, { range: "bytes=10-", "if-range": WRITTEN });
    expect([heard.status, heard.headers["content-range"]]).toStrictEqual([416, "bytes */10"]);
  });

  it("is served whole where the part belongs to another version", async () => {
    const { address, url } = await stored();
    const heard = await get(address, url, { range: "bytes=5-", "if-range": "Mon, 23 Nov 2026 10:00:00 GMT" });
    expect([heard.status, heard.body.toString()]).toStrictEqual([200, BODY]);
    const same = await get(address, url, { range: "bytes=5-", "if-range": WRITTEN });
    expect([same.status, same.body.toString()]).toStrictEqual([206, "56789"]);
  });

  it.each([
    [{ "if-modified-since": WRITTEN }, 304],
    [{ "if-modified-since": "Wed, 25 Nov 2026 10:00:00 GMT" }, 304],
    [{ "if-modified-since": "Mon, 23 Nov 2026 10:00:00 GMT" }, 200],
    [{ "if-none-match": '"v1"' }, 304],
    [{ "if-none-match": '"v0"' }, 200],
    [{ "if-none-match": '"v0"', "if-modified-since": WRITTEN }, 200],
  ])("answers the condition %j with %d", async (headers, status) => {
    const { address, url, web } = await stored();
    const heard = await get(address, url, headers);
    expect([heard.status, heard.body.toString()]).toStrictEqual([status, status === 304 ? "" : BODY]);
    expect(web.requests).toHaveLength(1);
  });

  it("answers HEAD", async () => {
    const { address, url, web } = await stored();
    const heard = await get(address, url, {}, "HEAD");
    expect([heard.status, heard.headers["content-length"], heard.body.length]).toStrictEqual([200, "10", 0]);
    expect(web.requests).toHaveLength(1);
  });

  it("is served to pipelined requests in their order, on one connection", async () => {
    const { address, url, web } = await stored();
    await get(address, `${web.url}/other`);
    const socket = await dial(new URL(address).host);
    const line = (path: string, more = "") =>
      `GET ${web.url}${path} HTTP/1.1\r\nHost: ${web.host}\r\n${more}\r\n`;
    socket.write(line("/list") + line("/list", "Range: bytes=0-1\r\n") + line("/new"));
    socket.write(line("/other", "Connection: close\r\n"));
    const heard = (await readAll(socket)).toString();
    expect(heard.match(/HTTP\/1\.1 \d+/g)).toStrictEqual([
      "HTTP/1.1 200",
      "HTTP/1.1 206",
      "HTTP/1.1 200",
      "HTTP/1.1 200",
    ]);
    expect(heard).toContain("\r\n\r\n01HTTP/1.1 200");
    expect(url).toContain("/list");
    expect(web.requests).toStrictEqual(["GET /list", "GET /other", "GET /new"]);
  });

  it("is fetched anew where its body was cut short on disk", async () => {
    const { address, url, web } = await stored();
    const [name = ""] = readdirSync(join(directory, "bodies"));
    truncateSync(join(directory, "bodies", name), 4);
    expect((await get(address, url)).body.toString()).toBe(BODY);
    expect(web.requests).toHaveLength(2);
  });

  it("is fetched anew where its record is no record", async () => {
    const { address, url, web } = await stored();
    const [name = ""] = readdirSync(join(directory, "answers"));
    writeFileSync(join(directory, "answers", name), '{"url":');
    expect((await get(address, url)).body.toString()).toBe(BODY);
    expect(web.requests).toHaveLength(2);
  });
});

describe("a later cache of the same directory", () => {
  async function filled(answer: (request: IncomingMessage, response: ServerResponse) => void) {
    const web = await origin(answer);
    const first = await createDownloadCache({ directory, allow: () => true });
    await get(first.address, `${web.url}/list`);
    await first.close();
    web.requests.length = 0;
    return web;
  }

  it("serves what is stored without asking when it replays", async () => {
    const web = await filled(file("old"));
    const { address, take } = await cache({ mode: "replay" });
    expect((await get(address, `${web.url}/list`)).body.toString()).toBe("old");
    expect(web.requests).toStrictEqual([]);
    expect(take()).toStrictEqual(counted({ requests: 1, served: 1, bytesFromCache: 3 }));
  });

  it("fetches, stores and counts what it does not have when it replays", async () => {
    const web = await filled(file("old"));
    const { address, take } = await cache({ mode: "replay" });
    for (let attempt = 0; attempt < 2; attempt++) await get(address, `${web.url}/new`);
    expect(web.requests).toStrictEqual(["GET /new"]);
    expect(take()).toStrictEqual(
      counted({ requests: 2, served: 1, missed: 1, bytesFetched: 3, bytesFromCache: 3 }),
    );
  });

  it("asks once whether it still holds when it fills", async () => {
    const web = await filled((request, response) => {
      if (request.headers["if-none-match"] === '"v1"') response.writeHead(304).end();
      else file("same")(request, response);
    });
    const { address, take } = await cache();
    for (let attempt = 0; attempt < 3; attempt++) {
      expect((await get(address, `${web.url}/list`)).body.toString()).toBe("same");
    }
    expect(web.requests).toStrictEqual(["GET /list"]);
    expect(web.heads.at(-1)).toMatchObject({ "if-none-match": '"v1"', "if-modified-since": WRITTEN });
    expect(take()).toStrictEqual(counted({ requests: 3, missed: 1, served: 2, bytesFromCache: 12 }));
  });

  it("takes the new version when it fills, and keeps it when it then replays", async () => {
    let body = "old";
    const web = await filled((request, response) => file(body)(request, response));
    body = "newer";
    const opened = await cache();
    expect((await get(opened.address, `${web.url}/list`)).body.toString()).toBe("newer");
    opened.setMode("replay");
    body = "newest";
    expect((await get(opened.address, `${web.url}/list`)).body.toString()).toBe("newer");
    expect(web.requests).toHaveLength(1);
  });

  it("removes what was used longest ago until it is small enough", async () => {
    const web = await origin((request, response) =>
      response.end(Buffer.alloc(1000, request.url?.at(-1) ?? "")),
    );
    const first = await createDownloadCache({ directory, allow: () => true });
    for (const name of ["a", "b", "c"]) await get(first.address, `${web.url}/${name}`);
    await first.close();
    for (const name of readdirSync(join(directory, "answers"))) {
      const path = join(directory, "answers", name);
      const { url } = JSON.parse(readFileSync(path, "utf8")) as { url: string };
      const usedS = { a: 3000, b: 1000, c: 2000 }[url.at(-1) ?? ""] ?? 0;
      utimesSync(path, usedS, usedS);
    }
    web.requests.length = 0;
    const { address } = await cache({ mode: "replay", maximumBytes: 2000 });
    expect(readdirSync(join(directory, "bodies"))).toHaveLength(2);
    for (const name of ["a", "b", "c"]) {
      expect((await get(address, `${web.url}/${name}`)).body.toString()).toBe(name.repeat(1000));
    }
    expect(web.requests).toStrictEqual(["GET /b"]);
  });
});

describe("what is never stored", () => {
  it.each([
    ["a POST", "POST", {}],
    ["a request with credentials", "GET", { authorization: "Basic eDp5" }],
    ["a request with cookies", "GET", { cookie: "a=b" }],
  ])("%s goes to its origin each time, as it is", async (_what, method, headers) => {
    const web = await origin((request, response) => {
      void text(request).then((heard) => response.writeHead(201, { "x-own": "kept" }).end(`heard ${heard}`));
    });
    const { address, take } = await cache();
    for (let attempt = 0; attempt < 2; attempt++) {
      const sent = method === "POST" ? "question" : "";
      const heard = await get(address, `${web.url}/form`, headers, method, sent);
      expect([heard.status, heard.headers["x-own"], heard.body.toString()]).toStrictEqual([
        201,
        "kept",
        `heard ${sent}`,
      ]);
    }
    expect(web.requests).toHaveLength(2);
    expect(web.heads[0]).toMatchObject(headers);
    expect(take()).toMatchObject({ requests: 2, served: 0, missed: 0 });
    expect(readdirSync(join(directory, "answers"))).toStrictEqual([]);
  });
});

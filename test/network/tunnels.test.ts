import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDownloadCache, type DownloadCacheOptions } from "../../src/network/download-cache.ts";
import { get } from "./proxy-client.ts";
import { dial, readAll, serveTcp, until } from "./sockets.ts";
import { serveWeb } from "./web-origin.ts";

const open: { close(): unknown }[] = [];
let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tare-tunnels-"));
});

afterEach(async () => {
  for (const part of open.splice(0).toReversed()) await part.close();
  rmSync(directory, { recursive: true });
});

async function cache(options: Partial<DownloadCacheOptions> = {}) {
  const opened = await createDownloadCache({ directory, ...options });
  open.push(opened);
  return { address: opened.address, host: new URL(opened.address).host, take: () => opened.take(), opened };
}

async function serve(answer: (socket: Socket) => void) {
  const server = await serveTcp(answer);
  open.push(server);
  return server;
}

/** Says CONNECT and resolves with the socket and the head of the answer. */
async function tunnel(proxy: string, authority: string): Promise<{ socket: Socket; head: string }> {
  const socket = await dial(proxy);
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  const [chunk] = (await once(socket, "data")) as [Buffer];
  return { socket, head: chunk.toString() };
}

const allow = () => true;
const ESTABLISHED = "HTTP/1.1 200 Connection established\r\n\r\n";

describe("a tunnel", () => {
  it("carries both ways whole and is counted by host: connections, and bytes from there", async () => {
    const server = await serve((socket) => void readAll(socket).then((heard) => socket.end(heard)));
    const { host, take } = await cache({ allow });
    const said = randomBytes(700_000);
    for (let attempt = 0; attempt < 2; attempt++) {
      const { socket, head } = await tunnel(host, server.host);
      expect(head).toBe(ESTABLISHED);
      socket.end(said);
      expect((await readAll(socket)).equals(said)).toBe(true);
    }
    expect(take()).toStrictEqual({
      requests: 0,
      served: 0,
      missed: 0,
      bytesFromCache: 0,
      bytesFetched: 0,
      tunnels: [{ host: server.host, connections: 2, bytes: 1_400_000 }],
    });
    expect(take().tunnels).toStrictEqual([]);
  });

  it("hands on what was said right behind the CONNECT", async () => {
    const server = await serve((socket) => socket.pipe(socket));
    const { host } = await cache({ allow });
    const socket = await dial(host);
    socket.end(`CONNECT ${server.host} HTTP/1.1\r\nHost: x\r\n\r\nhello`);
    expect((await readAll(socket)).toString()).toBe(`${ESTABLISHED}hello`);
  });

  it.each([
    ["127.0.0.1:443"],
    ["127.1:443"],
    ["2130706433:443"],
    ["[::1]:443"],
    ["localhost:443"],
    ["169.254.169.254:80"],
  ])("to %s is refused by itself", async (authority) => {
    const { host, take } = await cache();
    const { head } = await tunnel(host, authority);
    expect(head).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(take().tunnels).toStrictEqual([]);
  });

  it("to the cache itself is refused, whatever is allowed", async () => {
    const { host } = await cache({ allow });
    expect((await tunnel(host, host)).head).toMatch(/^HTTP\/1\.1 403 /);
    expect((await tunnel(host, host.replace("127.0.0.1", "localhost"))).head).toMatch(/^HTTP\/1\.1 403 /);
  });

  it("to a host that is not allowed is refused before its name is looked up, and so is a download", async () => {
    const looked: string[] = [];
    const { host } = await cache({
      allow,
      allowHost: (name, port) => name === "deb.example" && port === 443,
      resolve: (name, _options, callback) => {
        looked.push(name);
        callback(null, [{ address: "127.0.0.1", family: 4 }]);
      },
    });
    for (const authority of ["evil.example:443", "deb.example:22", "127.0.0.1:443", "deb.example"])
      expect((await tunnel(host, authority)).head).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    const socket = await dial(host);
    socket.write("GET http://evil.example/ HTTP/1.1\r\nHost: deb.example\r\nConnection: close\r\n\r\n");
    expect((await readAll(socket)).toString()).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(looked).toStrictEqual([]);
    await tunnel(host, "deb.example:443");
    expect(looked).toStrictEqual(["deb.example"]);
  });

  it("follows the rule that is given", async () => {
    const server = await serve((socket) => socket.end("hello"));
    const asked: string[] = [];
    const { host } = await cache({ allow: (name, address) => asked.push(`${name} ${address}`) < 2 });
    expect((await tunnel(host, server.host)).head).toContain("200");
    expect((await tunnel(host, server.host)).head).toContain("403");
    expect(asked).toStrictEqual(["127.0.0.1 127.0.0.1", "127.0.0.1 127.0.0.1"]);
  });

  it.each([["nobody.invalid:443"], ["no port"], [":443"], ["a@b:443"], ["127.0.0.1:99999"]])(
    "to %j is answered 502 or 400",
    async (authority) => {
      const { host } = await cache({ allow });
      expect((await tunnel(host, authority)).head).toMatch(/^HTTP\/1\.1 (?:502|400) /);
    },
  );

  it("ends on both ends where one breaks, and the next is served", async () => {
    let ends = 0;
    const server = await serve((socket) => {
      socket.resume().once("end", () => (ends += 1));
      socket.write("hello");
    });
    const { host } = await cache({ allow });
    const { socket } = await tunnel(host, server.host);
    socket.resetAndDestroy();
    await until(() => ends === 1);
    const next = await tunnel(host, server.host);
    expect(next.head).toContain("200");
    next.socket.destroy();
  });

  it("is held to the rate of the cache", async () => {
    const server = await serve((socket) => socket.end(Buffer.alloc(500_000)));
    const { host } = await cache({ allow, bytesPerSecond: 1_000_000 });
    const socket = await dial(host);
    const startMs = performance.now();
    socket.write(`CONNECT ${server.host} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect((await readAll(socket)).length).toBe(500_000 + ESTABLISHED.length);
    expect(performance.now() - startMs).toBeGreaterThan(450);
    expect(performance.now() - startMs).toBeLessThan(1200);
  });

  it("is cut when the cache is closed", async () => {
    const server = await serve((socket) => socket.write("hello"));
    const { host, opened } = await cache({ allow });
    const { socket } = await tunnel(host, server.host);
    const ended = readAll(socket);
    await opened.close();
    await ended;
    expect(socket.readableEnded || socket.destroyed).toBe(true);
  });
});

describe("a request for plain HTTP", () => {
  it.each([
    "http://127.0.0.1:1/",
    "http://localhost:1/",
    "http://[::1]:1/",
    "http://2130706433:1/",
    "http://169.254.169.254/",
  ])("to %s is refused by itself", async (url) => {
    const { address, take } = await cache();
    const heard = await get(address, url);
    expect(heard.status).toBe(403);
    expect(heard.body.toString()).toMatch(/ leads to an address that downloads may not reach\n$/);
    expect(take()).toMatchObject({ requests: 1, served: 0, bytesFetched: 0 });
  });

  it("to the cache itself is refused, behind its rate as well", async () => {
    for (const bytesPerSecond of [null, 1_000_000]) {
      const { address } = await cache({ allow, bytesPerSecond });
      expect((await get(address, `${address}/x`)).status).toBe(403);
    }
  });

  it("is held to the rate from the cache as well", async () => {
    const web = await serveWeb((_request, response) => response.end(Buffer.alloc(400_000)));
    open.push(web);
    const { address } = await cache({ allow, bytesPerSecond: 1_000_000 });
    await get(address, web.url);
    const startMs = performance.now();
    expect((await get(address, web.url)).body).toHaveLength(400_000);
    expect(performance.now() - startMs).toBeGreaterThan(350);
    expect(performance.now() - startMs).toBeLessThan(1200);
    expect(web.requests).toHaveLength(1);
  });

  it.each(["/plain", "https://host.example/", "ftp://host.example/", "*"])(
    "for %s is no request to a proxy",
    async (target) => {
      const { host } = await cache();
      const socket = await dial(host);
      socket.end(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect((await readAll(socket)).toString()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    },
  );
});

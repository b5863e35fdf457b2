import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDownloadCache, type DownloadCacheOptions } from "../../src/network/download-cache.ts";
import { ask, get } from "./proxy-client.ts";
import { dial, readAll, serveTcp, until } from "./sockets.ts";
import { serveWeb } from "./web-origin.ts";

const open: { close(): unknown }[] = [];
let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tare-faults-"));
});

afterEach(async () => {
  for (const part of open.splice(0).toReversed()) await part.close();
  rmSync(directory, { recursive: true });
});

async function cache(options: Partial<DownloadCacheOptions> = {}) {
  const opened = await createDownloadCache({ directory, allow: () => true, ...options });
  open.push(opened);
  return { address: opened.address, take: () => opened.take(), close: () => opened.close() };
}

async function origin(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const served = await serveWeb(answer);
  open.push(served);
  return served;
}

/** An origin without HTTP: what it says is up to the test. */
async function rawOrigin(answer: (socket: Socket) => void) {
  const server = await serveTcp((socket) => socket.once("data", () => answer(socket)));
  open.push(server);
  return `http://${server.host}`;
}

const files = (name: "answers" | "bodies" | "drafts") => readdirSync(join(directory, name));

describe("an origin", () => {
  it.each([
    ["with a length", "content-length: 100\r\n\r\nhalf of it"],
    ["in chunks", "transfer-encoding: chunked\r\n\r\na\r\nhalf of it\r\n"],
  ])(
    "that breaks off an answer %s breaks the client's off too, and nothing is stored",
    async (_how, rest) => {
      const url = await rawOrigin((socket) => socket.end(`HTTP/1.1 200 OK\r\n${rest}`));
      const { address } = await cache();
      for (let attempt = 0; attempt < 2; attempt++)
        await expect(get(address, url)).rejects.toThrow(/aborted|hang up/);
      await until(() => files("drafts").length === 0);
      expect([files("answers"), files("bodies")]).toStrictEqual([[], []]);
    },
  );

  it("that ends an answer without a length by closing has said all of it", async () => {
    const url = await rawOrigin((socket) => socket.end("HTTP/1.0 200 OK\r\n\r\nall of it"));
    const { address } = await cache();
    expect((await get(address, url)).body.toString()).toBe("all of it");
    expect((await get(address, url)).body.toString()).toBe("all of it");
  });

  it.each([
    ["says nothing and closes", (socket: Socket) => socket.end()],
    ["breaks the connection", (socket: Socket) => socket.resetAndDestroy()],
    ["speaks another protocol", (socket: Socket) => socket.end("SSH-2.0-OpenSSH\r\n")],
    [
      "sends a head without end",
      (socket: Socket) => socket.end(`HTTP/1.1 200 OK\r\nx: ${"x".repeat(100_000)}\r\n\r\n`),
    ],
  ])("that %s is answered 502", async (_what, answer) => {
    const url = await rawOrigin(answer);
    const { address } = await cache();
    expect((await get(address, url)).status).toBe(502);
    expect(files("drafts")).toStrictEqual([]);
  });

  it("that nobody serves or that has no address is answered 502", async () => {
    const gone = await serveTcp(() => {});
    gone.close();
    const { address } = await cache();
    expect((await get(address, `http://${gone.host}/`)).status).toBe(502);
    expect((await get(address, "http://nobody.invalid/")).status).toBe(502);
  });

  it("that is well again is asked again", async () => {
    let sick = true;
    const web = await origin((_request, response) => {
      if (sick) response.destroy();
      else response.end("well");
    });
    const { address } = await cache();
    expect((await get(address, web.url)).status).toBe(502);
    sick = false;
    expect((await get(address, web.url)).body.toString()).toBe("well");
  });
});

describe("a client", () => {
  it("that goes away does not end the download: the next is served from disk", async () => {
    let finish = () => {};
    const web = await origin((_request, response) => {
      response.write("first ");
      finish = () => response.end("last");
    });
    const { address, take } = await cache();
    const answer = await ask(address, web.url);
    answer.destroy();
    finish();
    await until(() => files("bodies").length === 1 && files("drafts").length === 0);
    expect((await get(address, web.url)).body.toString()).toBe("first last");
    expect(web.requests).toHaveLength(1);
    expect(take()).toMatchObject({ requests: 2, missed: 1, served: 1 });
  });

  it("that reads slowly holds neither the download nor another client up, nor fills the memory", async () => {
    const size = 60_000_000;
    const web = await origin((_request, response) => {
      response.writeHead(200, { "content-length": size });
      response.end(Buffer.alloc(size));
    });
    const { address } = await cache();
    const slow = await ask(address, web.url);
    slow.pause();
    await until(() => files("drafts").length === 0, 10_000);
    expect((await get(address, web.url)).body).toHaveLength(size);
    // The kernel holds some MB of what was not read; the rest is on disk and still comes whole.
    let heard = 0;
    slow.on("data", (chunk: Buffer) => (heard += chunk.length)).resume();
    await once(slow, "end");
    expect(heard).toBe(size);
    expect(web.requests).toHaveLength(1);
  });

  it("that leaves in the middle of a stored body does no harm", async () => {
    const web = await origin((_request, response) => response.end(Buffer.alloc(20_000_000)));
    const { address, take } = await cache();
    await get(address, web.url);
    await until(() => files("drafts").length === 0);
    take();
    const answer = await ask(address, web.url);
    answer.once("data", () => answer.destroy());
    await once(answer, "close").catch(() => {});
    expect((await get(address, web.url)).body).toHaveLength(20_000_000);
    expect(take()).toMatchObject({ requests: 2, served: 2, missed: 0, bytesFetched: 0 });
  });

  it("with a huge head is told so, and the next is served", async () => {
    const web = await origin((_request, response) => response.end("hello"));
    const { address } = await cache();
    const socket = await dial(new URL(address).host);
    socket.end(`GET ${web.url}/ HTTP/1.1\r\nHost: x\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`);
    expect((await readAll(socket)).toString()).toMatch(/^HTTP\/1\.1 431 /);
    expect((await get(address, web.url)).body.toString()).toBe("hello");
    expect(web.requests).toHaveLength(1);
  });

  it("that speaks no HTTP is told so", async () => {
    const { address } = await cache();
    const socket = await dial(new URL(address).host);
    socket.end("\x16\x03\x01\x02\x00\x01\x00");
    expect((await readAll(socket)).toString()).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("that breaks off its POST breaks the one to the origin", async () => {
    const heard: boolean[] = [];
    const web = await origin((request) => {
      request.resume().on("error", () => {});
      request.once("close", () => heard.push(request.complete));
    });
    const { address } = await cache();
    const socket = await dial(new URL(address).host);
    socket.write(`POST ${web.url}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf`);
    await until(() => web.requests.length === 1);
    socket.resetAndDestroy();
    await until(() => heard.length === 1);
    expect(heard).toStrictEqual([false]);
  });
});

describe("many at once", () => {
  it("get the same bytes from one question to the origin", async () => {
    const web = await origin((request, response) => {
      response.write(`${request.url} `);
      setTimeout(() => response.end("whole"), 20);
    });
    const { address, take } = await cache();
    const heard = await Promise.all(
      Array.from({ length: 120 }, (_, number) => get(address, `${web.url}/${number % 6}`)),
    );
    expect(heard.map(({ body }) => body.toString())).toStrictEqual(
      Array.from({ length: 120 }, (_, number) => `/${number % 6} whole`),
    );
    expect(web.requests.toSorted()).toStrictEqual([
      "GET /0",
      "GET /1",
      "GET /2",
      "GET /3",
      "GET /4",
      "GET /5",
    ]);
    expect(take()).toMatchObject({
      requests: 120,
      missed: 6,
      served: 114,
      bytesFetched: 48,
      bytesFromCache: 912,
    });
  });
});

describe("a cache that is closed", () => {
  it("cuts downloads and forgets what is not whole", async () => {
    const web = await origin((_request, response) => response.write("first "));
    const { address, close } = await cache();
    const answer = await ask(address, web.url);
    const broken = once(answer.resume(), "error");
    await close();
    await broken;
    expect([files("answers"), files("bodies"), files("drafts")]).toStrictEqual([[], [], []]);
  });
});

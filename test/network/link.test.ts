import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createLink, type Link, type LinkOptions } from "../../src/network/link.ts";
import { dial, readAll, serveTcp, until, type TestServer } from "./sockets.ts";

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const part of open.splice(0).toReversed()) await part.close();
});

async function linkTo(
  answer: (socket: Socket) => void,
  options: Partial<LinkOptions> = {},
): Promise<{ link: Link; server: TestServer }> {
  const server = await serveTcp(answer);
  open.push(server);
  const link = await createLink({ targetHost: server.host, bytesPerSecond: null, ...options });
  open.push(link);
  return { link, server };
}

/** Says back what it heard, when all of it is there. */
const echo = (socket: Socket) => void readAll(socket).then((heard) => socket.end(heard));

/** Milliseconds until so many bytes came from a server that says them at once. */
async function download(link: Link, bytes: number): Promise<number> {
  const socket = await dial(link.host);
  const startMs = performance.now();
  let heard = 0;
  socket.on("data", (chunk: Buffer) => (heard += chunk.length));
  await once(socket, "end");
  expect(heard).toBe(bytes);
  socket.end();
  return performance.now() - startMs;
}

describe("a link", () => {
  it.each([0, 3])(
    "carries both directions whole with %d ms of latency, half-closed ones too",
    async (latencyMs) => {
      const { link } = await linkTo(echo, { latencyMs });
      const said = randomBytes(3_000_000);
      const socket = await dial(link.host);
      socket.end(said);
      expect((await readAll(socket)).equals(said)).toBe(true);
      expect(link.pushedBytes()).toBe(3_000_000);
      expect(link.pulledBytes()).toBe(3_000_000);
    },
  );

  it("goes on carrying to one who has ended first", async () => {
    const { link } = await linkTo((socket) => {
      socket.resume();
      socket.once("end", () => setTimeout(() => socket.end("later"), 50));
    });
    const socket = await dial(link.host);
    socket.end("hello");
    expect((await readAll(socket)).toString()).toBe("later");
  });

  it("holds a download to its rate", async () => {
    const { link } = await linkTo((socket) => socket.end(Buffer.alloc(2_500_000)), {
      bytesPerSecond: 2_500_000,
    });
    const spentMs = await download(link, 2_500_000);
    expect(spentMs).toBeGreaterThan(950);
    expect(spentMs).toBeLessThan(1600);
    expect(link.pulledBytes()).toBe(2_500_000);
    expect(link.pushedBytes()).toBe(0);
  });

  it("holds an upload to its rate", async () => {
    const { link } = await linkTo(
      (socket) => void readAll(socket).then((heard) => socket.end(String(heard.length))),
      { bytesPerSecond: 2_500_000 },
    );
    const socket = await dial(link.host);
    const startMs = performance.now();
    socket.end(Buffer.alloc(2_500_000));
    expect((await readAll(socket)).toString()).toBe("2500000");
    expect(performance.now() - startMs).toBeGreaterThan(950);
    expect(performance.now() - startMs).toBeLessThan(1600);
  });

  it("gives each direction the whole rate", async () => {
    const { link } = await linkTo(
      (socket) => {
        socket.resume();
        socket.end(Buffer.alloc(1_000_000));
      },
      { bytesPerSecond: 2_000_000 },
    );
    const socket = await dial(link.host);
    const startMs = performance.now();
    socket.end(Buffer.alloc(1_000_000));
    await readAll(socket);
    await until(() => link.pushedBytes() === 1_000_000);
    expect(performance.now() - startMs).toBeGreaterThan(450);
    expect(performance.now() - startMs).toBeLessThan(1000);
  });

  it("shares the rate fairly between connections", async () => {
    const { link } = await linkTo((socket) => socket.end(Buffer.alloc(1_000_000)), {
      bytesPerSecond: 4_000_000,
    });
    const spentMs = await Promise.all(Array.from({ length: 4 }, () => download(link, 1_000_000)));
    // Had one been served after the other, the first would be through after 250 ms.
    for (const each of spentMs) {
      expect(each).toBeGreaterThan(850);
      expect(each).toBeLessThan(1600);
    }
  });

  it("delays each direction by its latency", async () => {
    const { link } = await linkTo((socket) => socket.pipe(socket), { latencyMs: 40 });
    const socket = await dial(link.host);
    const startMs = performance.now();
    socket.write("ping");
    await once(socket, "data");
    expect(performance.now() - startMs).toBeGreaterThan(79);
    expect(performance.now() - startMs).toBeLessThan(500);
    socket.end();
  });

  it.each([0, 2])("takes no more than it can hand on, with %d ms of latency", async (latencyMs) => {
    const heard: Socket[] = [];
    const { link } = await linkTo((socket) => heard.push(socket.pause()), { latencyMs });
    const socket = await dial(link.host);
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    socket.once("close", () => resolve());
    const blob = Buffer.alloc(65_536);
    const before = process.memoryUsage().rss;
    while (socket.write(blob)) if (socket.bytesWritten > 200_000_000) break;
    // The kernel's own buffers of both connections take some MB before anybody has to wait.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const carried = link.pushedBytes();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(link.pushedBytes()).toBe(carried);
    expect(carried).toBeLessThan(16_000_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000);
    socket.destroy();
    await closed;
  });
});

describe("a link in trouble", () => {
  it("breaks the connection where nobody listens behind it, and goes on", async () => {
    const gone = await serveTcp(() => {});
    gone.close();
    const link = await createLink({ targetHost: gone.host, bytesPerSecond: null });
    open.push(link);
    for (let attempt = 0; attempt < 2; attempt++) {
      const socket = await dial(link.host);
      expect(await readAll(socket)).toHaveLength(0);
    }
  });

  it("hands a break of the server on as a break, not as an end", async () => {
    const { link } = await linkTo((socket) => {
      socket.write("some");
      setTimeout(() => socket.resetAndDestroy(), 20);
    });
    const socket = await dial(link.host);
    const [error] = (await once(socket.resume(), "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNRESET");
  });

  it("hands a break of the client on, and serves the next", async () => {
    const broken: string[] = [];
    const { link } = await linkTo((socket) => {
      socket.on("error", (error: NodeJS.ErrnoException) => broken.push(error.code ?? ""));
      socket.pipe(socket);
    });
    const first = await dial(link.host);
    first.write("hello");
    await once(first, "data");
    first.resetAndDestroy();
    await until(() => broken.length > 0);
    expect(broken).toStrictEqual(["ECONNRESET"]);
    const second = await dial(link.host);
    second.end("again");
    expect((await readAll(second)).toString()).toBe("again");
  });

  it("does not give the turn of a broken connection's rest away for ever", async () => {
    const { link } = await linkTo((socket) => socket.end(Buffer.alloc(500_000)), {
      bytesPerSecond: 1_000_000,
    });
    const sockets = await Promise.all(Array.from({ length: 20 }, () => dial(link.host)));
    for (const socket of sockets) socket.resetAndDestroy();
    const spentMs = await download(link, 500_000);
    expect(spentMs).toBeLessThan(1600);
  });

  it("cuts all connections when it is closed, and lets its port go", async () => {
    const { link } = await linkTo((socket) => socket.write("hello"));
    const socket = await dial(link.host);
    await once(socket, "data");
    const ended = readAll(socket);
    await link.close();
    await ended;
    await link.close();
    const again = await dial(link.host).catch((error: NodeJS.ErrnoException) => error.code);
    expect(again).toBe("ECONNREFUSED");
  });
});

import {
  createServer,
  request as startRequest,
  type ClientRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { createBodyReader, type ReadBody } from "../../src/channels/body-reader.ts";

let server: Server | null = null;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = null;
});

/** A server that reads with these limits and believes everything; `read` gets the next result. */
async function start(limits: { maxBytes: number; maxBytesTogether: number }): Promise<{
  open: () => ClientRequest;
  read: () => Promise<ReadBody>;
  waitForBytes: (bytes: number) => Promise<void>;
}> {
  const reader = createBodyReader(limits);
  const results: ReadBody[] = [];
  let bytes = 0;
  const verification = { update: (chunk: Uint8Array) => void (bytes += chunk.length), authentic: () => true };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    results.push(await reader.read(request, verification));
    response.end();
    request.resume();
  };
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const until = async (ready: () => boolean): Promise<void> => {
    while (!ready()) await new Promise((resolve) => setTimeout(resolve, 2));
  };
  return {
    open() {
      const request = startRequest({
        port,
        method: "POST",
        headers: { "transfer-encoding": "chunked" },
        agent: false,
      });
      request.on("error", () => {});
      return request;
    },
    async read() {
      await until(() => results.length > 0);
      return results.shift() ?? { kind: "gone" };
    },
    waitForBytes: (wanted) => until(() => bytes >= wanted),
  };
}

describe("the body reader", () => {
  it("takes exactly the limit and refuses a byte more", async () => {
    const { open, read } = await start({ maxBytes: 1000, maxBytesTogether: 2000 });
    open().end(Buffer.alloc(1000, "a"));
    expect(await read()).toEqual({ kind: "authentic", body: Buffer.alloc(1000, "a") });
    open().end(Buffer.alloc(1001, "a"));
    expect(await read()).toEqual({ kind: "refused", status: 413 });
  });

  it("bounds what all senders hold together, and lets go of what is done", async () => {
    const { open, read, waitForBytes } = await start({ maxBytes: 1000, maxBytesTogether: 1500 });
    const slow = open();
    slow.write(Buffer.alloc(900, "a"));
    await waitForBytes(900);
    open().end(Buffer.alloc(900, "b"));
    expect(await read()).toEqual({ kind: "refused", status: 503 });
    slow.end(Buffer.alloc(100, "a"));
    expect(await read()).toEqual({ kind: "authentic", body: Buffer.alloc(1000, "a") });
    open().end(Buffer.alloc(1000, "c"));
    expect((await read()).kind).toBe("authentic");
  });

  it("forgets a sender who hangs up", async () => {
    const { open, read, waitForBytes } = await start({ maxBytes: 1000, maxBytesTogether: 1500 });
    const gone = open();
    gone.write(Buffer.alloc(900, "a"));
    await waitForBytes(900);
    gone.destroy();
    expect(await read()).toEqual({ kind: "gone" });
    open().end(Buffer.alloc(1000, "b"));
    expect((await read()).kind).toBe("authentic");
  });
});

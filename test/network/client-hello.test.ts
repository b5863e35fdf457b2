import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { connect as connectTls } from "node:tls";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { readServerName } from "../../src/network/client-hello.ts";

/** What OpenSSL says first, for a name or for none. */
async function helloFor(servername: string | null): Promise<Buffer> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  const client = connectTls({ socket, ...(servername === null ? {} : { servername }) });
  client.on("error", () => {});
  const [near] = (await once(server, "connection")) as [ReturnType<typeof connect>];
  const [bytes] = (await once(near, "data")) as [Buffer];
  near.destroy();
  client.destroy();
  server.close();
  return bytes;
}

let hello: Buffer;
beforeAll(async () => {
  hello = await helloFor("deb.example.org");
});

/** The same handshake in records of other lengths. */
function inRecords(whole: Buffer, lengths: readonly number[]): Buffer {
  const handshake = whole.subarray(5);
  const parts: Buffer[] = [];
  for (let at = 0, nth = 0; at < handshake.length; nth += 1) {
    const part = handshake.subarray(at, at + (lengths[nth % lengths.length] ?? 1));
    const head = Buffer.from([22, 3, 1, 0, 0]);
    head.writeUInt16BE(part.length, 3);
    parts.push(head, part);
    at += part.length;
  }
  return Buffer.concat(parts);
}

describe("the server's name of a client hello", () => {
  it("is read", () => {
    expect(readServerName(hello)).toStrictEqual({ kind: "name", name: "deb.example.org" });
  });

  it("is read with whatever follows behind", () => {
    expect(readServerName(Buffer.concat([hello, Buffer.from("more")])).kind).toBe("name");
  });

  it("is waited for, byte by byte", () => {
    for (let length = 0; length < hello.length; length += 1)
      expect(readServerName(hello.subarray(0, length))).toStrictEqual({ kind: "more" });
  });

  it("is read however the handshake is cut into records", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 20 }), (lengths) => {
        const cut = inRecords(hello, lengths);
        expect(readServerName(cut)).toStrictEqual({ kind: "name", name: "deb.example.org" });
        expect(readServerName(cut.subarray(0, -1))).toStrictEqual({ kind: "more" });
      }),
    );
  });

  it("is none where the client says none", async () => {
    expect(readServerName(await helloFor(null))).toStrictEqual({ kind: "none", why: "no server name" });
  });

  it.each([
    ["plain HTTP", "GET / HTTP/1.1\r\nHost: deb.example.org\r\n\r\n"],
    ["SSH", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["another record", "\x17\x03\x03\x00\x05hello"],
    ["another handshake", "\x16\x03\x03\x00\x05\x02\x00\x00\x01x"],
    ["an empty record", "\x16\x03\x01\x00\x00"],
    ["a record that is too long", "\x16\x03\x01\xff\xff"],
    ["a hello that is too long", "\x16\x03\x01\x00\x10\x01\xff\xff\xff"],
  ])("is none of %s", (_, text) => {
    expect(readServerName(Buffer.from(text, "latin1")).kind).toBe("none");
  });

  it("is none where there are two", () => {
    const extension = Buffer.from("\x00\x00\x00\x06\x00\x04\x00\x00\x01a", "latin1");
    const body = Buffer.concat([
      Buffer.alloc(34),
      Buffer.from([0, 0, 2, 0, 0, 1, 0]),
      Buffer.from([0, extension.length * 2]),
      extension,
      extension,
    ]);
    const head = Buffer.from([22, 3, 1, 0, body.length + 4, 1, 0, 0, body.length]);
    expect(readServerName(Buffer.concat([head, body]))).toStrictEqual({
      kind: "none",
      why: "two server names",
    });
  });

  it("throws at nothing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(400), fc.nat(255), (noise, at, byte) => {
        readServerName(Buffer.from(noise));
        const bent = Buffer.from(hello);
        bent[at % bent.length] = byte;
        expect(["name", "more", "none"]).toContain(readServerName(bent).kind);
      }),
    );
  });
});

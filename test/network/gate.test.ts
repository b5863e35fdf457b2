import { createSocket, type Socket as Datagrams } from "node:dgram";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { connect, createServer as createTcp, type AddressInfo, type Server } from "node:net";
import { connect as connectTls } from "node:tls";
import { decode, encode } from "dns-packet";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JobService } from "../../src/domain/job.ts";
import { egressTo } from "../../src/network/egress.ts";
import { openGate, openingsOf, type Gate } from "../../src/network/gate.ts";
import { isPublicAddress } from "../../src/network/public-address.ts";
import { dial, readAll, serveTcp, type TestServer } from "./sockets.ts";

/** Names as this test's resolver has them, in the order that they are asked for; the last one stays. */
let names: Record<string, string[]> = {};
let looked: string[] = [];
let tcp: Map<string, Server>;
let udp: Map<string, Datagrams>;
let gate: Gate | null = null;
const closers: (() => void)[] = [];
const requests: { method: string; url: string; headers: IncomingMessage["headers"] }[] = [];

/** Loopback stands in for the internet, all but one address of it. */
const INSIDE = "127.66.66.66";

beforeEach(() => {
  names = {};
  looked = [];
  requests.length = 0;
});

afterEach(async () => {
  await gate?.close();
  gate = null;
  for (const close of closers.splice(0)) close();
});

async function webServer(address = "127.0.0.1", port = 0): Promise<number> {
  const server = createServer(({ method = "", url = "", headers }, response) => {
    requests.push({ method, url, headers });
    response.end("hello");
  });
  server.listen(port, address);
  await once(server, "listening");
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function open(hosts: string[], services: JobService[] = []): Promise<void> {
  tcp = new Map();
  udp = new Map();
  for (const { key, kind } of openingsOf(services)) {
    if (kind === "udp") {
      const socket = createSocket("udp4");
      socket.bind(0, "127.0.0.1");
      await once(socket, "listening");
      udp.set(key, socket);
    } else {
      const server = createTcp();
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      tcp.set(key, server);
    }
  }
  const egress = egressTo(hosts, {
    allowsAddress: (_host, address) =>
      (address.startsWith("127.") && address !== INSIDE) || isPublicAddress(address),
    resolve: (host, _options, callback) => {
      looked.push(host);
      const left = names[host] ?? [];
      const address = left.length > 1 ? left.shift() : left[0];
      if (address === undefined)
        callback(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }), []);
      else callback(null, [{ address, family: address.includes(":") ? 6 : 4 }]);
    },
  });
  gate = openGate({ tcp, udp }, services, egress);
}

const at = (key: string) => {
  const bound = tcp.get(key)?.address() as AddressInfo | undefined;
  return `127.0.0.1:${bound?.port}`;
};

/** Says something at an opening and hears the answer to its end. */
async function say(key: string, text: string): Promise<string> {
  const socket = await dial(at(key));
  socket.write(text);
  return (await readAll(socket)).toString();
}

const get = (target: string, host: string) =>
  `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

describe("the gate's proxy", () => {
  it("takes listed hosts, as a proxy and in a server's place", async () => {
    const port = await webServer();
    names["deb.example"] = ["127.0.0.1"];
    await open([`deb.example:${port}`]);
    expect(await say("proxy", get(`http://deb.example:${port}/a`, "other.example"))).toMatch(/hello$/);
    expect(await say("http", get("/b", `deb.example:${port}`))).toMatch(/hello$/);
    expect(requests.map(({ url, headers }) => [url, headers.host])).toStrictEqual([
      ["/a", `deb.example:${port}`],
      ["/b", `deb.example:${port}`],
    ]);
  });

  it.each([
    ["a host that is not listed", get("http://evil.example/", "deb.example")],
    ["one beside a listed Host", get("http://evil.example/", "deb.example")],
    ["an address", get("http://127.0.0.1/", "deb.example")],
    ["the metadata of a cloud", get("http://169.254.169.254/latest/meta-data/", "169.254.169.254")],
    ["an address in another spelling", get("http://2852039166/", "x")],
    ["a listed host at another port", get("http://deb.example:8080/", "deb.example")],
    ["a path without a listed host", get("/", "evil.example")],
    ["a name within a user's", get("http://deb.example@evil.example/", "deb.example")],
    ["a tunnel to a host that is not listed", "CONNECT evil.example:443 HTTP/1.1\r\n\r\n"],
    ["a tunnel to an address", "CONNECT 169.254.169.254:80 HTTP/1.1\r\n\r\n"],
    ["a tunnel to loopback of version 6", "CONNECT [::1]:443 HTTP/1.1\r\n\r\n"],
    ["a tunnel to another port", "CONNECT deb.example:22 HTTP/1.1\r\n\r\n"],
  ])("refuses %s, and looks no name up", async (_, text) => {
    await open(["deb.example"]);
    expect(await say("proxy", text)).toMatch(/^HTTP\/1\.1 40[03] /);
    expect(looked).toStrictEqual([]);
  });

  it("looks at each request of a connection", async () => {
    const port = await webServer();
    names["deb.example"] = ["127.0.0.1"];
    await open([`deb.example:${port}`]);
    const both = `GET / HTTP/1.1\r\nHost: deb.example:${port}\r\n\r\n${get("/", "evil.example")}`;
    const said = await say("http", both);
    expect(said.match(/HTTP\/1\.1 \d+/g)).toStrictEqual(["HTTP/1.1 200", "HTTP/1.1 403"]);
  });

  it.each(["127.66.66.66", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "0.0.0.0", "192.0.2.2"])(
    "does not follow a listed name to %s",
    async (address) => {
      const port = await webServer(INSIDE);
      names["deb.example"] = [address];
      await open([`deb.example:${port}`, "deb.example"]);
      expect(await say("proxy", get(`http://deb.example:${port}/`, "x"))).toMatch(/^HTTP\/1\.1 403 /);
      expect(await say("proxy", `CONNECT deb.example:${port} HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1\.1 403 /);
      expect(requests).toStrictEqual([]);
    },
  );

  it("connects to the address that was looked at, whatever the name says next", async () => {
    const port = await webServer();
    await webServer(INSIDE, port);
    names["deb.example"] = ["127.0.0.1", INSIDE];
    await open([`deb.example:${port}`]);
    expect(await say("proxy", get(`http://deb.example:${port}/first`, "x"))).toMatch(/hello$/);
    expect(await say("proxy", `CONNECT deb.example:${port} HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1\.1 403 /);
    expect(looked.length).toBe(2);
    expect(requests.map(({ url }) => url)).toStrictEqual(["/first"]);
  });
});

describe("the gate at the port of HTTPS", () => {
  async function shake(servername: string): Promise<string> {
    const socket = connectTls({ ...target("https"), servername, rejectUnauthorized: false });
    const { promise, resolve } = Promise.withResolvers<string>();
    socket.on("error", (error) => resolve(error.message));
    socket.on("close", () => resolve("closed"));
    return promise;
  }
  const target = (key: string) => {
    const [host = "", port] = at(key).split(":");
    return { host, port: Number(port) };
  };

  it.each(["evil.example", "deb.example.evil.example"])("cuts a connection for %s", async (servername) => {
    await open(["deb.example"]);
    expect(await shake(servername)).toMatch(/closed|disconnected|reset/);
    expect(looked).toStrictEqual([]);
  });

  it("cuts a connection whose listed name leads inside", async () => {
    names["deb.example"] = [INSIDE];
    await open(["deb.example"]);
    expect(await shake("deb.example")).toMatch(/closed|disconnected|reset/);
    expect(looked).toStrictEqual(["deb.example"]);
  });

  it("cuts what is no TLS", async () => {
    await open(["deb.example"]);
    expect(await say("https", get("/", "deb.example"))).toBe("");
    expect(looked).toStrictEqual([]);
  });
});

describe("the gate's doors", () => {
  let server: TestServer;

  it("carry every byte to a registry that is written", async () => {
    server = await serveTcp((socket) => void readAll(socket).then((heard) => socket.end(heard)));
    closers.push(() => server.close());
    await open([], [{ host: server.host, readOnly: false }]);
    const socket = connect({ ...address(at(server.host)), allowHalfOpen: true });
    socket.end("PUT all");
    expect((await readAll(socket)).toString()).toBe("PUT all");
  });

  it("let nobody write to one that is read", async () => {
    const host = `127.0.0.1:${await webServer()}`;
    await open([], [{ host, readOnly: true }]);
    expect(await say(host, get("/v2/", host))).toMatch(/hello$/);
    for (const method of ["PUT", "POST", "DELETE", "PATCH"])
      expect(await say(host, `${method} /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).toMatch(
        / 403 /,
      );
    // Not a way to other servers either.
    for (const line of [`GET http://127.0.0.1:1/ HTTP/1.1`, "GET //evil.example/ HTTP/1.1"])
      await say(host, `${line}\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(requests.every(({ headers }) => headers.host === host)).toBe(true);
    expect(requests.every(({ method }) => method === "GET")).toBe(true);
    expect(await say(host, "CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n")).toBe("");
  });

  it.each(["example.org:443", "10.0.0.1:5000", "127.0.0.1", "169.254.169.254:80", "[::1]:5000"])(
    "lead to loopback alone, not to %s",
    (host) => {
      expect(() => openingsOf([{ host, readOnly: false }])).toThrow(RangeError);
    },
  );

  const address = (host: string) => {
    const [name = "", port] = host.split(":");
    return { host: name, port: Number(port) };
  };
});

describe("the gate's names", () => {
  it("are answered over UDP, and noise is not", async () => {
    await open(["deb.example"]);
    const client = createSocket("udp4");
    closers.push(() => client.close());
    const port = udp.get("names")?.address().port ?? 0;
    client.send("noise", port, "127.0.0.1");
    const ask = (name: string) =>
      encode({ type: "query", id: 1, questions: [{ type: "A", name, class: "IN" }] });
    const answers: string[] = [];
    for (const name of ["deb.example", "evil.example"]) {
      client.send(ask(name), port, "127.0.0.1");
      const [message] = (await once(client, "message")) as [Buffer];
      answers.push((decode(message) as unknown as { rcode: string }).rcode);
    }
    expect(answers).toStrictEqual(["NOERROR", "NXDOMAIN"]);
    expect(looked).toStrictEqual([]);
  });
});

import { X509Certificate } from "node:crypto";
import { decodeProtectedHeader, jwtVerify } from "jose";
import { afterEach, describe, expect, it } from "vitest";
import {
  createTokenServer,
  type TokenServer,
  type TokenServerOptions,
} from "../../src/registry/token-server.ts";

let running: TokenServer | null = null;

afterEach(async () => {
  await running?.close();
  running = null;
});

async function start(more: Partial<TokenServerOptions> = {}): Promise<TokenServer> {
  running = await createTokenServer({ contributor: "contributor", ...more });
  return running;
}

const basic = ({ username, password }: { username: string; password: string }) => ({
  authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`,
});

function asked(server: TokenServer, headers: Record<string, string>, ...scopes: string[]): Promise<Response> {
  const query = new URLSearchParams([
    ["service", "tare"],
    ...scopes.map((scope) => ["scope", scope] as [string, string]),
  ]);
  return fetch(`${server.realm}?${query.toString()}`, { headers });
}

/** What a token allows, checked against the certificate that it carries. */
async function claims(server: TokenServer, token: string) {
  const [leaf = ""] = decodeProtectedHeader(token).x5c ?? [];
  const certificate = new X509Certificate(server.certificate);
  expect(new X509Certificate(Buffer.from(leaf, "base64")).fingerprint256).toBe(certificate.fingerprint256);
  const { payload } = await jwtVerify(token, certificate.publicKey, { issuer: "tare", audience: "tare" });
  return payload;
}

async function accessOf(server: TokenServer, response: Response): Promise<unknown> {
  const { token } = (await response.json()) as { token: string };
  return (await claims(server, token))["access"];
}

const UP = "repository:group/app:pull,push";
const FORK = "repository:contributor/app:pull,push";

describe("the token server", () => {
  it("gives what is asked for and allowed, and keeps what is not", async () => {
    const server = await start();
    const response = await asked(server, basic(server.login("contributor")), FORK, UP);
    expect(await accessOf(server, response)).toStrictEqual([
      { type: "repository", name: "contributor/app", actions: ["pull", "push"] },
      { type: "repository", name: "group/app", actions: ["pull"] },
    ]);
    expect(server.takeDenied()).toStrictEqual([
      { user: "contributor", repository: "group/app", action: "push" },
    ]);
    expect(server.takeDenied()).toStrictEqual([]);
  });

  it("tells a denial once, however often it was asked for", async () => {
    const server = await start();
    for (let times = 0; times < 3; times++) await asked(server, basic(server.login("upstream")), FORK);
    expect(server.takeDenied()).toStrictEqual([
      { user: "upstream", repository: "contributor/app", action: "pull" },
      { user: "upstream", repository: "contributor/app", action: "push" },
    ]);
  });

  it("closes upstream to the contributor, and opens it again", async () => {
    const server = await start();
    const contributor = basic(server.login("contributor"));
    server.letUpstreamBeRead(false);
    expect(await accessOf(server, await asked(server, contributor, UP))).toStrictEqual([]);
    expect(server.takeDenied().map(({ action }) => action)).toStrictEqual(["pull", "push"]);
    server.letUpstreamBeRead(true);
    expect(await accessOf(server, await asked(server, contributor, UP))).toStrictEqual([
      { type: "repository", name: "group/app", actions: ["pull"] },
    ]);
  });

  it("answers the OAuth form as well, with its scopes between spaces", async () => {
    const server = await start();
    const { username, password } = server.login("contributor");
    const form = { grant_type: "password", service: "tare", client_id: "x", username, password };
    const body = new URLSearchParams({ ...form, scope: `${UP} ${FORK}` });
    const response = await fetch(server.realm, { method: "POST", body });
    const answer = (await response.json()) as { access_token: string; expires_in: number };
    expect(answer.expires_in).toBe(900);
    expect((await claims(server, answer.access_token))["access"]).toStrictEqual([
      { type: "repository", name: "group/app", actions: ["pull"] },
      { type: "repository", name: "contributor/app", actions: ["pull", "push"] },
    ]);
  });

  it("gives nothing to nobody", async () => {
    const server = await start();
    const response = await asked(server, {}, FORK);
    expect(response.status).toBe(200);
    expect(await accessOf(server, response)).toStrictEqual([]);
    expect(server.takeDenied()).toStrictEqual([
      { user: "anonymous", repository: "contributor/app", action: "pull" },
      { user: "anonymous", repository: "contributor/app", action: "push" },
    ]);
  });

  it("refuses names and passwords that do not agree", async () => {
    const server = await start();
    const { password } = server.login("upstream");
    for (const headers of [
      basic({ username: "contributor", password }),
      basic({ username: "upstream", password: `${password}x` }),
      basic({ username: "", password: "" }),
      { authorization: "Basic !" },
      { authorization: `Bearer ${password}` },
    ]) {
      const response = await asked(server, headers, UP);
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toBe('Basic realm="tare"');
    }
    expect(server.takeDenied()).toStrictEqual([]);
  });

  it("has other passwords and another key each time", async () => {
    const first = await start();
    const [login, certificate] = [first.login("upstream"), first.certificate];
    await first.close();
    const second = await start();
    expect(login.password).toMatch(/^[\w-]{32}$/);
    expect(second.login("upstream").password).not.toBe(login.password);
    expect(second.certificate).not.toBe(certificate);
    expect(second.login("contributor").password).not.toBe(second.login("upstream").password);
  });

  it("lets a token end after 15 minutes, or as it is told", async () => {
    const server = await start();
    const day = await claims(server, await server.mint([]));
    expect(Number(day.exp) - Number(day.iat)).toBe(900);
    await server.close();
    const short = await start({ lifetimeMs: -1_000 });
    const [key, token] = [new X509Certificate(short.certificate).publicKey, await short.mint([])];
    await expect(jwtVerify(token, key)).rejects.toThrow('"exp" claim timestamp check failed');
  });

  it.each([
    ["a scope that is none", "?scope=nothing", {}, 400],
    ["another path", "/elsewhere", {}, 404],
    ["another method", "", { method: "DELETE" }, 405],
    ["a form without a password grant", "", { method: "POST", body: "grant_type=refresh_token" }, 405],
    ["a form that is none", "", { method: "POST", body: "\0\0\0" }, 405],
  ] as const)("refuses %s, and goes on", async (_, path, init, status) => {
    const server = await start();
    const response = await fetch(server.realm + path, init);
    expect(response.status).toBe(status);
    expect((await asked(server, {}, UP)).status).toBe(200);
  });

  it("hangs up on a form without an end, and goes on", async () => {
    const server = await start();
    const body = `grant_type=password&scope=${"x".repeat(100_000)}`;
    await expect(fetch(server.realm, { method: "POST", body })).rejects.toThrow("fetch failed");
    expect((await asked(server, {}, UP)).status).toBe(200);
  });
});

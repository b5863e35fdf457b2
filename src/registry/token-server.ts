import { randomBytes, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { importPKCS8, SignJWT } from "jose";
import type { Denial } from "../domain/registry.ts";
import { equalInConstantTime } from "../lib/constant-time.ts";
import { listenOnLoopback } from "../lib/listen.ts";
import { allowedActions, readScopes, type AccessRules, type Scope, type User } from "./token-scopes.ts";

/** Names in the tokens, which the registry is configured with. */
export const TOKEN_ISSUER = "tare";
export const TOKEN_SERVICE = "tare";

/** As GitLab.com's: a client that works for longer asks anew. */
const LIFETIME_MS = 15 * 60_000;
/** Clocks are one machine's; seconds are rounded down. */
const SLACK_MS = 5_000;
const LARGEST_FORM_BYTES = 64 * 1024;

/** A user's name and password, as `docker login` takes them. */
export type Login = { username: string; password: string };

/** Hands out tokens for one registry (distribution, docs/spec/auth/token.md and oauth.md), by rules that can change. */
export type TokenServer = {
  /** Address that the registry sends its clients to. */
  realm: string;
  /** PEM of the certificate that tokens are checked against; its key stays in this process. */
  certificate: string;
  login(user: "upstream" | "contributor"): Login;
  /** Whether the contributor may pull what is not in its own namespace. */
  letUpstreamBeRead(readable: boolean): void;
  /** What was asked for and not given since the last call, each once, in order. */
  takeDenied(): Denial[];
  /** A token of Tare's own. */
  mint(access: readonly Scope[]): Promise<string>;
  close(): Promise<void>;
};

export type TokenServerOptions = {
  /** Root namespace of the fork. */
  contributor: string;
  lifetimeMs?: number;
};

type Minter = { certificate: string; mint(user: User, access: readonly Scope[]): Promise<string> };

/** Starts a token server on a free port of 127.0.0.1. Its rules begin with a readable upstream. */
export async function createTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const lifetimeMs = options.lifetimeMs ?? LIFETIME_MS;
  const minter = await createMinter(lifetimeMs);
  const logins = { upstream: newLogin("upstream"), contributor: newLogin("contributor") };
  const rules: AccessRules = { contributor: options.contributor, upstreamReadable: true };
  const denied = new Map<string, Denial>();
  const issue = async (user: User, scopes: readonly Scope[]) => {
    const access = scopes.map((scope) => {
      const actions = allowedActions(user, scope, rules);
      for (const action of scope.actions.filter((asked) => !actions.includes(asked))) {
        const denial: Denial = { user: user ?? "anonymous", repository: scope.name, action };
        denied.set(JSON.stringify(denial), denial);
      }
      return { ...scope, actions };
    });
    const token = await minter.mint(
      user,
      access.filter(({ actions }) => actions.length > 0),
    );
    return { token, access_token: token, expires_in: Math.floor(lifetimeMs / 1000) };
  };
  const server = createServer((request, response) => {
    respond(request, response, logins, issue).catch(() => response.destroy());
  });
  const port = await listenOnLoopback(server);
  return {
    realm: `http://127.0.0.1:${port}/token`,
    certificate: minter.certificate,
    login: (user) => logins[user],
    letUpstreamBeRead: (readable) => void (rules.upstreamReadable = readable),
    takeDenied() {
      const taken = [...denied.values()];
      denied.clear();
      return taken;
    },
    mint: (access) => minter.mint("upstream", access),
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

const newLogin = (username: string): Login => ({
  username,
  password: randomBytes(24).toString("base64url"),
});

/** A key and its certificate, and the tokens that they sign. */
async function createMinter(lifetimeMs: number): Promise<Minter> {
  // Half a second to load, which only trials have to spend.
  const { generate } = await import("selfsigned");
  const name = [{ name: "commonName", value: "Tare's trial" }];
  const made = await generate(name, { keyType: "ec", curve: "P-256", algorithm: "sha256" });
  const key = await importPKCS8(made.private, "ES256");
  const x5c = [made.cert.replaceAll(/-----[A-Z ]+-----|\s/g, "")];
  return {
    certificate: made.cert,
    mint(user, access) {
      const nowMs = Date.now();
      return new SignJWT({ access: [...access] })
        .setProtectedHeader({ alg: "ES256", typ: "JWT", x5c })
        .setIssuer(TOKEN_ISSUER)
        .setAudience(TOKEN_SERVICE)
        .setSubject(user ?? "")
        .setIssuedAt(new Date(nowMs))
        .setNotBefore(new Date(nowMs - SLACK_MS))
        .setExpirationTime(new Date(nowMs + lifetimeMs))
        .setJti(randomUUID())
        .sign(key);
    },
  };
}

type Issue = (user: User, scopes: readonly Scope[]) => Promise<object>;
/** One question, however it was asked; `user` is undefined where name and password do not agree. */
type Question = { user: User | undefined; scopes: Scope[] | null };

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  logins: Record<"upstream" | "contributor", Login>,
  issue: Issue,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://token");
  if (url.pathname !== "/token") return answer(response, 404, { errors: [{ code: "NOT_FOUND" }] });
  const question = await questionOf(request, url, logins);
  if (question === null) return answer(response, 405, { errors: [{ code: "UNSUPPORTED" }] });
  if (question.user === undefined)
    return answer(response, 401, { errors: [{ code: "UNAUTHORIZED", message: "wrong name or password" }] });
  if (question.scopes === null)
    return answer(response, 400, { errors: [{ code: "UNSUPPORTED", message: "no scope" }] });
  answer(response, 200, await issue(question.user, question.scopes));
}

/** GET with the basic scheme, or the OAuth form with a password; null for what is neither. */
async function questionOf(
  request: IncomingMessage,
  url: URL,
  logins: Record<"upstream" | "contributor", Login>,
): Promise<Question | null> {
  if (request.method === "GET") {
    const user = userOf(basicLogin(request.headers.authorization), logins);
    return { user, scopes: readScopes(url.searchParams.getAll("scope")) };
  }
  if (request.method !== "POST") return null;
  const form = new URLSearchParams(await formText(request));
  if (form.get("grant_type") !== "password") return null;
  const login = { username: form.get("username") ?? "", password: form.get("password") ?? "" };
  return { user: userOf(login, logins), scopes: readScopes(form.getAll("scope")) };
}

/** null where nothing was sent; a login that fits nobody where it was no basic one. */
function basicLogin(authorization: string | undefined): Login | null {
  if (authorization === undefined) return null;
  const [, encoded = ""] = /^basic ([\w+/=-]+)$/i.exec(authorization) ?? [];
  const [username = "", ...password] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  return { username, password: password.join(":") };
}

function userOf(given: Login | null, logins: Record<"upstream" | "contributor", Login>): User | undefined {
  if (given === null) return null;
  const users = ["upstream", "contributor"] as const;
  return users.find(
    (user) =>
      logins[user].username === given.username && equalInConstantTime(given.password, logins[user].password),
  );
}

async function formText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LARGEST_FORM_BYTES) throw new Error("the form is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function answer(response: ServerResponse, status: number, body: object): void {
  const challenge = status === 401 ? { "www-authenticate": 'Basic realm="tare"' } : {};
  response.writeHead(status, {
    "content-type": "application/json",
    "cache-control": "no-store",
    ...challenge,
  });
  response.end(JSON.stringify(body));
}

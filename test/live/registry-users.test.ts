import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RegistryAccess, TrialRegistry } from "../../src/registry/trial-registry.ts";
import { openLiveTestbed, type LiveTestbed } from "./live-testbed.ts";

let live: LiveTestbed;
let registry: TrialRegistry;
let access: RegistryAccess;
beforeAll(async () => {
  live = await openLiveTestbed();
  registry = await live.startRegistry("live-users", "contributor");
  if (registry.access === null) throw new Error("the registry has no users");
  access = registry.access;
});
afterAll(async () => {
  await registry.remove();
  await live.close();
});

type Who = "upstream" | "contributor" | "nobody" | "a stranger";

/** A request as builders make it: refused first, then with a token for the scope that the registry asks for. */
async function ask(who: Who, method: string, path: string, body?: string, type?: string): Promise<Response> {
  const url = `http://${registry.host}${path}`;
  const init = { method, ...(body === undefined ? {} : { body }), redirect: "manual" as const };
  const own: Record<string, string> = type === undefined ? {} : { "content-type": type };
  const first = await fetch(url, { ...init, headers: own });
  if (first.status !== 401) return first;
  const challenge = first.headers.get("www-authenticate") ?? "";
  const [, realm = "", scope = ""] = /realm="([^"]*)",.*?scope="([^"]*)"/.exec(challenge) ?? [];
  const headers = basic(who);
  const answer = await fetch(`${realm}?service=tare&scope=${encodeURIComponent(scope)}`, { headers });
  if (!answer.ok) return answer;
  const { token } = (await answer.json()) as { token: string };
  return fetch(url, { ...init, headers: { ...own, authorization: `Bearer ${token}` } });
}

function basic(who: Who): Record<string, string> {
  if (who === "nobody") return {};
  const { username, password } =
    who === "a stranger" ? { username: "upstream", password: "guessed" } : access.login(who);
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
}

const digestOf = (content: string) => `sha256:${createHash("sha256").update(content).digest("hex")}`;

async function push(who: Who, repository: string, content: string): Promise<number> {
  const started = await ask(who, "POST", `/v2/${repository}/blobs/uploads/`);
  const location = started.headers.get("location");
  if (location === null) return started.status;
  const { pathname, search } = new URL(location);
  return (await ask(who, "PUT", `${pathname}${search}&digest=${digestOf(content)}`, content)).status;
}

const LAYER = "a layer of upstream's";
const CONFIG = "{}";
const OCI = "application/vnd.oci.image";
const MANIFEST = JSON.stringify({
  schemaVersion: 2,
  mediaType: `${OCI}.manifest.v1+json`,
  config: { mediaType: `${OCI}.config.v1+json`, digest: digestOf(CONFIG), size: CONFIG.length },
  layers: [{ mediaType: `${OCI}.layer.v1.tar`, digest: digestOf(LAYER), size: LAYER.length }],
});
const BLOB = `/v2/group/app/blobs/${digestOf(LAYER)}`;

describe("the registry with users, CNCF Distribution itself", () => {
  it("lets upstream push and be read, by Tare too, and counts what crossed the link", async () => {
    await registry.traffic();
    expect(await push("upstream", "group/app", LAYER)).toBe(201);
    expect(await push("upstream", "group/app", CONFIG)).toBe(201);
    const path = "/v2/group/app/manifests/latest";
    expect((await ask("upstream", "PUT", path, MANIFEST, `${OCI}.manifest.v1+json`)).status).toBe(201);
    expect(await registry.traffic()).toMatchObject({
      pulledBytes: 0,
      pushedBytes: LAYER.length + CONFIG.length,
      serverErrors: 0,
    });
    const snapshot = await registry.snapshot();
    expect(snapshot.repositories.map(({ name, tags }) => [name, tags])).toStrictEqual([
      ["group/app", { latest: digestOf(MANIFEST) }],
    ]);
    expect(snapshot.faults).toStrictEqual([]);
    expect(access.takeDenied()).toStrictEqual([]);
  });

  it.each([
    ["upstream", 200],
    ["contributor", 200],
    ["nobody", 401],
    ["a stranger", 401],
  ] as const)("answers %s, who reads upstream's, with %d", async (who, status) => {
    expect((await ask(who, "GET", BLOB)).status).toBe(status);
  });

  it("takes no push of the contributor's to upstream, and says what was refused", async () => {
    access.takeDenied();
    expect(await push("contributor", "group/app", "an intruder")).toBe(401);
    expect(await push("contributor", "group/new", "an intruder")).toBe(401);
    expect(await push("upstream", "contributor/app", "an intruder")).toBe(401);
    const refusals = access
      .takeDenied()
      .map(({ user, repository, action }) => `${user} ${action} ${repository}`);
    expect(refusals).toStrictEqual([
      "contributor push group/app",
      "contributor push group/new",
      "upstream pull contributor/app",
      "upstream push contributor/app",
    ]);
    expect(Object.keys((await registry.snapshot()).stored ?? {})).not.toContain(digestOf("an intruder"));
  });

  it("mounts for the fork what it can read, and only that", async () => {
    const mount = `/v2/contributor/app/blobs/uploads/?mount=${digestOf(LAYER)}&from=group/app`;
    access.letUpstreamBeRead(false);
    expect((await ask("contributor", "GET", BLOB)).status).toBe(401);
    expect((await ask("contributor", "POST", mount)).status).toBe(401);
    access.letUpstreamBeRead(true);
    expect((await ask("contributor", "POST", mount)).status).toBe(201);
    expect(await push("contributor", "contributor/app", "its own")).toBe(201);
  });

  it("believes no other token", async () => {
    const forged =
      "eyJhbGciOiJub25lIn0.eyJhY2Nlc3MiOlt7InR5cGUiOiJyZXBvc2l0b3J5IiwibmFtZSI6Imdyb3VwL2FwcCIsImFjdGlvbnMiOlsicHVsbCJdfV19.";
    const headers = { authorization: `Bearer ${forged}` };
    expect((await fetch(`http://${registry.host}${BLOB}`, { headers })).status).toBe(401);
  });

  it("is the same after a roll-back", async () => {
    await registry.mark();
    expect(await push("contributor", "contributor/app", "rolled back")).toBe(201);
    await registry.rollBack();
    expect(await push("contributor", "group/app", "an intruder")).toBe(401);
    expect((await ask("upstream", "GET", BLOB)).status).toBe(200);
    expect(Object.keys((await registry.snapshot()).stored ?? {})).not.toContain(digestOf("rolled back"));
  });
});

import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Store } from "../../src/queue/store.ts";
import { openDatabaseProxy, type DatabaseProxy } from "../fixtures/queue/database-proxy.ts";
import { atOnce, changeEvent, openDatabases, type Databases } from "../fixtures/queue/databases.ts";

/** What the issue allows between the end of a failure and the first answer. */
const BACK_WITHIN_MS = 5_000;
/** Statements and connections are given up after five seconds, pools and timers need a moment beside. */
const FAILURE_MS = 8_000;

let databases: Databases;
let proxy: DatabaseProxy;
let store: Store;
let answered: string[] = [];

beforeAll(async () => {
  databases = await openDatabases();
}, 60_000);
afterAll(() => databases.close(), 60_000);

beforeEach(async () => {
  const address = await databases.ready();
  if (!("host" in address)) throw new Error("a private database has a socket");
  proxy = await openDatabaseProxy(join(address.host, ".s.PGSQL.5432"));
  const { user, password, database } = address;
  const connectionString = `postgresql://${user}:${password}@127.0.0.1:${proxy.port}/${database}`;
  store = await databases.store({ connectionString });
  answered = [];
  store.sendReplies({
    policy: atOnce,
    send: async ({ body }) => {
      answered.push(body);
      return { kind: "sent", why: "" };
    },
  });
  await store.work({ run: async ({ key }) => ({ reply: { stamp: {}, body: key }, report: null, why: "" }) });
  await store.admit(changeEvent({ key: "before" }));
  await vi.waitUntil(() => answered.length === 1, { timeout: 10_000, interval: 50 });
}, 30_000);

afterEach(async () => {
  proxy.become("open");
  await store.close();
  await proxy.close();
}, 60_000);

describe("a database behind a network that fails", () => {
  it.each(["silent", "closed"] as const)(
    "is %s for a while: the store is back when it is",
    async (mode) => {
      proxy.become(mode);
      const refused = store.admit(changeEvent({ key: "meanwhile" })).then(
        () => "acknowledged",
        () => "refused",
      );
      await new Promise((resolve) => setTimeout(resolve, FAILURE_MS));
      // Nothing was acknowledged that is not on disk.
      expect(await refused).toBe("refused");
      proxy.become("open");
      const healedAt = performance.now();
      const after = changeEvent({ key: "after" });
      await vi.waitFor(async () => store.admit(after), { timeout: 30_000, interval: 100 });
      expect(performance.now() - healedAt).toBeLessThan(BACK_WITHIN_MS);
      await vi.waitFor(() => expect(answered).toContain("after"), { timeout: 30_000, interval: 50 });
      console.log(`${mode}: answered ${Math.round(performance.now() - healedAt)} ms after it came back`);
      expect(answered.filter((body) => body === "after")).toHaveLength(1);
    },
    90_000,
  );

  it("resets connections: the next event is taken in", async () => {
    for (let round = 0; round < 5; round += 1) {
      proxy.reset();
      const event = changeEvent({ key: `reset ${round}` });
      await vi.waitFor(async () => store.admit(event), { timeout: BACK_WITHIN_MS, interval: 50 });
    }
    await vi.waitFor(() => expect(answered).toHaveLength(6), { timeout: 30_000, interval: 50 });
    expect(new Set(answered).size).toBe(6);
  }, 60_000);
});

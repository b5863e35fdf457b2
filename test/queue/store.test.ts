import type { Report } from "../../src/domain/report.ts";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { DatabaseAddress } from "../../src/queue/database.ts";
import { openStore, type Store } from "../../src/queue/store.ts";
import type { ClaimedReply, ClaimedRequest, WorkResult } from "../../src/queue/types.ts";
import { exampleReport } from "../fixtures/report/example.ts";
import { atOnce, changeEvent, openDatabases, quietLog, type Databases } from "../fixtures/queue/databases.ts";

let databases: Databases;
let address: DatabaseAddress;
let store: Store;
const open: Store[] = [];

beforeAll(async () => {
  databases = await openDatabases();
}, 60_000);
afterAll(() => databases.close());

const start = async () => {
  address = await databases.ready();
  store = await databases.store(address);
  open.push(store);
};
const requests = async () =>
  databases.query(address, "SELECT head, state, attempt, why FROM tare.requests ORDER BY created_at");
const replies = async () => databases.query(address, "SELECT body, state, attempts, why FROM tare.replies");

const answered = (body: string): WorkResult => ({
  reply: { stamp: { sha: "a" }, body },
  report: null,
  why: "answered",
});

const until = async (met: () => boolean | Promise<boolean>) =>
  vi.waitFor(async () => expect(await met()).toBe(true), { timeout: 30_000, interval: 50 });

describe("the intake", () => {
  afterEach(() => open.splice(0));

  it("takes a delivery in once, a head once, and nothing older than what is open", async () => {
    await start();
    const event = changeEvent();
    expect(await store.admit(event)).toBe("queued");
    expect(await store.admit(event)).toBe("seen");
    expect(await store.admit(changeEvent())).toBe("known");
    expect(await store.admit(changeEvent({ head: "b".repeat(40), atMs: 500 }))).toBe("older");
    expect(await store.admit(changeEvent({ head: "c".repeat(40), atMs: 2_000 }))).toBe("queued");
    expect(await requests()).toMatchObject([
      { head: "a".repeat(40), state: "superseded" },
      { head: "c".repeat(40), state: "queued" },
    ]);
    expect(await store.size()).toStrictEqual({ waiting: 1, running: 0, replies: 0 });
  });

  it("makes one request of a hundred deliveries of one event at once", async () => {
    await start();
    const event = changeEvent();
    const admissions = await Promise.all(Array.from({ length: 100 }, async () => store.admit(event)));
    expect(admissions.filter((admission) => admission === "queued")).toHaveLength(1);
    expect(admissions.filter((admission) => admission === "seen")).toHaveLength(99);
    const many = await Promise.all(
      Array.from({ length: 20 }, async () => store.admit(changeEvent({ key: "github:acme/images#2" }))),
    );
    expect(many.filter((admission) => admission === "queued")).toHaveLength(1);
    expect(await requests()).toHaveLength(2);
  });

  it("takes in what comes at once in the order in which it came", async () => {
    await start();
    const heads = ["c", "a", "d", "b", "e"];
    const admissions = heads.map(async (head) =>
      store.admit(changeEvent({ head: head.repeat(40), atMs: head.charCodeAt(0) })),
    );
    expect(await Promise.all(admissions)).toStrictEqual(["queued", "older", "queued", "older", "queued"]);
    expect(await requests()).toMatchObject([
      { head: "c".repeat(40), state: "superseded" },
      { head: "d".repeat(40), state: "superseded" },
      { head: "e".repeat(40), state: "queued" },
    ]);
  });

  it("refuses what cannot be kept, and keeps what came with it", async () => {
    await start();
    const keys = ["github:acme/images#1", "github:acme/images#\0", "github:acme/images#3"];
    const admissions = await Promise.allSettled(keys.map(async (key) => store.admit(changeEvent({ key }))));
    expect(admissions.map(({ status }) => status)).toStrictEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await requests()).toHaveLength(2);
  });

  it("is full beyond a thousand changes: a delivery that was refused is welcome later", async () => {
    await start();
    const last = changeEvent({ key: "github:acme/images#1001" });
    await Promise.all(
      Array.from({ length: 1_000 }, async (_, index) =>
        store.admit(changeEvent({ key: `github:acme/images#${index + 1}` })),
      ),
    );
    expect(await Promise.all([store.admit(last), store.admit(last)])).toStrictEqual(["full", "full"]);
    // One that waits already is replaced all the same.
    const newer = changeEvent({ head: "b".repeat(40), atMs: 2_000 });
    expect(await store.admit(newer)).toBe("queued");
    await databases.query(address, "UPDATE tare.requests SET state = 'answered' WHERE change_key LIKE '%#2'");
    expect(await store.admit(last)).toBe("queued");
    expect(await store.admit(last)).toBe("seen");
  });
});

describe("a request", () => {
  it("is answered once: result and reply are committed together, the reply is sent", async () => {
    await start();
    const worked: ClaimedRequest[] = [];
    const sent: ClaimedReply[] = [];
    store.sendReplies({
      policy: atOnce,
      send: async (reply) => {
        sent.push(reply);
        return { kind: "sent", why: "created" };
      },
    });
    await store.work({
      run: async (request) => {
        worked.push(request);
        return answered("Weighed.");
      },
    });
    await store.admit(changeEvent());
    await until(async () => (await replies())[0]?.["state"] === "sent");
    expect(worked).toMatchObject([
      {
        key: "github:acme/images#1",
        head: "a".repeat(40),
        attempt: 0,
        atMs: 1_000,
        reference: { number: 1 },
      },
    ]);
    expect(sent).toMatchObject([
      { key: "github:acme/images#1", body: "Weighed.", stamp: { sha: "a" }, attempt: 1 },
    ]);
    expect(await replies()).toStrictEqual([{ body: "Weighed.", state: "sent", attempts: 1, why: "created" }]);
    expect(await requests()).toMatchObject([{ state: "answered", why: "answered" }]);
    expect(await store.size()).toStrictEqual({ waiting: 0, running: 0, replies: 0 });
  });

  it("that a newer head replaces is ended, and only the newer one is answered", async () => {
    await start();
    const bodies: string[] = [];
    store.sendReplies({
      policy: atOnce,
      send: async ({ body }) => {
        bodies.push(body);
        return { kind: "sent", why: "" };
      },
    });
    let abortedAt = 0;
    await store.work({
      run: async ({ head }, signal) => {
        if (head.startsWith("b")) return answered(head);
        const { promise, reject } = Promise.withResolvers<never>();
        signal.addEventListener("abort", () => {
          abortedAt = performance.now();
          reject(new Error("aborted"));
        });
        return promise;
      },
    });
    await store.admit(changeEvent());
    await until(async () => (await store.size()).running === 1);
    const replacedAt = performance.now();
    await store.admit(changeEvent({ head: "b".repeat(40), atMs: 2_000 }));
    await until(() => bodies.length === 1);
    expect(bodies).toStrictEqual(["b".repeat(40)]);
    expect(abortedAt - replacedAt).toBeLessThan(5_000);
    expect(await requests()).toMatchObject([{ state: "superseded" }, { state: "answered" }]);
  });

  it("does not wait for one look at the queue for each that was replaced before it", async () => {
    await start();
    for (let head = 0; head < 20; head += 1)
      await store.admit(changeEvent({ head: String(head).padStart(40, "0"), atMs: 1_000 + head }));
    const worked: string[] = [];
    const startedAt = performance.now();
    await store.work({
      run: async ({ head }) => {
        worked.push(head);
        return answered(head);
      },
    });
    await until(async () => (await replies()).length === 1);
    expect(worked).toStrictEqual(["19".padStart(40, "0")]);
    // Twenty looks of half a second each would be ten seconds.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  }, 30_000);

  it("that the world fails is tried three times more, then failed, and its delivery is welcome again", async () => {
    await start();
    let attempts = 0;
    await store.work({
      run: async () => {
        attempts += 1;
        throw new Error("the registry is away");
      },
    });
    const event = changeEvent();
    await store.admit(event);
    await until(async () => (await requests())[0]?.["state"] === "failed");
    expect(attempts).toBe(4);
    expect(await requests()).toMatchObject([{ state: "failed", attempt: 3, why: "the registry is away" }]);
    expect(await store.admit(event)).toBe("queued");
  }, 40_000);
});

describe("a worker that ends in order", () => {
  it("gives its request back, which counts as no attempt", async () => {
    await start();
    let started = 0;
    await store.work({
      run: async (_, signal) => {
        started += 1;
        const { promise, reject } = Promise.withResolvers<never>();
        signal.addEventListener("abort", () => reject(new Error("aborted")));
        return promise;
      },
    });
    await store.admit(changeEvent());
    await until(() => started === 1);
    const closingAt = performance.now();
    await store.close();
    expect(performance.now() - closingAt).toBeLessThan(5_000);
    expect(await requests()).toMatchObject([{ state: "queued", attempt: 0 }]);
    const next = await databases.store(address);
    await next.work({ run: async ({ attempt }) => answered(`attempt ${attempt}`) });
    await until(async () => (await replies()).length === 1);
    expect(await replies()).toMatchObject([{ body: "attempt 0" }]);
  }, 40_000);
});

it("keeps an answer whose log holds what is no text", async () => {
  await start();
  const report = { ...exampleReport(), notes: ["a\0b", "\ud800"] };
  await store.work({
    run: async () => ({ reply: { stamp: {}, body: "nul \0" }, report, why: "answered \0" }),
  });
  await store.admit(changeEvent());
  await until(async () => (await replies()).length === 1);
  expect(await replies()).toMatchObject([{ body: "nul \uFFFD" }]);
  const [listed] = await store.requests();
  expect(
    (JSON.parse((await store.reportText(listed?.id ?? ""))?.text ?? "null") as Report).notes,
  ).toStrictEqual(["a\uFFFDb", "\uFFFD"]);
});

describe("a reply", () => {
  it("is tried again where the forge is away, and given up where it says no", async () => {
    await start();
    const tried: number[] = [];
    store.sendReplies({
      policy: atOnce,
      send: async ({ attempt, key }) => {
        if (key.endsWith("#2")) return { kind: "never", why: "403" };
        tried.push(attempt);
        return attempt === 1 ? { kind: "later", why: "502" } : { kind: "sent", why: "created" };
      },
    });
    await store.work({ run: async ({ key }) => answered(key) });
    await store.admit(changeEvent());
    await store.admit(changeEvent({ key: "github:acme/images#2" }));
    await until(async () => {
      const settled = (await replies()).filter(({ state }) => state === "sent" || state === "given up");
      return settled.length === 2;
    });
    expect(tried).toStrictEqual([1, 2]);
    const states = (await replies()).map(({ state, why }) => `${String(state)}: ${String(why)}`).toSorted();
    expect(states).toStrictEqual(["given up: 403", "sent: created"]);
  }, 40_000);

  it("stays where it is while the stop switch is on", async () => {
    await start();
    const bodies: string[] = [];
    await databases.query(address, "INSERT INTO tare.settings VALUES ('stopped', 'true')");
    store.sendReplies({
      policy: atOnce,
      send: async ({ body }) => {
        bodies.push(body);
        return { kind: "sent", why: "" };
      },
    });
    await store.work({ run: async () => answered("Held.") });
    await store.admit(changeEvent());
    await until(async () => (await store.size()).replies === 1);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(bodies).toStrictEqual([]);
    await databases.query(address, "DELETE FROM tare.settings");
    await until(() => bodies.length === 1);
  }, 20_000);
});

describe("a database", () => {
  it("that a newer Tare was in is refused, and left alone", async () => {
    const newer = await databases.fresh();
    await (await databases.store(newer)).close();
    await databases.query(newer, "UPDATE tare.schema SET version = 99");
    await expect(databases.store(newer)).rejects.toThrow(
      /^The database is of version 99; this Tare knows \d+\.$/,
    );
    expect(await databases.query(newer, "SELECT version FROM tare.schema")).toStrictEqual([{ version: 99 }]);
  });

  it("with a schema of another program is refused, and left alone", async () => {
    const foreign = await databases.fresh();
    await databases.query(foreign, "CREATE SCHEMA tare; CREATE TABLE tare.weights (grams int)");
    await expect(databases.store(foreign)).rejects.toThrow(/that another program made\.$/);
    const schemas = await databases.query(
      foreign,
      "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tare%'",
    );
    expect(schemas).toStrictEqual([{ nspname: "tare" }]);
  });

  it("serves one service, and a second one touches nothing", async () => {
    const shared = await databases.ready();
    const lost: string[] = [];
    const service = { onLost: (why: string) => void lost.push(why) };
    const first = await openStore({ address: shared, log: quietLog, service });
    await databases.query(shared, "UPDATE tare.schema SET version = 0");
    await expect(openStore({ address: shared, log: quietLog, service })).rejects.toThrow(
      /^Another `tare serve` uses this database\.$/,
    );
    // It did not migrate what another one works with.
    expect(await databases.query(shared, "SELECT version FROM tare.schema")).toStrictEqual([{ version: 0 }]);
    await databases.query(
      shared,
      "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7172102",
    );
    await until(() => lost.length === 1);
    await first.close();
  });

  it("that breaks every connection is got over: events are taken in again, and worked on", async () => {
    await start();
    const worked: string[] = [];
    await store.work({
      run: async ({ key }) => {
        worked.push(key);
        return answered(key);
      },
    });
    await databases.query(
      address,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    await vi.waitFor(async () => store.admit(changeEvent()), { timeout: 10_000, interval: 200 });
    await until(() => worked.length === 1);
    expect(worked).toStrictEqual(["github:acme/images#1"]);
  }, 40_000);
});

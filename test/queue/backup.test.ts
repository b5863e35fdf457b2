import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { backUp } from "../../src/queue/backup.ts";
import { connectionOptions, type DatabaseAddress } from "../../src/queue/database.ts";
import { migrateTo } from "../../src/queue/migrations.ts";
import { restore } from "../../src/queue/restore.ts";
import type { ClaimedReply, WorkResult } from "../../src/queue/types.ts";
import { atOnce, changeEvent, openDatabases, type Databases } from "../fixtures/queue/databases.ts";
import { mailDraft, openOutboxBench } from "../fixtures/queue/outbox-bench.ts";
import { exampleReport } from "../fixtures/report/example.ts";

let databases: Databases;
let directory: string;

beforeAll(async () => {
  databases = await openDatabases();
  directory = await mkdtemp(join(tmpdir(), "tare-backup-"));
}, 60_000);
afterAll(async () => {
  await databases.close();
  await rm(directory, { recursive: true, force: true });
}, 60_000);

const until = async (met: () => boolean | Promise<boolean>) =>
  vi.waitFor(async () => expect(await met()).toBe(true), { timeout: 30_000, interval: 50 });

/** Text that a row's own form must not be mistaken by. */
const BODY = 'a\tb\nc\r\n\\.\n\\N\u2028 "é"';
const answered = (key: string): WorkResult => ({
  reply: { stamp: { sha: key }, body: `${key} ${BODY}` },
  report: { ...exampleReport(), notes: [BODY] },
  why: "answered",
});
const event = (number: number, head = "a") =>
  changeEvent({
    key: `github:acme/images#${number}`,
    deliveryId: `id ${number} ${head}`,
    head: head.repeat(40),
  });

/** A database with a reply that was sent, one that was not, a request in work and two that wait. */
async function busyDatabase(): Promise<DatabaseAddress> {
  const address = await databases.ready();
  const store = await databases.store(address);
  const sent: string[] = [];
  store.sendReplies({
    policy: atOnce,
    send: async ({ key }) => {
      if (key.endsWith("#2")) return { kind: "later", why: "502" };
      sent.push(key);
      return { kind: "sent", why: "" };
    },
  });
  await store.work({
    run: async ({ key }, signal) => {
      if (!key.endsWith("#3")) return answered(key);
      const { promise, reject } = Promise.withResolvers<never>();
      signal.addEventListener("abort", () => reject(new Error("aborted")));
      return promise;
    },
  });
  for (const number of [1, 2]) {
    await store.admit(event(number));
    await until(async () => (await store.size()).waiting + (await store.size()).running === 0);
  }
  await until(() => sent.length === 1);
  for (const number of [3, 4, 5]) await store.admit(event(number));
  await until(async () => (await store.size()).running === 1);
  return address;
}

describe("a backup", () => {
  it("is restored elsewhere: work goes on, nothing is answered twice, deliveries are known", async () => {
    const file = join(directory, "busy.tare");
    const from = await busyDatabase();
    const rows = await backUp(from, file);
    // What the sender notes grows with each time that it tried.
    expect(rows).toStrictEqual({
      deliveries: 5,
      requests: 5,
      reports: 2,
      replies: 2,
      settings: 0,
      channels: 1,
      writes: expect.any(Number) as number,
      reply_log: expect.any(Number) as number,
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const to = await databases.fresh();
    expect(await restore(to, file)).toStrictEqual(rows);
    const logged = await databases.query(to, "SELECT state FROM tare.reply_log");
    expect(logged).toHaveLength(rows["reply_log"] ?? 0);
    expect(logged.filter(({ state }) => state === "sent")).toHaveLength(1);

    const store = await databases.store(to);
    expect(await store.size()).toStrictEqual({ waiting: 3, running: 0, replies: 1 });
    const listed = (await store.requests()).find(({ hasReport }) => hasReport);
    const text = await store.reportText(listed?.id ?? "");
    expect(JSON.parse(text?.text ?? "null")).toMatchObject({ notes: [BODY] });
    const worked: string[] = [];
    const sent: ClaimedReply[] = [];
    store.sendReplies({
      policy: atOnce,
      send: async (reply) => {
        sent.push(reply);
        return { kind: "sent", why: "" };
      },
    });
    await store.work({
      run: async ({ key }) => {
        worked.push(key);
        return answered(key);
      },
    });
    await until(async () => Object.values(await store.size()).every((count) => count === 0));
    const keys = (numbers: number[]) => numbers.map((number) => `github:acme/images#${number}`);
    expect(worked).toStrictEqual(keys([3, 4, 5]));
    // The first one was sent before the backup.
    expect(sent.map(({ key }) => key).toSorted()).toStrictEqual(keys([2, 3, 4, 5]));
    expect(sent.map(({ body, key }) => body === `${key} ${BODY}`)).toStrictEqual(Array(4).fill(true));
    for (const number of [1, 2, 3, 4, 5]) expect(await store.admit(event(number))).toBe("seen");
    expect(await store.admit(event(1, "b"))).toBe("queued");
  }, 90_000);

  it("leaves to the operator what mails waited: they may have been sent since", async () => {
    const from = await databases.ready();
    const bench = openOutboxBench(from);
    await bench.keep({ channel: "mail", key: "mail:series" }, mailDraft("run1"));
    await bench.keep({}, { stamp: {}, body: "Weighed." });
    await bench.close();
    const file = join(directory, "mails.tare");
    await backUp(from, file);
    const to = await databases.fresh();
    await restore(to, file);
    const states = await databases.query(to, "SELECT channel, state FROM tare.replies ORDER BY channel");
    expect(states).toStrictEqual([
      { channel: "github", state: "pending" },
      { channel: "mail", state: "unknown" },
    ]);
    // Numbers go on behind those that were restored.
    const next = openOutboxBench(to);
    await next.keep({}, { stamp: {}, body: "Weighed anew." });
    await next.close();
    const numbers = await databases.query(to, "SELECT number::int, state FROM tare.replies ORDER BY number");
    expect(numbers.map(({ number }) => number)).toStrictEqual([1, 2, 3]);
  });

  it("of the first version is brought to this one, with replies that were sent and that wait", async () => {
    const from = await databases.fresh();
    const client = new Client(connectionOptions(from));
    await client.connect();
    await migrateTo(client, 1);
    await client.query(
      `WITH made AS (INSERT INTO tare.requests (channel, delivery, change_key, project, head, at_ms, reference, state)
         SELECT 'github', n, 'github:acme/images#' || n, 'acme/images', 'a', 1, '{}', 'answered'
         FROM (VALUES ('1'), ('2')) v (n) RETURNING id, delivery)
       INSERT INTO tare.replies (request, stamp, body, state)
       SELECT id, '{}', 'said ' || delivery, CASE delivery WHEN '1' THEN 'sent' ELSE 'pending' END FROM made`,
    );
    await client.end();
    const file = join(directory, "first.tare");
    await backUp(from, file);
    const to = await databases.fresh();
    await restore(to, file);
    const bench = openOutboxBench(to);
    // What was sent then is not said again.
    expect(await bench.keep({ key: "github:acme/images#1" }, { stamp: {}, body: "said 1" })).toBe(
      "unchanged",
    );
    expect((await bench.claim("github")).reply).toMatchObject({
      key: "github:acme/images#2",
      body: "said 2",
    });
    await bench.close();
  });

  it("is refused where something is in the database, and where nothing of Tare's is", async () => {
    const file = join(directory, "small.tare");
    const full = await databases.ready();
    await backUp(full, file);
    await expect(restore(full, file)).rejects.toThrow("The database is not empty: a Tare was in it.");
    const none = join(directory, "none.tare");
    await expect(backUp(await databases.fresh(), none)).rejects.toThrow(
      "The database holds nothing of Tare's.",
    );
    await expect(stat(none)).rejects.toThrow("ENOENT");
  });

  it("that is damaged, cut or of a newer Tare is refused, and leaves the database empty", async () => {
    const from = await databases.ready();
    const filled = await databases.store(from);
    for (const number of [1, 2, 3]) await filled.admit(event(number));
    const file = join(directory, "whole.tare");
    await backUp(from, file);
    const packed = await readFile(file);
    const text = gunzipSync(packed).toString("utf8");
    const foot = text.trimEnd().lastIndexOf("\n") + 1;
    const cases: [string, Buffer, RegExp][] = [
      ["cut", packed.subarray(0, packed.length - 20), /it is cut short/u],
      ["plain", Buffer.from(text), /not compressed/u],
      ["shortened", gzipSync(text.slice(0, foot)), /it ends too early/u],
      ["row", gzipSync(text.slice(0, text.indexOf("\\.") - 1)), /ends too early/u],
      ["changed", gzipSync(text.replace("id 1 a", "id 9 a")), /its checksum is another/u],
      ["foreign", gzipSync("hello\n"), /does not start as one of Tare's/u],
      ["table", gzipSync(text.replace('"table":"deliveries"', '"table":"schema"')), /`schema` is not known/u],
      ["newer", gzipSync(text.replace(/"schema":\d+/u, '"schema":99')), /is of version 99; this Tare knows/u],
    ];
    const to = await databases.fresh();
    for (const [name, content, said] of cases) {
      const damaged = join(directory, name);
      await writeFile(damaged, content);
      await expect(restore(to, damaged)).rejects.toThrow(said);
    }
    await expect(restore(to, join(directory, "away"))).rejects.toThrow(/cannot be opened \(ENOENT\)/u);
    await expect(backUp(from, join(directory, "away/file"))).rejects.toThrow(/cannot be written: ENOENT/u);
    expect(await databases.query(to, "SELECT FROM pg_namespace WHERE nspname = 'tare'")).toHaveLength(0);
    expect(await restore(to, file)).toMatchObject({ requests: 3 });
  }, 60_000);
});

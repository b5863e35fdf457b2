import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { OUTBOX_DEFAULTS } from "../../src/config/outbox.ts";
import { parseKeptMessage } from "../../src/channels/mail/kept-message.ts";
import { createSecrets } from "../../src/lib/secrets.ts";
import type { DatabaseAddress } from "../../src/queue/database.ts";
import { outboxPolicy } from "../../src/queue/outbox-policy.ts";
import { openStore } from "../../src/queue/store.ts";
import { storableText } from "../../src/queue/storable.ts";
import type { ClaimedReply, Sent } from "../../src/queue/types.ts";
import { atOnce, changeEvent, openDatabases, quietLog, type Databases } from "../fixtures/queue/databases.ts";
import { mailDraft, openOutboxBench, type OutboxBench } from "../fixtures/queue/outbox-bench.ts";

let databases: Databases;
let address: DatabaseAddress;
let bench: OutboxBench;
const opened: OutboxBench[] = [];

const another = (shown?: (text: string) => string) => {
  const next = openOutboxBench(address, shown);
  opened.push(next);
  return next;
};

beforeAll(async () => {
  databases = await openDatabases();
}, 60_000);
afterAll(() => databases.close(), 60_000);
beforeEach(async () => {
  address = await databases.ready();
  bench = another();
}, 30_000);
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

const MINUTE_MS = 60_000;
const comment = (body: string) => ({ stamp: { sha: "a" }, body });
const change = (number: number) => ({ key: `github:acme/images#${number}` });
const LIST = { channel: "mail", key: "mail:series" } as const;
const DOWN: Sent = { kind: "later", why: "502" };
const SENT: Sent = { kind: "sent", why: "created" };

const replies = async () =>
  databases.query(address, "SELECT body, state, attempts, why FROM tare.replies ORDER BY number");

/** The reply that is claimed now; fails where there is none. */
async function claimed(
  channel: ClaimedReply["channel"],
  from = bench,
  policy = atOnce,
): Promise<ClaimedReply> {
  const { reply } = await from.claim(channel, policy);
  if (reply === null) throw new Error("nothing was claimed");
  return reply;
}

describe("a mail", () => {
  it("that was being sent when Tare died is unknown, and never claimed again", async () => {
    await bench.keep(LIST, mailDraft("run1"));
    await claimed("mail");
    expect(await bench.recover("mail")).toMatchObject([{ state: "unknown" }]);
    for (let day = 0; day < 5; day += 1) {
      bench.pass(1_440 * MINUTE_MS);
      expect((await bench.claim("mail")).reply).toBeNull();
    }
    expect(await replies()).toMatchObject([{ state: "unknown", attempts: 1 }]);
  });

  it("that nobody settles in five minutes is unknown, though no sender started anew", async () => {
    await bench.keep(LIST, mailDraft("run1"));
    const lost = await claimed("mail");
    bench.pass(4 * MINUTE_MS);
    expect((await bench.claim("mail")).transitions).toStrictEqual([]);
    bench.pass(2 * MINUTE_MS);
    const { reply, transitions } = await bench.claim("mail");
    expect(reply).toBeNull();
    expect(transitions).toMatchObject([{ state: "unknown" }]);
    // Its sender comes back too late to say anything else.
    expect(await bench.settle(lost, { kind: "later", why: "refused" })).toBeNull();
    expect((await replies())[0]).toMatchObject({ state: "unknown" });
  });

  it("of which the connection broke is unknown; one that was not handed over is tried again", async () => {
    await bench.keep(LIST, mailDraft("run1"));
    expect(await bench.settle(await claimed("mail"), { kind: "later", why: "ECONNREFUSED" })).toMatchObject({
      state: "pending",
    });
    expect((await bench.claim("mail")).reply).toBeNull();
    bench.pass(MINUTE_MS);
    const again = await claimed("mail");
    expect(again.attempt).toBe(2);
    expect(await bench.settle(again, { kind: "unknown", why: "reset" })).toMatchObject({ state: "unknown" });
    bench.pass(60 * MINUTE_MS);
    expect((await bench.claim("mail")).reply).toBeNull();
  });

  it("that says the same as one that may have arrived is not kept, nor one with its Message-ID", async () => {
    expect(await bench.keep(LIST, mailDraft("run1"))).toBe("kept");
    await bench.settle(await claimed("mail"), { kind: "unknown", why: "reset" });
    expect(await bench.keep(LIST, mailDraft("run2"))).toBe("unchanged");
    expect(await bench.keep(LIST, mailDraft("run1", "Something else."))).toBe("unchanged");
    expect(await bench.keep(LIST, mailDraft("run3", "Weighed again."))).toBe("kept");
    expect((await bench.claim("mail")).reply).toMatchObject({ body: "Weighed again." });
  });

  it("is sent once by a sender that loses the database before it can say so", async () => {
    const store = await databases.store(address);
    await bench.keep(LIST, mailDraft("run1"));
    let times = 0;
    store.sendReplies({
      policy: atOnce,
      async send() {
        times += 1;
        await databases.query(address, "ALTER TABLE tare.channels RENAME TO away");
        return SENT;
      },
    });
    await vi.waitUntil(() => times === 1, { timeout: 10_000, interval: 20 });
    await store.close();
    await databases.query(address, "ALTER TABLE tare.away RENAME TO channels");
    expect(await replies()).toMatchObject([{ state: "sending" }]);
    const next = await databases.store(address);
    next.sendReplies({
      policy: atOnce,
      async send() {
        times += 1;
        return SENT;
      },
    });
    await vi.waitUntil(async () => (await replies())[0]?.["state"] === "unknown", { timeout: 10_000 });
    expect(times).toBe(1);
  }, 30_000);
});

describe("a comment", () => {
  it("that was being sent when Tare died is sent again", async () => {
    await bench.keep({}, comment("Weighed."));
    await claimed("github");
    expect(await bench.recover("github")).toMatchObject([{ state: "pending" }]);
    const again = await claimed("github");
    expect(again).toMatchObject({ body: "Weighed.", attempt: 2, stamp: { sha: "a" } });
    expect(await bench.settle(again, SENT)).toMatchObject({ state: "sent" });
  });

  it("that waits is replaced by what is said later, and nothing is said twice", async () => {
    await bench.keep({}, comment("first"));
    await bench.keep({}, comment("second"));
    await bench.keep(change(2), comment("other"));
    expect((await replies()).map(({ body, state }) => `${String(body)}: ${String(state)}`)).toStrictEqual([
      "first: replaced",
      "second: pending",
      "other: pending",
    ]);
    const reply = await claimed("github");
    expect(reply.body).toBe("second");
    // What is said while one is sent waits behind it, and the sent one is settled as sent.
    expect(await bench.keep({}, comment("third"))).toBe("kept");
    expect(await bench.settle(reply, SENT)).toMatchObject({ state: "sent" });
    expect((await claimed("github")).body).toBe("other");
    const third = await claimed("github");
    expect(third.body).toBe("third");
    await bench.settle(third, SENT);
    expect(await bench.keep({}, comment("third"))).toBe("unchanged");
    expect(await bench.keep({}, comment("first"))).toBe("kept");
  });

  it("is given up when nobody took it for three days, and every state is in the log", async () => {
    await bench.keep({}, comment("Weighed."));
    await bench.settle(await claimed("github"), DOWN);
    bench.pass(4 * 1_440 * MINUTE_MS);
    expect(await bench.settle(await claimed("github"), DOWN)).toMatchObject({ state: "given up" });
    const log = await databases.query(address, "SELECT state FROM tare.reply_log ORDER BY at");
    expect(log.map(({ state }) => state)).toStrictEqual([
      "pending",
      "sending",
      "pending",
      "sending",
      "given up",
    ]);
  });
});

describe("budgets", () => {
  const policy = outboxPolicy({ ...OUTBOX_DEFAULTS, githubPerMinute: 4 });

  it("are shared by two senders at once", async () => {
    const other = another();
    for (let number = 1; number <= 8; number += 1) await bench.keep(change(number), comment("Weighed."));
    const perMinute = { ...atOnce, budgets: { ...atOnce.budgets, github: policy.budgets.github.slice(1) } };
    const claims = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => (index % 2 ? bench : other).claim("github", perMinute)),
    );
    const ids = claims.flatMap(({ reply }) => (reply === null ? [] : [reply.id]));
    expect(ids).toHaveLength(4);
    expect(new Set(ids).size).toBe(4);
    for (const each of [bench, other]) each.pass(MINUTE_MS);
    expect((await bench.claim("github", perMinute)).reply).not.toBeNull();
  });

  it("keep a second between two writes to GitHub, and ten between two edits of one comment", async () => {
    await bench.keep({}, comment("first"));
    await bench.settle(await claimed("github", bench, policy), SENT);
    await bench.keep({}, comment("second"));
    await bench.keep(change(2), comment("other"));
    const { reply, nextAt } = await bench.claim("github", policy);
    expect(reply).toBeNull();
    expect(nextAt).toStrictEqual(new Date(bench.now().getTime() + 1_000));
    bench.pass(1_000);
    expect((await claimed("github", bench, policy)).body).toBe("other");
    bench.pass(8_999);
    expect((await bench.claim("github", policy)).reply).toBeNull();
    bench.pass(1);
    expect((await claimed("github", bench, policy)).body).toBe("second");
  });

  it("are spent by a write whose sender died", async () => {
    await bench.keep(LIST, mailDraft("run1"));
    await claimed("mail", bench, policy);
    await bench.recover("mail");
    await bench.keep(LIST, mailDraft("run2", "second"));
    await claimed("mail", bench, policy);
    await bench.keep(LIST, mailDraft("run3", "third"));
    await claimed("mail", bench, policy);
    await bench.keep(LIST, mailDraft("run4", "fourth"));
    // Three a day to one thread.
    expect((await bench.claim("mail", policy)).reply).toBeNull();
    expect((await replies()).at(-1)).toMatchObject({
      state: "pending",
      why: "waits for the budget of thread:<series@example.org>",
    });
    bench.pass(1_440 * MINUTE_MS);
    expect((await claimed("mail", bench, policy)).body).toBe("fourth");
  });
});

describe("a channel", () => {
  const fail = async (sent: Sent = DOWN) => {
    const reply = await claimed("github");
    return bench.settle(reply, sent);
  };
  const sends = async () => (await bench.claim("github")).reply !== null;

  beforeEach(async () => {
    for (let number = 1; number <= 20; number += 1) await bench.keep(change(number), comment("Weighed."));
  });

  it("is left alone after five failures, probed by one reply, then left alone for twice as long", async () => {
    for (let failure = 0; failure < 5; failure += 1) await fail();
    const opened = await bench.claim("github");
    expect(opened.reply).toBeNull();
    expect(opened.nextAt).toStrictEqual(new Date(bench.now().getTime() + MINUTE_MS));
    bench.pass(MINUTE_MS);
    const probe = await claimed("github");
    // While the probe is out nothing else is.
    expect((await bench.claim("github")).reply).toBeNull();
    await bench.settle(probe, DOWN);
    bench.pass(2 * MINUTE_MS - 1);
    expect(await sends()).toBe(false);
    bench.pass(1);
    await bench.settle(await claimed("github"), SENT);
    expect(await sends()).toBe(true);
    expect(await sends()).toBe(true);
  });

  it("works where it says no, and others are not held up by one that failed", async () => {
    for (let failure = 0; failure < 4; failure += 1) await fail();
    await fail({ kind: "never", why: "403" });
    for (let failure = 0; failure < 4; failure += 1) await fail();
    expect(await sends()).toBe(true);
  });

  it("that asks to be left alone is, for as long as it said, and that is no failure", async () => {
    for (let time = 0; time < 6; time += 1) {
      await fail({ kind: "later", why: "429", retryAfterMs: 90_000 });
      bench.pass(89_999);
      expect(await sends()).toBe(false);
      bench.pass(1);
    }
    expect(await sends()).toBe(true);
    expect(await databases.query(address, "SELECT failures, open_until FROM tare.channels")).toStrictEqual([
      { failures: 0, open_until: null },
    ]);
  });

  it("that asks its probe to wait is probed again then, and works when that one arrives", async () => {
    for (let failure = 0; failure < 5; failure += 1) await fail();
    bench.pass(MINUTE_MS);
    await fail({ kind: "later", why: "429", retryAfterMs: 30_000 });
    bench.pass(29_999);
    expect(await sends()).toBe(false);
    bench.pass(1);
    const probe = await claimed("github");
    expect(await sends()).toBe(false);
    await bench.settle(probe, SENT);
    expect(await sends()).toBe(true);
  });

  it("that is open does not hold up another, and the probe of a sender that died is made again", async () => {
    for (let failure = 0; failure < 5; failure += 1) await fail();
    await bench.keep({ channel: "gitlab", key: "gitlab:acme/images!1" }, comment("Weighed."));
    expect((await claimed("gitlab")).key).toBe("gitlab:acme/images!1");
    bench.pass(MINUTE_MS);
    await claimed("github");
    bench.pass(5 * MINUTE_MS);
    expect(await sends()).toBe(true);
  });
});

it("keeps no secret, in a comment, in a mail, or in what the other side said", async () => {
  const secrets = createSecrets(["hunter2-hunter2"]);
  const guarded = another((text) => storableText(secrets.redact(text)));
  await guarded.keep({}, comment("before hunter2-hunter2 after"));
  await guarded.keep(LIST, mailDraft("run1", "before hunter2-hunter2\0 after"));
  expect((await claimed("github")).body).toBe("before [redacted] after");
  expect(parseKeptMessage((await claimed("mail")).message).text).toBe("before [redacted]\uFFFD after");

  const other = await databases.ready();
  const store = await openStore({ address: other, log: quietLog, secrets });
  try {
    store.sendReplies({
      policy: atOnce,
      send: async () => ({ kind: "never", why: "said hunter2-hunter2" }),
    });
    await store.work({
      run: async () => ({ reply: comment("token hunter2-hunter2"), report: null, why: "" }),
    });
    await store.admit(changeEvent());
    const rows = async () =>
      databases.query(other, "SELECT body, why FROM tare.replies WHERE state = 'given up'");
    await vi.waitUntil(async () => (await rows()).length === 1, { timeout: 10_000, interval: 50 });
    expect(await rows()).toStrictEqual([{ body: "token [redacted]", why: "said [redacted]" }]);
    const log = await databases.query(other, "SELECT why FROM tare.reply_log WHERE why LIKE '%hunter2%'");
    expect(log).toStrictEqual([]);
  } finally {
    await store.close();
  }
}, 30_000);

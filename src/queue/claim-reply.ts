import type { Pool, PoolClient } from "pg";
import type { ChangeEvent } from "../channels/types.ts";
import { budgetsOf, type OutboxPolicy } from "./outbox-policy.ts";
import { transaction } from "./database.ts";
import { isOnce, type ClaimedReply, type Transition } from "./types.ts";

type Channel = ChangeEvent["channel"];

/** What is to be sent now, or when to look again; with the replies that came to another state. */
export type Claim = { reply: ClaimedReply | null; nextAt: Date | null; transitions: Transition[] };

/** The time by which dues, budgets and pauses are judged: the database's, so that it is one for all processes. */
export type OutboxClock = (client: PoolClient) => Promise<Date>;

export const databaseTime: OutboxClock = async (client) => {
  const { rows } = await client.query<{ now: Date }>("SELECT clock_timestamp() AS now");
  if (rows[0] === undefined) throw new TypeError("the database tells no time");
  return rows[0].now;
};

/** A number for PostgreSQL's advisory locks: budgets are spent by one process at a time. */
const LOCK = 7_172_103;
/** A reply that was claimed and not settled for so long was claimed by a process that is gone. */
const LOST_AFTER_MS = 300_000;
/** Replies that are looked at in one transaction. */
const MOST_LOOKED_AT = 200;

/**
 * Claims the next reply of a channel: none while the switch is off, the channel is open or paused, or a budget is spent. The
 * writes are counted with the claim, before anything is sent.
 */
export async function claimReply(
  pool: Pool,
  channel: Channel,
  { policy, clock = databaseTime }: { policy: OutboxPolicy; clock?: OutboxClock | undefined },
): Promise<Claim> {
  return transaction(pool, async (client) => {
    await client.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
    const now = await clock(client);
    const transitions = await recoverLost(client, channel, new Date(now.getTime() - LOST_AFTER_MS));
    if (await isStopped(client)) return { reply: null, nextAt: null, transitions };
    const closedUntil = await closedUntilOf(client, channel);
    if (closedUntil !== null && closedUntil > now) return { reply: null, nextAt: closedUntil, transitions };
    for (let looked = 0; looked < MOST_LOOKED_AT; looked += 1) {
      const next = await nextDue(client, channel, now);
      if (next === null) break;
      if (await isToBeHeld(client, next, policy.holdFirst)) {
        transitions.push(await move(client, next, "held", "the first replies wait for the operator"));
        continue;
      }
      const due = await earliest(client, next.buckets, policy);
      if (due !== null && due.at > now) {
        await client.query("UPDATE tare.replies SET due_at = $2, why = $3 WHERE id = $1", [
          next.id,
          due.at,
          `waits for the budget of ${due.bucket}`,
        ]);
        continue;
      }
      // While it is half open, what is claimed is the one probe.
      if (closedUntil !== null)
        await client.query(
          "UPDATE tare.channels SET open_until = $2 WHERE channel = $1 AND open_until IS NOT NULL",
          [channel, new Date(now.getTime() + LOST_AFTER_MS)],
        );
      const reply = await take(client, next, now);
      return { reply, nextAt: now, transitions };
    }
    return { reply: null, nextAt: await nextDueAt(client, channel), transitions };
  });
}

/**
 * What was being sent by a process that is gone: a comment is sent again, as it finds itself; a mail may have arrived, and
 * is left to the operator. Claims from `before` on are left alone; null takes all.
 */
export async function recoverLost(
  client: PoolClient,
  channel: Channel,
  before: Date | null,
): Promise<Transition[]> {
  const [state, why] = isOnce(channel)
    ? ["unknown", "Tare ended while it was being sent: it may have arrived"]
    : ["pending", "Tare ended while it was being sent"];
  const { rows } = await client.query<{ id: string; requestId: string }>(
    `UPDATE tare.replies SET state = $2, why = $3
     WHERE channel = $1 AND state = 'sending' AND ($4::timestamptz IS NULL OR claimed_at <= $4)
     RETURNING id, request AS "requestId"`,
    [channel, state, why, before],
  );
  return rows.map((row) => ({ ...row, state: state ?? "", why: why ?? "" }));
}

async function isStopped(client: PoolClient): Promise<boolean> {
  const { rowCount } = await client.query(
    "SELECT FROM tare.settings WHERE name = 'stopped' AND value <> 'false'",
  );
  return rowCount !== 0;
}

/** Until when nothing is sent to a channel: its breaker, or what it asked for. In the past where a probe is due. */
async function closedUntilOf(client: PoolClient, channel: Channel): Promise<Date | null> {
  const { rows } = await client.query<{ until: Date | null }>(
    "SELECT greatest(open_until, paused_until) AS until FROM tare.channels WHERE channel = $1",
    [channel],
  );
  return rows[0]?.until ?? null;
}

type Waiting = {
  id: string;
  requestId: string;
  scope: string;
  buckets: string[];
  kind: string;
  isReleased: boolean;
  attempts: number;
};

async function nextDue(client: PoolClient, channel: Channel, now: Date): Promise<Waiting | null> {
  const { rows } = await client.query<Waiting>(
    `SELECT id, request AS "requestId", scope, buckets, kind, released_at IS NOT NULL AS "isReleased", attempts
     FROM tare.replies WHERE channel = $1 AND state = 'pending' AND due_at <= $2
     ORDER BY due_at, number LIMIT 1 FOR UPDATE SKIP LOCKED`,
    [channel, now],
  );
  return rows[0] ?? null;
}

async function nextDueAt(client: PoolClient, channel: Channel): Promise<Date | null> {
  const { rows } = await client.query<{ at: Date | null }>(
    "SELECT min(due_at) AS at FROM tare.replies WHERE channel = $1 AND state = 'pending'",
    [channel],
  );
  return rows[0]?.at ?? null;
}

/** What was tried before the operator wanted to see anything goes on. */
async function isToBeHeld(client: PoolClient, reply: Waiting, holdFirst: number): Promise<boolean> {
  if (holdFirst === 0 || reply.isReleased || reply.kind === "correction" || reply.attempts > 0) return false;
  const { rows } = await client.query<{ seen: number }>(
    `SELECT count(*)::int AS seen FROM tare.replies
     WHERE scope = $1 AND kind = 'reply' AND (released_at IS NOT NULL OR state = 'sent')`,
    [reply.scope],
  );
  return (rows[0]?.seen ?? 0) < holdFirst;
}

async function move(
  client: PoolClient,
  { id, requestId }: Waiting,
  state: string,
  why: string,
): Promise<Transition> {
  await client.query("UPDATE tare.replies SET state = $2, why = $3 WHERE id = $1", [id, state, why]);
  return { id, requestId, state, why };
}

/** When a write is allowed by every budget that it falls under; null where none is spent. */
async function earliest(
  client: PoolClient,
  buckets: readonly string[],
  policy: OutboxPolicy,
): Promise<{ at: Date; bucket: string } | null> {
  let latest: { at: Date; bucket: string } | null = null;
  for (const bucket of buckets)
    for (const { count, windowMs } of budgetsOf(policy, bucket)) {
      const { rows } = await client.query<{ at: Date }>(
        "SELECT at FROM tare.writes WHERE bucket = $1 ORDER BY at DESC OFFSET $2 LIMIT 1",
        [bucket, count - 1],
      );
      if (rows[0] === undefined) continue;
      const at = new Date(rows[0].at.getTime() + windowMs);
      if (latest === null || at > latest.at) latest = { at, bucket };
    }
  return latest;
}

async function take(client: PoolClient, { id, buckets }: Waiting, now: Date): Promise<ClaimedReply | null> {
  await client.query("INSERT INTO tare.writes SELECT unnest($1::text[]), $2", [buckets, now]);
  const { rows } = await client.query<ClaimedReply>(
    `UPDATE tare.replies SET state = 'sending', why = '', attempts = attempts + 1, claimed_at = $2,
       first_tried_at = coalesce(first_tried_at, $2)
     WHERE id = $1
     RETURNING id, request AS "requestId", kind, channel, topic AS key, stamp, body, message, attempts AS attempt,
       extract(epoch FROM $2::timestamptz - first_tried_at)::float AS "ageS",
       (SELECT reference FROM tare.requests WHERE id = request) AS reference`,
    [id, now],
  );
  return rows[0] ?? null;
}

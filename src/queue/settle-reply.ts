import type { Pool, PoolClient } from "pg";
import { databaseTime, type OutboxClock } from "./claim-reply.ts";
import { transaction } from "./database.ts";
import { storableText } from "./storable.ts";
import type { ClaimedReply, Sent, Transition } from "./types.ts";

/** A reply that nobody would take for so long is of no use any more. */
const LONGEST_S = 3 * 86_400;
/** First and longest pause before a reply is tried again. */
const PAUSE_MS = [1_000, 600_000] as const;
/** So many failures in a row open a channel, for a minute first, then for twice as long, up to an hour. */
const FAILURES = 5;
const OPEN_MS = [60_000, 3_600_000] as const;

/** Marks how sending ended, for the reply and for its channel. Null where another process has settled it. */
export async function settleReply(
  pool: Pool,
  reply: ClaimedReply,
  sent: Sent,
  clock: OutboxClock = databaseTime,
): Promise<Transition | null> {
  const why = storableText(sent.why.slice(0, 500));
  return transaction(pool, async (client) => {
    const now = await clock(client);
    await noteChannel(client, reply, { ...sent, why }, now);
    const state = stateAfter(reply, sent);
    const pauseMs =
      sent.retryAfterMs ?? Math.min(PAUSE_MS[1], PAUSE_MS[0] * 2 ** Math.min(reply.attempt - 1, 20));
    const { rowCount } = await client.query(
      `UPDATE tare.replies SET state = $2, why = $3, due_at = $4
       WHERE id = $1 AND state = 'sending' AND attempts = $5`,
      [reply.id, state, why, new Date(now.getTime() + pauseMs), reply.attempt],
    );
    return rowCount === 0 ? null : { id: reply.id, requestId: reply.requestId, state, why };
  });
}

function stateAfter(reply: ClaimedReply, { kind }: Sent): string {
  if (kind === "never") return "given up";
  if (kind === "later") return reply.ageS > LONGEST_S ? "given up" : "pending";
  return kind;
}

async function noteChannel(
  client: PoolClient,
  { channel }: ClaimedReply,
  sent: Sent,
  now: Date,
): Promise<void> {
  const after = (ms: number) => new Date(now.getTime() + ms);
  const said = [channel, sent.why];
  await client.query("INSERT INTO tare.channels (channel) VALUES ($1) ON CONFLICT DO NOTHING", [channel]);
  // An answer that refuses is an answer: the channel works.
  if (sent.kind === "sent" || sent.kind === "never") {
    await client.query(
      "UPDATE tare.channels SET failures = 0, opened = 0, open_until = NULL, why = '' WHERE channel = $1",
      [channel],
    );
    return;
  }
  if (sent.retryAfterMs !== undefined) {
    // A probe that is asked to wait is made again then.
    await client.query(
      `UPDATE tare.channels SET paused_until = $3::timestamptz, why = $2,
         open_until = CASE WHEN open_until IS NULL THEN NULL ELSE $3::timestamptz END WHERE channel = $1`,
      [...said, after(sent.retryAfterMs)],
    );
    return;
  }
  const { rows } = await client.query<{ failures: number; opened: number }>(
    "UPDATE tare.channels SET failures = failures + 1, why = $2 WHERE channel = $1 RETURNING failures, opened",
    said,
  );
  const { failures = 0, opened = 0 } = rows[0] ?? {};
  if (failures < FAILURES) return;
  await client.query("UPDATE tare.channels SET opened = opened + 1, open_until = $2 WHERE channel = $1", [
    channel,
    after(Math.min(OPEN_MS[1], OPEN_MS[0] * 2 ** Math.min(opened, 10))),
  ]);
}

import type { ClientBase, Pool } from "pg";

/** A channel's breaker: `paused` is what the other side asked for, `open` what its failures came to. */
export type ChannelState = {
  channel: string;
  state: "closed" | "paused" | "open";
  failures: number;
  /** When it is tried again; null where it is tried now. */
  until: Date | null;
  why: string;
};

export type OutboxStatus = {
  /** The switch; null where replies go out. */
  stopped: { why: string; at: string } | null;
  channels: ChannelState[];
  /** Replies that are held for the operator, wait, are being sent, or of which it is not known whether they arrived. */
  counts: { held: number; pending: number; sending: number; unknown: number };
};

/** What the outbox does now, by the database's time. */
export async function outboxStatus(pool: Pool | ClientBase): Promise<OutboxStatus> {
  const stopped = await pool.query<{ why: string | null; at: string | null }>(
    `SELECT CASE jsonb_typeof(value) WHEN 'object' THEN value ->> 'why' END AS why,
       CASE jsonb_typeof(value) WHEN 'object' THEN value ->> 'at' END AS at
     FROM tare.settings WHERE name = 'stopped' AND value <> 'false'`,
  );
  const channels = await pool.query<ChannelState>(
    `SELECT channel, failures, why,
       CASE WHEN open_until IS NOT NULL THEN 'open' WHEN paused_until > now() THEN 'paused' ELSE 'closed' END AS state,
       CASE WHEN greatest(open_until, paused_until) > now() THEN greatest(open_until, paused_until) END AS until
     FROM tare.channels ORDER BY channel`,
  );
  const counts = await pool.query<{ state: string; count: number }>(
    `SELECT state, count(*)::int AS count FROM tare.replies
     WHERE state IN ('held', 'pending', 'sending', 'unknown') GROUP BY state`,
  );
  const [row] = stopped.rows;
  return {
    stopped: row === undefined ? null : { why: row.why ?? "", at: row.at ?? "" },
    channels: channels.rows,
    counts: {
      held: 0,
      pending: 0,
      sending: 0,
      unknown: 0,
      ...Object.fromEntries(counts.rows.map(({ state, count }) => [state, count])),
    },
  };
}

import type { Pool } from "pg";
import { errorText } from "../lib/error-text.ts";
import type { Secrets } from "../lib/secrets.ts";
import type { ClaimedReply, QueueLog, Sent } from "./types.ts";

export type OutboxOptions = {
  pool: Pool;
  log: QueueLog;
  /** What no row may hold. */
  secrets: Pick<Secrets, "redact">;
  /** Sends a reply to its thread. The same reply may be sent again: whoever sends must not repeat what stands there. */
  send(reply: ClaimedReply, signal: AbortSignal): Promise<Sent>;
};

export type Outbox = {
  /** Something may be due: looks at once. */
  poke(): void;
  /** Ends when the reply in hand is sent. */
  close(): Promise<void>;
};

const LOOK_MS = 2_000;
/** A reply that was claimed and not settled for so long was claimed by a process that is gone. */
const LOST_AFTER_S = 120;
const SEND_MS = 60_000;
/** A reply that nobody would take for so long is of no use any more. */
const LONGEST_S = 3 * 86_400;
/** First and longest pause before a reply is tried again. */
const BACKOFF_S = [5, 600] as const;

/** Sends replies, one after the other, each until it is sent or given up. */
export function startOutbox(options: OutboxOptions): Outbox {
  const closing = new AbortController();
  let wake = () => {};
  const loop = async () => {
    await recover(options.pool).catch(() => {});
    while (!closing.signal.aborted) {
      const reply = await claim(options.pool).catch((error: unknown) => {
        options.log.warn({ why: String(error) }, "the outbox cannot be read");
        return null;
      });
      if (reply !== null) await deliver(reply, options, closing.signal);
      else
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, LOOK_MS);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
    }
  };
  const running = loop();
  return {
    poke: () => wake(),
    async close() {
      closing.abort();
      wake();
      await running;
    },
  };
}

/** One service sends: what was being sent when it starts was left by one that was killed. */
async function recover(pool: Pool): Promise<void> {
  await pool.query("UPDATE tare.replies SET state = 'pending', due_at = now() WHERE state = 'sending'");
}

async function claim(pool: Pool): Promise<ClaimedReply | null> {
  const { rows } = await pool.query<ClaimedReply>(
    `UPDATE tare.replies SET state = 'sending', attempts = attempts + 1, claimed_at = now()
     WHERE id = (
       SELECT id FROM tare.replies
       WHERE (state = 'pending' AND due_at <= now())
          OR (state = 'sending' AND claimed_at < now() - make_interval(secs => ${LOST_AFTER_S}))
       ORDER BY due_at FOR UPDATE SKIP LOCKED LIMIT 1)
       AND NOT EXISTS (SELECT FROM tare.settings WHERE name = 'stopped' AND value = 'true')
     RETURNING id, extract(epoch FROM now() - created_at)::float AS "ageS", request AS "requestId", stamp, body, attempts AS attempt,
       (SELECT channel FROM tare.requests WHERE id = request) AS channel,
       (SELECT change_key FROM tare.requests WHERE id = request) AS key,
       (SELECT reference FROM tare.requests WHERE id = request) AS reference`,
  );
  return rows[0] ?? null;
}

async function deliver(reply: ClaimedReply, options: OutboxOptions, closing: AbortSignal): Promise<void> {
  const about = { requestId: reply.requestId, change: reply.key, attempt: reply.attempt };
  const signal = AbortSignal.any([closing, AbortSignal.timeout(SEND_MS)]);
  const sent = await Promise.race([options.send(reply, signal), whenAborted(signal)]).catch(
    (error: unknown): Sent => ({
      kind: "later",
      why: errorText(error),
    }),
  );
  // Whoever starts next sends it: it finds its own comment in the thread.
  if (closing.aborted && sent.kind !== "sent") return;
  const isLast = sent.kind === "later" && reply.ageS > LONGEST_S;
  const state = sent.kind === "sent" ? "sent" : sent.kind === "never" || isLast ? "given up" : "pending";
  options.log.info({ ...about, state, why: sent.why }, "reply");
  await settle(options.pool, reply, state, options.secrets.redact(sent.why)).catch((error: unknown) => {
    // It is claimed again later, and finds its own comment in the thread.
    options.log.warn({ ...about, why: String(error) }, "the reply cannot be settled");
  });
}

/** Rejects when the signal is aborted: a forge may be silent for longer than anybody waits. */
async function whenAborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(new Error("it took too long"));
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  return promise;
}

async function settle(pool: Pool, reply: ClaimedReply, state: string, why: string): Promise<void> {
  const pauseS = Math.min(BACKOFF_S[1], BACKOFF_S[0] * 2 ** (reply.attempt - 1));
  await pool.query(
    `UPDATE tare.replies SET state = $2, why = $3, due_at = now() + make_interval(secs => $4)
     WHERE id = $1 AND state = 'sending' AND attempts = $5`,
    [reply.id, state, why.slice(0, 500), pauseS, reply.attempt],
  );
}

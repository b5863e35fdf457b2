import type { Pool } from "pg";
import type { ChangeEvent } from "../channels/types.ts";
import { errorText } from "../lib/error-text.ts";
import type { Secrets } from "../lib/secrets.ts";
import { claimReply, recoverLost, type OutboxClock } from "./claim-reply.ts";
import { transaction } from "./database.ts";
import type { OutboxPolicy } from "./outbox-policy.ts";
import { settleReply } from "./settle-reply.ts";
import { isOnce, type ClaimedReply, type QueueLog, type Sent, type Transition } from "./types.ts";

export type OutboxOptions = {
  pool: Pool;
  log: QueueLog;
  /** What no row may hold. */
  secrets: Pick<Secrets, "redact">;
  policy: OutboxPolicy;
  /**
   * Sends a reply to its thread. A comment may be sent again: whoever sends must not repeat what stands there. A mail is
   * not: whoever sends must say `later` only where nothing of it can have arrived.
   */
  send(reply: ClaimedReply, signal: AbortSignal): Promise<Sent>;
  /** The database's own where it is left out. */
  clock?: OutboxClock;
};

export type Outbox = {
  /** Something may be due: looks at once. */
  poke(): void;
  /** Ends when the replies in hand are sent. */
  close(): Promise<void>;
};

const CHANNELS: readonly ChangeEvent["channel"][] = ["github", "gitlab", "mail"];
/** How soon what another process says is obeyed. */
const LOOK_MS = 2_000;
const SEND_MS = 60_000;
/** A mail is not abandoned: its server's own time limits end it. */
const SEND_ONCE_MS = 240_000;

/** Sends replies, one after the other on each channel, each until it is sent or given up. */
export function startOutbox(options: OutboxOptions): Outbox {
  const closing = new AbortController();
  const wakes = new Set<() => void>();
  const poke = () => {
    for (const wake of wakes) wake();
  };
  const pause = async (ms: number) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    wakes.add(resolve);
    await promise;
    wakes.delete(resolve);
    clearTimeout(timer);
  };
  const running = CHANNELS.map(async (channel) =>
    sendAll(channel, options, { closing: closing.signal, pause }),
  );
  return {
    poke,
    async close() {
      closing.abort();
      poke();
      await Promise.all(running);
    },
  };
}

type Life = { closing: AbortSignal; pause: (ms: number) => Promise<void> };

async function sendAll(channel: ChangeEvent["channel"], options: OutboxOptions, life: Life): Promise<void> {
  const { pool, log } = options;
  let isRecovered = false;
  while (!life.closing.aborted) {
    try {
      // One service sends: what was being sent when it starts was left by one that was killed.
      if (!isRecovered) noteAll(log, await recover(pool, channel));
      isRecovered = true;
      const { reply, nextAt, transitions } = await claimReply(pool, channel, options);
      noteAll(log, transitions);
      if (reply !== null) await deliver(reply, options, life.closing);
      else await life.pause(untilNext(nextAt));
    } catch (error) {
      log.warn({ why: errorText(error) }, "the outbox cannot be read");
      await life.pause(LOOK_MS);
    }
  }
}

async function recover(pool: Pool, channel: ChangeEvent["channel"]): Promise<Transition[]> {
  return transaction(pool, async (client) => recoverLost(client, channel, null));
}

/** The database's clock may be another one: at most so long as a look takes anyway. */
function untilNext(nextAt: Date | null): number {
  return nextAt === null ? LOOK_MS : Math.max(20, Math.min(LOOK_MS, nextAt.getTime() - Date.now()));
}

async function deliver(reply: ClaimedReply, options: OutboxOptions, closing: AbortSignal): Promise<void> {
  const about = { reply: reply.id, requestId: reply.requestId, change: reply.key, attempt: reply.attempt };
  options.log.info({ ...about, state: "sending" }, "reply");
  const tried = await trySend(reply, options, closing);
  const sent = { ...tried, why: options.secrets.redact(tried.why) };
  // Whoever starts next sends it: it finds its own comment in the thread.
  if (closing.aborted && sent.kind === "later" && !isOnce(reply.channel)) return;
  try {
    const settled = await settleReply(options.pool, reply, sent, options.clock);
    options.log.info({ ...about, state: settled?.state ?? "settled before", why: sent.why }, "reply");
  } catch (error) {
    // It is claimed again later and finds its own comment in the thread, or is left to the operator.
    options.log.warn({ ...about, sent: sent.kind, why: errorText(error) }, "the reply cannot be settled");
  }
}

async function trySend(reply: ClaimedReply, options: OutboxOptions, closing: AbortSignal): Promise<Sent> {
  const once = isOnce(reply.channel);
  const signal = once
    ? AbortSignal.timeout(SEND_ONCE_MS)
    : AbortSignal.any([closing, AbortSignal.timeout(SEND_MS)]);
  try {
    return await Promise.race([options.send(reply, signal), whenAborted(signal)]);
  } catch (error) {
    // Of a mail it is not known how far it came.
    return { kind: once && signal.aborted ? "unknown" : "later", why: errorText(error) };
  }
}

/** Rejects when the signal is aborted: a forge may be silent for longer than anybody waits. */
async function whenAborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(new Error("it took too long"));
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  return promise;
}

function noteAll(log: QueueLog, transitions: readonly Transition[]): void {
  for (const { id, requestId, state, why } of transitions)
    log.info({ reply: id, requestId, state, why }, "reply");
}

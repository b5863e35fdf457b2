import type { ChannelLog } from "./types.ts";
import { errorFields } from "./error-fields.ts";

/** One event about a change: the webhook's word for it, a hint that the worker checks by API. */
export type ChangeEvent = {
  /** The change, for example `github:owner/repo#7`. */
  key: string;
  head: string;
  /** When the forge says the change was updated, ms since 1970. */
  atMs: number;
  work(signal: AbortSignal): Promise<void>;
  /** Called when the work failed for the world's or our own fault. */
  failed?(): void;
};

/** `known`: this head is waiting or running; `older`: a newer one is; `full`: come back later. */
export type Admission = "queued" | "known" | "older" | "full";

export type ChangeQueue = {
  add(event: ChangeEvent): Admission;
  /** True when one more change would be refused. */
  full(): boolean;
  size(): { waiting: number; running: boolean };
  /** Resolves once nothing waits and nothing runs. */
  idle(): Promise<void>;
  /** Drops what waits, aborts what runs and waits for its end. */
  close(): Promise<void>;
};

type Running = { event: ChangeEvent; abort: AbortController };

/** A queue in memory, one change at a time. A newer head replaces a waiting older one and aborts a running one. */
export function createChangeQueue(options: { log: ChannelLog; maxWaiting?: number }): ChangeQueue {
  const maxWaiting = options.maxWaiting ?? 1000;
  // A map keeps the place in the queue when a newer head replaces an older one.
  const waiting = new Map<string, ChangeEvent>();
  const idlers: (() => void)[] = [];
  let running: Running | null = null;
  let closed = false;

  async function drain(): Promise<void> {
    for (let event = shift(waiting); event; event = shift(waiting)) {
      const abort = new AbortController();
      running = { event, abort };
      try {
        await event.work(abort.signal);
      } catch (error) {
        if (!abort.signal.aborted) {
          options.log.error({ change: event.key, head: event.head, ...errorFields(error) }, "no answer");
          event.failed?.();
        }
      }
    }
    running = null;
    for (const resolve of idlers.splice(0)) resolve();
  }

  function add(event: ChangeEvent): Admission {
    const current = waiting.get(event.key) ?? (running?.event.key === event.key ? running.event : undefined);
    if (current?.head === event.head) return "known";
    if (current && event.atMs < current.atMs) return "older";
    if (closed || (!waiting.has(event.key) && waiting.size >= maxWaiting)) return "full";
    waiting.set(event.key, event);
    if (running?.event.key === event.key) running.abort.abort(new Error("a newer head arrived"));
    // Started in a later turn, so that the webhook is answered first.
    if (!running) setImmediate(() => void (running || drain()));
    return "queued";
  }

  async function idle(): Promise<void> {
    if (!running && waiting.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    idlers.push(resolve);
    await promise;
  }

  return {
    add,
    full: () => closed || waiting.size >= maxWaiting,
    size: () => ({ waiting: waiting.size, running: running !== null }),
    idle,
    async close() {
      closed = true;
      waiting.clear();
      running?.abort.abort(new Error("the server is closing"));
      if (running) await idle();
    },
  };
}

function shift(waiting: Map<string, ChangeEvent>): ChangeEvent | null {
  const first = waiting.entries().next();
  if (first.done) return null;
  waiting.delete(first.value[0]);
  return first.value[1];
}

import { Problem } from "../domain/problem.ts";
import type { MailBatch, MailSource, Position } from "./types.ts";
import { waitMs, type Wait } from "./wait.ts";

/** Where positions are kept: what `onBatch` stored last for a source, null before its first batch. */
export type Positions = { of(sourceId: string): Promise<Position> };

/**
 * Stores a batch and `batch.position` under the source's id, in one transaction; what it resolves to is not used.
 * A rejection means that nothing was stored. It gets one batch of a source at a time.
 */
export type OnBatch = (sourceId: string, batch: MailBatch) => Promise<void>;

export type ReadOptions = {
  /** Told of every failure, with the milliseconds until the source is tried again. The error is the source's or the store's. */
  onTrouble?: (sourceId: string, error: unknown, retryInMs: number) => void;
  wait?: Wait;
};

const LEAST_MS = 1000;
const MOST_MS = 30_000;
/** What only the operator can mend, a wrong password for instance, is not asked for again at once. */
const PROBLEM_MS = 5 * 60_000;

/**
 * Reads all sources at once until the signal, or until none has more to give. After a failure, of the source or of the
 * store, a source starts again from the position that is stored then, after 1 to 30 seconds. So each message is stored
 * once, whatever broke in between, as long as `onBatch` stores messages and position together.
 */
export async function readSources(
  sources: readonly MailSource[],
  positions: Positions,
  onBatch: OnBatch,
  signal: AbortSignal,
  options: ReadOptions = {},
): Promise<void> {
  await Promise.all(sources.map((source) => keepReading(source, positions, onBatch, signal, options)));
}

async function keepReading(
  source: MailSource,
  positions: Positions,
  onBatch: OnBatch,
  signal: AbortSignal,
  { onTrouble = () => {}, wait = waitMs }: ReadOptions,
): Promise<void> {
  let retryMs = LEAST_MS;
  while (!signal.aborted) {
    try {
      for await (const batch of source.read(await positions.of(source.id), signal)) {
        await hand(source.id, batch, onBatch, onTrouble);
        retryMs = LEAST_MS;
      }
      return;
    } catch (error) {
      // What a signal cut short is no failure.
      if (signal.aborted) return;
      const delayMs = error instanceof Problem ? PROBLEM_MS : retryMs;
      onTrouble(source.id, error, delayMs);
      await wait(delayMs, signal);
      retryMs = Math.min(retryMs * 2, MOST_MS);
    }
  }
}

/** A sender that waits is told; then the source goes on, because the sender will come again. */
async function hand(
  id: string,
  batch: MailBatch,
  onBatch: OnBatch,
  onTrouble: NonNullable<ReadOptions["onTrouble"]>,
): Promise<void> {
  if (!batch.answer) return onBatch(id, batch);
  try {
    await onBatch(id, batch);
  } catch (error) {
    batch.answer(false);
    onTrouble(id, error, 0);
    return;
  }
  batch.answer(true);
}

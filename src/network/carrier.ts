import { PassThrough, type Readable, type Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pace } from "./pace.ts";
import { writeTo } from "./write.ts";

/** One direction of a link: carries what one end says to the other, at the pace of all. */
export type Carrier = {
  /** Carries until the source ends, then ends the target. Rejects where either fails. */
  carry(source: Readable, target: Writable): Promise<void>;
  carriedBytes(): number;
};

/** What Node reads from a socket at once. */
const READ_BYTES = 65_536;

/** Bytes of one connection under way on a link with latency. */
const WINDOW_BYTES = 262_144;

/** A part of what was said, and when it is to arrive, by `performance.now`. */
type Piece = { bytes: Buffer; dueMs: number };

export function createCarrier(pace: Pace, latencyMs: number): Carrier {
  let carriedBytes = 0;

  async function put(source: Readable, send: (bytes: Buffer) => Promise<void> | null): Promise<void> {
    // The other direction goes on where this one ends: the iterator must not close the socket.
    const chunks: AsyncIterable<Buffer> = source.iterator({ destroyOnReturn: false });
    // Full reads in a row say that there was more to read all the time: this end was late, not the source.
    let wasFull = false;
    for await (const chunk of chunks) {
      for (let start = 0; start < chunk.length; start += pace.turnBytes) {
        const bytes = chunk.subarray(start, start + pace.turnBytes);
        await pace.take(bytes.length, wasFull && chunk.length >= READ_BYTES);
        carriedBytes += bytes.length;
        await send(bytes);
      }
      wasFull = chunk.length >= READ_BYTES;
    }
  }

  /** Between the two ends is a line, in which each piece stays for the latency. */
  async function carryLate(source: Readable, target: Writable): Promise<void> {
    const highWaterMark = Math.ceil(WINDOW_BYTES / pace.turnBytes);
    const line = new PassThrough({
      objectMode: true,
      writableHighWaterMark: 1,
      readableHighWaterMark: highWaterMark,
    });
    const filled = put(source, (bytes) =>
      writeTo(line, { bytes, dueMs: performance.now() + latencyMs }),
    ).then(
      () => line.end(),
      (error: unknown) => {
        line.destroy();
        throw error;
      },
    );
    await Promise.all([filled, deliver(line, target)]);
    target.end();
  }

  return {
    async carry(source, target) {
      if (latencyMs > 0) return carryLate(source, target);
      await put(source, (bytes) => writeTo(target, bytes));
      target.end();
    },
    carriedBytes: () => carriedBytes,
  };
}

async function deliver(line: AsyncIterable<Piece>, target: Writable): Promise<void> {
  for await (const { bytes, dueMs } of line) {
    const restMs = dueMs - performance.now();
    if (restMs > 0) await sleep(restMs);
    await writeTo(target, bytes);
  }
}

/** A token bucket: whoever wants to send waits for a turn, first come, first served. */
export type Pace = {
  /** Bytes that one turn may take at most: small enough that nobody waits long for another's turn. */
  readonly turnBytes: number;
  /**
   * Resolves when these bytes, `turnBytes` at most, may be sent. `late`: they waited to be asked for, because the
   * machine had other things to do; the link would have carried them meanwhile.
   */
  take(bytes: number, late?: boolean): Promise<void>;
};

/** Sending may run this far ahead of the rate: one timer then serves many turns. */
const AHEAD_MS = 2;
/** An idle bucket saves up this much at most: a pause for breath of sender or event loop is not lost time. */
const IDLE_CREDIT_MS = 20;
/** Where somebody waited, for a timer or to be read at all, that is made good up to this. */
const LATE_CREDIT_MS = 250;
/** A turn takes this long at most, within bounds; a power of two, so that what a socket reads at once splits evenly. */
const TURN_MS = 10;
const MINIMUM_TURN_BYTES = 4096;
const MAXIMUM_TURN_BYTES = 65_536;

/** A bucket that fills at a rate; null: everybody may send at once. Time is read from `performance.now`. */
export function createPace(bytesPerSecond: number | null): Pace {
  if (bytesPerSecond === null) return { turnBytes: MAXIMUM_TURN_BYTES, take: async () => {} };
  const bytesPerMs = bytesPerSecond / 1000;
  const waiting: { bytes: number; go: () => void }[] = [];
  /** When the bytes of all turns so far will have passed at the rate. */
  let passedAt = 0;
  let timer: NodeJS.Timeout | null = null;

  function serve(creditMs: number): void {
    const now = performance.now();
    passedAt = Math.max(passedAt, now - creditMs);
    while (passedAt - now <= AHEAD_MS) {
      const next = waiting.shift();
      if (next === undefined) return;
      passedAt += next.bytes / bytesPerMs;
      next.go();
    }
    if (waiting.length > 0) timer = setTimeout(wake, Math.ceil(passedAt - now));
  }

  function wake(): void {
    timer = null;
    serve(LATE_CREDIT_MS);
  }

  return {
    turnBytes: turnBytesAt(bytesPerMs),
    take(bytes, late = false) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ bytes, go: resolve });
      if (timer === null) serve(late ? LATE_CREDIT_MS : IDLE_CREDIT_MS);
      return promise;
    },
  };
}

function turnBytesAt(bytesPerMs: number): number {
  const bytes = 2 ** Math.floor(Math.log2(bytesPerMs * TURN_MS));
  return Math.min(MAXIMUM_TURN_BYTES, Math.max(MINIMUM_TURN_BYTES, bytes));
}

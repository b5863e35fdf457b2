import { setTimeout as sleep } from "node:timers/promises";

/** Waits so long, or until the signal. Tests give one of their own. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

export const waitMs: Wait = async (ms, signal) => {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    // The signal ends the wait; whoever waits looks at it.
  }
};

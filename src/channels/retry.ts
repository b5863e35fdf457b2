import { setTimeout as sleep } from "node:timers/promises";

/** Tries again while `transient` says so, with 1, 2, 4 and 8 s between. The last error is thrown as it came. */
export async function retry<T>(
  work: () => Promise<T>,
  options: { transient: (error: unknown) => boolean; attempts?: number; signal?: AbortSignal },
): Promise<T> {
  const attempts = options.attempts ?? 5;
  for (let attempt = 1; ; attempt += 1) {
    options.signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (attempt >= attempts || !options.transient(error)) throw error;
    }
    await sleep(1000 * 2 ** (attempt - 1), undefined, options.signal ? { signal: options.signal } : {});
  }
}

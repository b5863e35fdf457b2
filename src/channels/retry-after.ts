/** Where a forge that asks to slow down does not say for how long. */
const DEFAULT_MS = 60_000;
const LONGEST_MS = 3_600_000;

/**
 * How long a forge asks to be left alone, in milliseconds: by `retry-after`, else until its limit is counted anew, else a
 * minute. Both are counted from the answer's own `date`, as clocks differ.
 */
export function retryAfterMs(headers: Readonly<Record<string, unknown>>): number {
  const now = Date.parse(typeof headers["date"] === "string" ? headers["date"] : "") / 1_000;
  const seconds = Number(headers["retry-after"] ?? Number.NaN);
  const reset = Number(headers["x-ratelimit-reset"] ?? headers["ratelimit-reset"] ?? Number.NaN);
  const isSpent = Number(headers["x-ratelimit-remaining"] ?? headers["ratelimit-remaining"] ?? 0) === 0;
  const ms = 1_000 * (Number.isFinite(seconds) ? seconds : isSpent ? reset - now : Number.NaN);
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, LONGEST_MS) : DEFAULT_MS;
}

/** Median, least and greatest of some durations in milliseconds. */
export function spread(values: readonly number[]): { median: number; least: number; greatest: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median =
    sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
  return { median, least: sorted[0] ?? 0, greatest: sorted.at(-1) ?? 0 };
}

export function inWords(name: string, values: readonly number[]): string {
  const { median, least, greatest } = spread(values);
  const ms = (value: number) => (value < 100 ? value.toFixed(1) : value.toFixed(0));
  return `${name}: median ${ms(median)} ms (${ms(least)} to ${ms(greatest)}, n=${values.length})`;
}

export async function timed(task: () => unknown): Promise<number> {
  const startMs = performance.now();
  await task();
  return performance.now() - startMs;
}

/** Ratio of `a` to `b`, pair by pair, for measurements that were taken in turn. */
export function ratioInWords(name: string, a: readonly number[], b: readonly number[]): string {
  const { median, least, greatest } = spread(a.map((value, index) => value / (b[index] ?? Number.NaN)));
  return `${name}: ratio ${median.toFixed(3)} (${least.toFixed(3)} to ${greatest.toFixed(3)}, n=${a.length})`;
}

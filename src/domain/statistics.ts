/** Middle value; the mean of the two middle ones for an even count; null for none. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? null : (lower + upper) / 2;
}

/** Least and greatest value; null for none. */
export function range(values: readonly number[]): { least: number; greatest: number } | null {
  const [first] = values;
  if (first === undefined) return null;
  return {
    least: values.reduce((a, b) => Math.min(a, b), first),
    greatest: values.reduce((a, b) => Math.max(a, b), first),
  };
}

/** Fewer runs than this on either side say nothing about noise, so they decide nothing. */
export const MINIMUM_RUNS = 3;

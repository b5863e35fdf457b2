import { formatCount, formatDuration } from "../domain/quantities.ts";

/** Timed repeats of current and proposed, and of each other strategy. */
export type Repeats = { own: number; others: number };

/**
 * As many repeats as a time budget is expected to hold, at least one, and what is to be said of it. `expectedMs` tells
 * what a whole trial takes with so many; `images` are the names of those that it tries.
 */
export function fitRepeats(
  asked: Repeats,
  budgetMs: number | null,
  images: readonly string[],
  expectedMs: (repeats: Repeats) => number,
): { repeats: Repeats; notes: string[] } {
  if (budgetMs === null) return { repeats: asked, notes: [] };
  let repeats = asked;
  while (repeats.own > 1 && expectedMs(repeats) > budgetMs) {
    const own = repeats.own - 1;
    repeats = { own, others: Math.min(own, asked.others) };
  }
  const budget = formatDuration(budgetMs);
  const notes: string[] = [];
  if (repeats.own < asked.own) {
    const few = repeats.own === 1 ? "One repeat" : `${repeats.own} repeats`;
    notes.push(`${few} instead of ${asked.own}, for a time budget of ${budget}.`);
  }
  const leastMs = expectedMs(repeats);
  if (leastMs > budgetMs) {
    const what = images.length === 1 ? `${images[0]} alone is` : `The ${images.length} images are`;
    notes.push(
      `${what} expected to take ${formatDuration(leastMs)} with ${formatCount(repeats.own, "repeat")}: the time budget of ${budget} will not be kept.`,
    );
  }
  return { repeats, notes };
}

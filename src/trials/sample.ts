import { formatDuration } from "../domain/quantities.ts";

/** An image that could be tried: its final base image, and what it is expected to take. */
export type Candidate<T> = { item: T; name: string; base: string | null; bytes: number; expectedMs: number };

export type Sample<T> = { chosen: T[]; reason: string };

/**
 * Images that fit a time budget: from each base image one of middle size first, the base with the most images before
 * the others; then the largest and the smallest of each, up to `most`. The first is taken even where it does not fit.
 */
export function sampleWithin<T>(
  candidates: readonly Candidate<T>[],
  budgetMs: number,
  most: number = candidates.length,
): Sample<T> {
  const groups = [...Map.groupBy(candidates, ({ base }) => base ?? "scratch")]
    .map(([base, members]) => ({ base, queue: byInterest(members) }))
    .toSorted((a, b) => b.queue.length - a.queue.length || (a.base < b.base ? -1 : 1));
  const order: Candidate<T>[] = [];
  for (let round = 0; order.length < candidates.length; round++) {
    order.push(...groups.flatMap(({ queue }) => queue.slice(round, round + 1)));
  }
  const chosen: Candidate<T>[] = [];
  let spentMs = 0;
  for (const candidate of order) {
    if (chosen.length >= most) break;
    if (chosen.length > 0 && spentMs + candidate.expectedMs > budgetMs) continue;
    chosen.push(candidate);
    spentMs += candidate.expectedMs;
  }
  const items = candidates.filter((candidate) => chosen.includes(candidate)).map(({ item }) => item);
  return { chosen: items, reason: reasonOf(candidates, chosen, budgetMs) };
}

/** The one of middle size, then largest, smallest, and the rest by size. */
function byInterest<T>(members: readonly Candidate<T>[]): Candidate<T>[] {
  const sorted = members.toSorted((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1));
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  const order = [middle, sorted[0], sorted.at(-1), ...sorted];
  return [...new Set(order)].filter((member) => member !== undefined);
}

function reasonOf<T>(
  candidates: readonly Candidate<T>[],
  chosen: readonly Candidate<T>[],
  budgetMs: number,
): string {
  if (chosen.length === candidates.length) {
    return candidates.length === 1
      ? "the only image that the change touches and this machine can build"
      : `all ${candidates.length} images that the change touches and this machine can build`;
  }
  const bases = new Set(chosen.map(({ base }) => base)).size;
  const allBases = new Set(candidates.map(({ base }) => base)).size;
  return `a sample of ${chosen.length} of ${candidates.length} images by base and size (${bases} of ${allBases} base images), for a time budget of ${formatDuration(budgetMs)}`;
}

/** The known key that was probably meant: at most two letters off, and fewer than half of them. Null where none is. */
export function nearestKey(written: string, known: readonly string[]): string | null {
  const folded = fold(written);
  let best: { key: string; distance: number } | null = null;
  for (const key of known) {
    const distance = editDistance(folded, fold(key));
    const close = distance <= 2 && distance * 2 < Math.max(folded.length, 2);
    if (close && (best === null || distance < best.distance)) best = { key, distance };
  }
  return best?.key ?? null;
}

/** `reply_to`, `reply-to` and `replyTo` are one key to a reader. A long one is no slip of a known key. */
function fold(key: string): string {
  return key.slice(0, 64).toLowerCase().replaceAll(/[-_]/gu, "");
}

/** Letters to insert, remove or replace (Levenshtein). */
function editDistance(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const replaced = (above[column - 1] ?? 0) + (one[row - 1] === other[column - 1] ? 0 : 1);
      line.push(Math.min(replaced, (above[column] ?? 0) + 1, (line[column - 1] ?? 0) + 1));
    }
    above = line;
  }
  return above[other.length] ?? 0;
}

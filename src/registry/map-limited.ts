/** Requests under way at once: enough to hide a round trip, few enough to be polite. */
const CONCURRENCY = 16;

/** Runs `task` over `items`, at most 16 at a time; results in order. The first failure ends it: nothing more is begun. */
export async function mapLimited<T, R>(
  items: readonly T[],
  task: (item: T) => Promise<R>,
): Promise<Awaited<R>[]> {
  const results: Awaited<R>[] = [];
  let next = 0;
  let failed = false;
  const worker = async () => {
    while (next < items.length && !failed) {
      const index = next++;
      try {
        results[index] = await task(items[index] as T);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker));
  return results;
}

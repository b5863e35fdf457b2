/** Delivery ids that were taken in, the oldest forgotten first. */
export type SeenDeliveries = {
  /** False if the id is known already. */
  add(id: string): boolean;
  /** Lets a later redelivery through, because the work failed. */
  forget(id: string): void;
};

/** Remembers the last `limit` ids in memory. */
export function createSeenDeliveries(limit = 10_000): SeenDeliveries {
  const ids = new Set<string>();
  return {
    add(id) {
      if (ids.has(id)) return false;
      ids.add(id);
      const oldest = ids.values().next();
      if (ids.size > limit && !oldest.done) ids.delete(oldest.value);
      return true;
    },
    forget(id) {
      ids.delete(id);
    },
  };
}

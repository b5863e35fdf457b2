/** Answers of a forge that asking again does not change: no payment, no right, no such thing, not valid, not lawful. */
export const FINAL_STATUSES: ReadonlySet<number> = new Set([402, 403, 404, 410, 422, 451]);

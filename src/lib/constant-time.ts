import { createHash, timingSafeEqual } from "node:crypto";

/** Compares in a time that tells nothing of the expected value, not even its length. */
export function equalInConstantTime(given: string | Uint8Array, expected: string | Uint8Array): boolean {
  const digest = (value: string | Uint8Array): Buffer => createHash("sha256").update(value).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

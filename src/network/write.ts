import type { Writable } from "node:stream";

/** Writes; where the target wants no more for now, waits until it does. Rejects where it closes before. */
export function writeTo(target: Writable, value: unknown): Promise<void> | null {
  if (target.destroyed) return Promise.reject(new Error("the other end is closed"));
  if (target.write(value)) return null;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const settle = () => {
    target.off("drain", settle).off("close", settle);
    if (target.destroyed) reject(new Error("the other end was closed"));
    else resolve();
  };
  target.on("drain", settle).on("close", settle);
  return promise;
}

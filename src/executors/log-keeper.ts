import type { LogLine } from "../domain/job.ts";

/** How much is kept behind the cut: the last lines tell why a build ended. */
export const TAIL_BYTES = 4_096;

/** Lines up to a number of bytes; beyond it only the last ones are kept, and the cut is said once. */
export type LogKeeper = {
  keep(entry: LogLine): void;
  /** Cuts here, whatever the number of bytes, unless it was cut before. */
  cut(atMs: number): void;
  isCut(): boolean;
  lines(): LogLine[];
};

export function createLogKeeper(maxBytes: number): LogKeeper {
  const head: LogLine[] = [];
  const tail: LogLine[] = [];
  let bytes = 0;
  let tailBytes = 0;
  let cutAt: number | null = null;
  const cut = (atMs: number, at: number) => {
    if (cutAt !== null) return;
    cutAt = at;
    const line = `[log cut at ${at} bytes; only its last lines follow]`;
    head.push({ atMs, stream: "stderr", line });
  };
  return {
    cut: (atMs) => cut(atMs, bytes),
    keep(entry) {
      if (cutAt === null && bytes + entry.line.length + 1 <= maxBytes) {
        bytes += entry.line.length + 1;
        head.push(entry);
        return;
      }
      cut(entry.atMs, maxBytes);
      const line = entry.line.slice(1 - TAIL_BYTES);
      tail.push({ ...entry, line });
      tailBytes += line.length + 1;
      while (tailBytes > TAIL_BYTES) tailBytes -= (tail.shift()?.line.length ?? 0) + 1;
    },
    isCut: () => cutAt !== null,
    lines: () => [...head, ...tail],
  };
}

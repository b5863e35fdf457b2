import type { LogLine } from "../domain/job.ts";

/** How much is kept behind the cut: the last lines tell why a build ended. */
export const TAIL_BYTES = 4_096;

/** Lines up to a number of bytes; beyond it only the last ones are kept, and the cut is said once. */
export type LogKeeper = { keep(entry: LogLine): void; isCut(): boolean; lines(): LogLine[] };

export function createLogKeeper(maxBytes: number): LogKeeper {
  const head: LogLine[] = [];
  const tail: LogLine[] = [];
  let bytes = 0;
  let tailBytes = 0;
  return {
    keep(entry) {
      const before = bytes;
      bytes += entry.line.length + 1;
      if (bytes <= maxBytes) {
        head.push(entry);
        return;
      }
      if (before <= maxBytes) {
        const said = `[log cut at ${maxBytes} bytes; only its last lines follow]`;
        head.push({ atMs: entry.atMs, stream: "stderr", line: said });
      }
      const line = entry.line.slice(1 - TAIL_BYTES);
      tail.push({ ...entry, line });
      tailBytes += line.length + 1;
      while (tailBytes > TAIL_BYTES) tailBytes -= (tail.shift()?.line.length ?? 0) + 1;
    },
    isCut: () => bytes > maxBytes,
    lines: () => [...head, ...tail],
  };
}

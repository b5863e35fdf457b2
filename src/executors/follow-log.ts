import type Docker from "dockerode";
import type { LogLine } from "../domain/job.ts";
import { errorText } from "../lib/error-text.ts";
import { demultiplex } from "./exec.ts";
import { createLogKeeper } from "./log-keeper.ts";
import { readLine, readTimestamped } from "./log-lines.ts";

/** How long the last lines of a container that has ended are waited for. */
const LAST_LINES_MS = 15_000;

/** Last lines that are asked for where the log was cut. */
const TAIL_LINES = 100;

/**
 * Lines of a running container's log, up to a number of bytes and to the end of `ended`. It is read while it is written:
 * an engine keeps no more of a log than it is told to, and throws the first lines away. A flood is not read to its end,
 * which comes long after the container's: its last lines are asked for by themselves.
 */
export async function followLog(
  container: Docker.Container,
  originMs: number,
  maxBytes: number,
  ended: Promise<unknown>,
): Promise<LogLine[]> {
  const stream = await container.logs({ stdout: true, stderr: true, timestamps: true, follow: true });
  const kept = createLogKeeper(maxBytes);
  let lastMs = -Infinity;
  let whole = false;
  const read = demultiplex(stream, (name, payload) => {
    const entry = readLine(name, payload, originMs);
    kept.keep(entry);
    lastMs = entry.atMs;
    return !kept.isCut();
  }).catch((error: unknown) => {
    // The job goes on without its log: how it ends is told by the container.
    kept.keep({ atMs: Math.max(lastMs, 0), stream: "stderr", line: `[log broken off: ${errorText(error)}]` });
  });
  const readWhole = (async () => {
    await read;
    whole = true;
  })();
  await ended;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, LAST_LINES_MS);
  await Promise.race([readWhole, promise]);
  clearTimeout(timer);
  // An engine that is slow to hand out a flood would lose the rest of it unsaid.
  if (!whole) kept.cut(Math.max(lastMs, 0));
  if (kept.isCut()) {
    const tail = { stdout: true, stderr: true, timestamps: true, follow: false, tail: TAIL_LINES } as const;
    const last = readTimestamped(await container.logs(tail), originMs);
    for (const entry of last) if (entry.atMs > lastMs) kept.keep(entry);
  }
  return kept.lines();
}

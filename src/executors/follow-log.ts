import type Docker from "dockerode";
import type { LogLine } from "../domain/job.ts";
import { demultiplex } from "./exec.ts";
import { createLogKeeper } from "./log-keeper.ts";
import { readLine } from "./log-lines.ts";

/** How long the last lines of a container that has ended are waited for. */
const LAST_LINES_MS = 5_000;

/**
 * Lines of a running container's log, up to a number of bytes and to the end of `ended`. It is read while it is written:
 * an engine keeps no more of a log than it is told to, and throws the first lines away.
 */
export async function followLog(
  container: Docker.Container,
  originMs: number,
  maxBytes: number,
  ended: Promise<unknown>,
): Promise<LogLine[]> {
  const stream = await container.logs({ stdout: true, stderr: true, timestamps: true, follow: true });
  const kept = createLogKeeper(maxBytes);
  const read = demultiplex(stream, (name, payload) => kept.keep(readLine(name, payload, originMs)));
  await ended;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, LAST_LINES_MS);
  await Promise.race([read, promise]);
  clearTimeout(timer);
  return kept.lines();
}

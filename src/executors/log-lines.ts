import type { LogLine } from "../domain/job.ts";
import { createLogKeeper, TAIL_BYTES } from "./log-keeper.ts";

/** Collects lines of two streams up to a number of bytes; beyond it only the last lines are kept, and the cut is said. */
export type LineCollector = {
  write(stream: LogLine["stream"], chunk: Buffer, atMs: number): void;
  end(atMs: number): LogLine[];
};

export function collectLines(maxBytes: number): LineCollector {
  const kept = createLogKeeper(maxBytes);
  const longest = Math.max(maxBytes, TAIL_BYTES);
  const open = { stdout: "", stderr: "" };
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  return {
    write(stream, chunk, atMs) {
      const parts = (open[stream] + decoders[stream].decode(chunk, { stream: true })).split("\n");
      // A line without an end could be the flood itself.
      open[stream] = (parts.pop() ?? "").slice(-longest);
      for (const line of parts) kept.keep({ atMs, stream, line: line.replace(/\r$/, "") });
    },
    end(atMs) {
      for (const stream of ["stdout", "stderr"] as const) {
        if (open[stream] !== "") kept.keep({ atMs, stream, line: open[stream] });
        open[stream] = "";
      }
      return kept.lines();
    },
  };
}

/** Bytes before each frame: its stream and its length. */
export const FRAME_HEADER = 8;

/** Splits the engine's multiplexed log (8 byte header: stream, length) into frames; a rest that is cut off is left out. */
export function* framesOf(buffer: Buffer): Generator<{ stream: LogLine["stream"]; payload: Buffer }> {
  let offset = 0;
  while (offset + FRAME_HEADER <= buffer.length) {
    const length = buffer.readUInt32BE(offset + 4);
    if (offset + FRAME_HEADER + length > buffer.length) return;
    const stream = buffer[offset] === 2 ? "stderr" : "stdout";
    const start = offset + FRAME_HEADER;
    yield { stream, payload: buffer.subarray(start, start + length) };
    offset = start + length;
  }
}

/** Lines of a log that was asked for with timestamps, `atMs` relative to `originMs` of the engine's clock. */
export function readTimestamped(buffer: Buffer, originMs: number): LogLine[] {
  return [...framesOf(buffer)].map(({ stream, payload }) => readLine(stream, payload, originMs));
}

/** One line with its time in front. */
export function readLine(stream: LogLine["stream"], payload: Buffer, originMs: number): LogLine {
  const text = payload.toString("utf8").replace(/\r?\n$/, "");
  const space = text.indexOf(" ");
  const atMs = parseNanoseconds(text.slice(0, space)) - originMs;
  return { atMs, stream, line: text.slice(space + 1) };
}

/** Milliseconds since the epoch of an RFC 3339 time with nanoseconds, which Date cuts at three digits. */
export function parseNanoseconds(text: string): number {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? "0";
  const whole = Date.parse(text.replace(/\.\d+/, ""));
  return whole + Number(`0.${fraction}`) * 1000;
}

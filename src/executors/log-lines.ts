import type { LogLine } from "../domain/job.ts";

/** Collects lines of two streams up to a number of bytes; what is beyond is dropped and said so once. */
export type LineCollector = {
  write(stream: LogLine["stream"], chunk: Buffer, atMs: number): void;
  end(atMs: number): LogLine[];
};

export function collectLines(maxBytes: number): LineCollector {
  const lines: LogLine[] = [];
  const open = { stdout: "", stderr: "" };
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  let bytes = 0;
  let full = false;
  return {
    write(stream, chunk, atMs) {
      if (full) return;
      const kept = chunk.subarray(0, maxBytes - bytes);
      bytes += chunk.length;
      const parts = (open[stream] + decoders[stream].decode(kept, { stream: true })).split("\n");
      open[stream] = parts.pop() ?? "";
      for (const line of parts) lines.push({ atMs, stream, line: line.replace(/\r$/, "") });
      full = bytes > maxBytes;
      if (!full) return;
      // A line that is cut within is no line.
      Object.assign(open, { stdout: "", stderr: "" });
      lines.push({ atMs, stream: "stderr", line: `[log cut at ${maxBytes} bytes]` });
    },
    end(atMs) {
      for (const stream of ["stdout", "stderr"] as const) {
        if (open[stream] !== "") lines.push({ atMs, stream, line: open[stream] });
        open[stream] = "";
      }
      return lines;
    },
  };
}

/** Splits the engine's multiplexed log (8 byte header: stream, length) into frames; a rest that is cut off is left out. */
export function* framesOf(buffer: Buffer): Generator<{ stream: LogLine["stream"]; payload: Buffer }> {
  let offset = 0;
  while (offset + 8 <= buffer.length) {
    const length = buffer.readUInt32BE(offset + 4);
    if (offset + 8 + length > buffer.length) return;
    const stream = buffer[offset] === 2 ? "stderr" : "stdout";
    yield { stream, payload: buffer.subarray(offset + 8, offset + 8 + length) };
    offset += 8 + length;
  }
}

/** Lines of a log that was asked for with timestamps, `atMs` relative to `originMs` of the engine's clock. */
export function readTimestamped(buffer: Buffer, originMs: number): LogLine[] {
  const lines: LogLine[] = [];
  for (const { stream, payload } of framesOf(buffer)) {
    const text = payload.toString("utf8").replace(/\r?\n$/, "");
    const space = text.indexOf(" ");
    const atMs = parseNanoseconds(text.slice(0, space)) - originMs;
    lines.push({ atMs, stream, line: text.slice(space + 1) });
  }
  return lines;
}

/** Milliseconds since the epoch of an RFC 3339 time with nanoseconds, which Date cuts at three digits. */
export function parseNanoseconds(text: string): number {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? "0";
  const whole = Date.parse(text.replace(/\.\d+/, ""));
  return whole + Number(`0.${fraction}`) * 1000;
}

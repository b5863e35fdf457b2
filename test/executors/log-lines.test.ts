import { describe, expect, it } from "vitest";
import { collectLines, framesOf, parseNanoseconds, readTimestamped } from "../../src/executors/log-lines.ts";

function frame(stream: 1 | 2, text: string): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

describe("lines that are collected as they come", () => {
  it("are put together from pieces, each stream by itself, with the time of their end", () => {
    const lines = collectLines(1_000);
    lines.write("stdout", Buffer.from("one\r\nt"), 1);
    lines.write("stderr", Buffer.from("wrong"), 2);
    lines.write("stdout", Buffer.from("wo\n\n"), 3);
    lines.write("stdout", Buffer.from("rest"), 4);
    expect(lines.end(9)).toStrictEqual([
      { atMs: 1, stream: "stdout", line: "one" },
      { atMs: 3, stream: "stdout", line: "two" },
      { atMs: 3, stream: "stdout", line: "" },
      { atMs: 9, stream: "stdout", line: "rest" },
      { atMs: 9, stream: "stderr", line: "wrong" },
    ]);
  });

  it("survive a letter that is cut between two pieces", () => {
    const lines = collectLines(1_000);
    const bytes = Buffer.from("größe\n");
    lines.write("stdout", bytes.subarray(0, 3), 1);
    lines.write("stdout", bytes.subarray(3), 2);
    expect(lines.end(3)).toStrictEqual([{ atMs: 2, stream: "stdout", line: "größe" }]);
  });

  it("are the first ones up to the limit, then the last ones; the cut is said once", () => {
    const lines = collectLines(10);
    lines.write("stdout", Buffer.from("12345\n"), 1);
    for (let index = 0; index < 1_000; index++) lines.write("stdout", Buffer.from("123456789\n"), 2);
    lines.write("stderr", Buffer.from("last words"), 3);
    const ended = lines.end(4);
    expect(ended.slice(0, 3)).toStrictEqual([
      { atMs: 1, stream: "stdout", line: "12345" },
      { atMs: 2, stream: "stderr", line: "[log cut at 10 bytes; only its last lines follow]" },
      { atMs: 2, stream: "stdout", line: "123456789" },
    ]);
    // The last lines that fit into 4096 bytes.
    expect(ended.length).toBe(2 + 408 + 1);
    expect(ended.at(-1)).toStrictEqual({ atMs: 4, stream: "stderr", line: "last words" });
  });

  it("are short, too, where the flood is one line without an end", () => {
    const lines = collectLines(10_000);
    for (let index = 0; index < 100; index++) lines.write("stdout", Buffer.from("x".repeat(1_000)), 1);
    expect(lines.end(2).map(({ line }) => line)).toStrictEqual([
      "[log cut at 10000 bytes; only its last lines follow]",
      "x".repeat(4_095),
    ]);
  });
});

describe("frames of an engine's log", () => {
  it("are split by their headers; empty ones count", () => {
    const log = Buffer.concat([frame(1, "out\n"), frame(2, "err\n"), frame(1, "")]);
    expect([...framesOf(log)].map(({ stream, payload }) => [stream, payload.toString()])).toStrictEqual([
      ["stdout", "out\n"],
      ["stderr", "err\n"],
      ["stdout", ""],
    ]);
  });

  it("leave out a rest that is cut off, in its header or in its text", () => {
    const whole = frame(1, "one\n");
    for (const rest of [frame(1, "two\n").subarray(0, 5), frame(1, "two\n").subarray(0, 10)]) {
      const frames = [...framesOf(Buffer.concat([whole, rest]))];
      expect(frames.map(({ payload }) => payload.toString())).toStrictEqual(["one\n"]);
    }
    expect([...framesOf(Buffer.alloc(0))]).toStrictEqual([]);
  });
});

describe("a log with timestamps", () => {
  it("has its lines with milliseconds since the origin, parts of them included", () => {
    const log = Buffer.concat([
      frame(1, "2026-11-24T00:00:01.000250000Z first line\n"),
      frame(2, "2026-11-24T00:00:02.5Z  indented\r\n"),
      frame(1, "2026-11-24T00:00:03Z \n"),
    ]);
    const lines = readTimestamped(log, Date.parse("2026-11-24T00:00:01Z"));
    expect(lines.map(({ stream, line }) => [stream, line])).toStrictEqual([
      ["stdout", "first line"],
      ["stderr", " indented"],
      ["stdout", ""],
    ]);
    expect(lines[0]?.atMs).toBeCloseTo(0.25, 3);
    expect(lines[1]?.atMs).toBe(1_500);
    expect(lines[2]?.atMs).toBe(2_000);
  });

  it("keeps nanoseconds that a Date would cut", () => {
    expect(parseNanoseconds("1970-01-01T00:00:00.123456789Z")).toBeCloseTo(123.456789, 9);
    expect(parseNanoseconds("1970-01-01T00:00:01Z")).toBe(1_000);
    expect(parseNanoseconds("1970-01-01T01:00:00.5+01:00")).toBe(500);
  });
});

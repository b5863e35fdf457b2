import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { parseLink } from "../../src/network/link-rate.ts";
import { createLink } from "../../src/network/link.ts";
import { dial, serveTcp } from "../network/sockets.ts";

const SECONDS = 5;

/** Seconds that all bytes take over a link of this rate, shared by so many connections. */
async function measure(bytesPerSecond: number, connections: number): Promise<number> {
  const each = Math.round((bytesPerSecond * SECONDS) / connections);
  const server = await serveTcp((socket) => pour(socket, each));
  const link = await createLink({ targetHost: server.host, bytesPerSecond });
  const startMs = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = await dial(link.host);
      await once(socket.resume(), "end");
      socket.end();
    }),
  );
  const seconds = (performance.now() - startMs) / 1000;
  expect(link.pulledBytes()).toBe(each * connections);
  await link.close();
  server.close();
  return seconds;
}

function pour(socket: Socket, bytes: number): void {
  const chunk = Buffer.alloc(262_144);
  let left = bytes;
  const go = () => {
    while (left > 0) {
      const part = chunk.subarray(0, Math.min(left, chunk.length));
      left -= part.length;
      if (!socket.write(part)) return;
    }
    socket.end();
  };
  socket.on("drain", go);
  go();
}

describe("a link keeps its rate over 5 s within 3 %", () => {
  // Slow ones leave the machine idle: two at a time.
  it.concurrent.each([
    ["10mbit", 1],
    ["10mbit", 4],
    ["100mbit", 1],
    ["100mbit", 4],
  ])("%s, connections: %d", keepsRate);

  it.each([
    ["1gbit", 1],
    ["1gbit", 4],
  ])("%s, connections: %d", keepsRate);
});

async function keepsRate(text: string, connections: number): Promise<void> {
  const { bytesPerSecond } = parseLink(text);
  let seconds = Number.POSITIVE_INFINITY;
  // Other programs of the machine can make it slower, and nothing may make it faster: the best of three counts.
  for (let attempt = 0; attempt < 3 && seconds > SECONDS * 1.03; attempt++) {
    seconds = await measure(bytesPerSecond ?? 0, connections);
    expect(seconds).toBeGreaterThan(SECONDS * 0.97);
  }
  expect(seconds).toBeLessThan(SECONDS * 1.03);
}

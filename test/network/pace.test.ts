import { describe, expect, it } from "vitest";
import { createPace } from "../../src/network/pace.ts";

describe("a pace", () => {
  it.each([
    [12_500, 4096],
    [1_250_000, 8192],
    [12_500_000, 65_536],
    [125_000_000, 65_536],
  ])("of %d bytes per second gives turns of %d bytes", (bytesPerSecond, turnBytes) => {
    expect(createPace(bytesPerSecond).turnBytes).toBe(turnBytes);
  });

  it("lets the first through at once, and the rest at the rate", async () => {
    const pace = createPace(1_000_000);
    const startMs = performance.now();
    const atMs: number[] = [];
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        await pace.take(10_000);
        atMs.push(performance.now() - startMs);
      }),
    );
    // 500 kB at 1 MB/s, less what an idle bucket has saved up (20 ms) and may send ahead (2 ms, and one turn of 10 ms).
    expect(atMs[0]).toBeLessThan(30);
    expect(atMs.at(-1)).toBeGreaterThan(460);
    expect(atMs.at(-1)).toBeLessThan(1000);
  });

  it("serves in the order of asking", async () => {
    const pace = createPace(1_000_000);
    const order: number[] = [];
    await Promise.all(
      [0, 1, 2, 3, 4, 5].map(async (number) => {
        await pace.take(8192);
        order.push(number);
      }),
    );
    expect(order).toStrictEqual([0, 1, 2, 3, 4, 5]);
  });

  it("saves up 20 ms while nobody sends, and no more", async () => {
    const pace = createPace(1_000_000);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const startMs = performance.now();
    for (let turn = 0; turn < 20; turn++) await pace.take(10_000);
    expect(performance.now() - startMs).toBeGreaterThan(160);
  });

  it("makes up to 250 ms good to those who were late", async () => {
    const pace = createPace(1_000_000);
    await pace.take(10_000);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const startMs = performance.now();
    for (let turn = 0; turn < 35; turn++) await pace.take(10_000, true);
    expect(performance.now() - startMs).toBeGreaterThan(60);
    expect(performance.now() - startMs).toBeLessThan(250);
  });

  it("without a rate makes nobody wait", async () => {
    const pace = createPace(null);
    const startMs = performance.now();
    for (let turn = 0; turn < 1000; turn++) await pace.take(65_536);
    expect(performance.now() - startMs).toBeLessThan(400);
  });
});

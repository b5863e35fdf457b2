import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatByteDifference,
  formatBytes,
  formatDuration,
  formatExactBytes,
  formatMemory,
  formatPercent,
} from "../../src/domain/quantities.ts";

describe("bytes", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.00 kB"],
    [2_984, "2.98 kB"],
    [984_200, "984.2 kB"],
    [999_949, "999.9 kB"],
    [999_950, "1.00 MB"],
    [16_825_269, "16.83 MB"],
    [99_996_000, "100.0 MB"],
    [350_400_000, "350.4 MB"],
    [1_658_203_566, "1,658 MB"],
    [99_999_400_000, "99,999 MB"],
    [123_400_000_000, "123.4 GB"],
    [5_123_400_000_000, "5,123 GB"],
    [-2_984, "-2.98 kB"],
  ])("%d is %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it("give every difference its sign", () => {
    expect(formatByteDifference(0)).toBe("+0 B");
    expect(formatByteDifference(2_984)).toBe("+2.98 kB");
    expect(formatByteDifference(-1_658_203_566)).toBe("-1,658 MB");
    expect(formatExactBytes(16_825_269)).toBe("16,825,269 B");
    expect(formatExactBytes(-1_000)).toBe("-1,000 B");
  });

  it("are within half a percent of the truth and never longer than nine characters below 100 TB", () => {
    const factors: Record<string, number> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99_999e9 }), (bytes) => {
        const [digits = "", unit = ""] = formatBytes(bytes).split(" ");
        const shown = Number(digits.replaceAll(",", "")) * (factors[unit] ?? Number.NaN);
        expect(Math.abs(shown - bytes) / bytes).toBeLessThanOrEqual(0.005);
        expect(formatBytes(bytes).length).toBeLessThanOrEqual(9);
      }),
    );
  });
});

describe("durations, memory, percentages", () => {
  it.each([
    [0, "0.0 s"],
    [3_100, "3.1 s"],
    [59_949, "59.9 s"],
    [59_950, "1 m 00 s"],
    [724_000, "12 m 04 s"],
    [3_599_500, "1 h 00 m"],
    [3_720_000, "1 h 02 m"],
  ])("%d ms is %s", (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });

  it.each([
    [412 * 2 ** 20, "412 MiB"],
    [8 * 2 ** 30, "8 GiB"],
    [10_222_022_656, "9.52 GiB"],
    [2 ** 30 - 1, "1.00 GiB"],
  ])("%d bytes of memory are %s", (bytes, text) => {
    expect(formatMemory(bytes)).toBe(text);
  });

  it("relates to the current figure, with a sign", () => {
    expect(formatPercent(11_072_102, 13_073_292)).toBe("+18.1 %");
    expect(formatPercent(3_100, 1_900, 0)).toBe("-39 %");
    expect(formatPercent(5, 5)).toBe("+0.0 %");
    expect(formatPercent(1, 1_001)).toBe("+100,000.0 %");
    expect(formatPercent(0, 7)).toBeNull();
  });
});

import { describe, expect, it } from "vitest";
import { Problem } from "../../src/domain/problem.ts";
import { parseLink } from "../../src/network/link-rate.ts";

describe("a rate of the link", () => {
  it.each([
    ["100mbit", 12_500_000, "100 Mbit/s"],
    ["1gbit", 125_000_000, "1 Gbit/s"],
    ["1000mbit", 125_000_000, "1 Gbit/s"],
    ["12.5MB/s", 12_500_000, "100 Mbit/s"],
    ["100 Mbit/s", 12_500_000, "100 Mbit/s"],
    [" 2.5Gbit ", 312_500_000, "2.5 Gbit/s"],
    ["100kbit", 12_500, "100 kbit/s"],
    ["999.5kbit/s", 124_937.5, "999.5 kbit/s"],
    ["1GB/s", 1_000_000_000, "8 Gbit/s"],
    ["40gbit", 5_000_000_000, "40 Gbit/s"],
  ])("%j is %d bytes per second, called %j", (text, bytesPerSecond, canonical) => {
    expect(parseLink(text)).toStrictEqual({ bytesPerSecond, text: canonical });
  });

  it("may be none", () => {
    expect(parseLink("Unlimited")).toStrictEqual({ bytesPerSecond: null, text: "unlimited" });
  });

  it("reads its own canonical texts", () => {
    for (const text of ["100 kbit/s", "12.345 Mbit/s", "1.5 Gbit/s", "unlimited"]) {
      expect(parseLink(text).text).toBe(text);
    }
  });

  it.each([
    "",
    "100",
    "100 m",
    "mbit",
    "-100mbit",
    "1e3mbit",
    "1,000mbit",
    "100mib",
    "100mbit/h",
    "0mbit",
    "99kbit",
    "41gbit",
    "unlimited mbit",
    "9".repeat(400) + "gbit",
  ])("%j is refused with what to write instead", (text) => {
    let thrown: unknown = null;
    try {
      parseLink(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Problem);
    expect(thrown).toMatchObject({
      code: "arguments",
      message: `${JSON.stringify(text.slice(0, 40))} is no rate of a link.`,
      remedy: "Write it like 100mbit, 1gbit or 12.5MB/s (100 kbit/s to 40 Gbit/s), or unlimited.",
    });
  });
});

import { Problem } from "../domain/problem.ts";

/** A configured rate: what the link is held to, and how reports call it. */
export type LinkRate = {
  /** Bytes per second and direction; null: nothing slows the link. */
  bytesPerSecond: number | null;
  /** One spelling for equal rates: `100 Mbit/s`, `1 Gbit/s`, `unlimited`. */
  text: string;
};

const BITS_PER_UNIT: Readonly<Record<string, number>> = {
  kbit: 1e3,
  mbit: 1e6,
  gbit: 1e9,
  kb: 8e3,
  mb: 8e6,
  gb: 8e9,
};

/** Below it, a base image would take hours; above it, a relay on loopback is the limit itself. */
const MINIMUM_BITS = 100e3;
const MAXIMUM_BITS = 40e9;

/**
 * Reads a rate: `100mbit`, `1gbit`, `12.5MB/s` (decimal units; `b` after the prefix is bytes), or `unlimited`. Case,
 * blanks and `/s` do not matter. Problem arguments where it is none, or below 100 kbit/s or above 40 Gbit/s.
 */
export function parseLink(text: string): LinkRate {
  const word = text.trim().toLowerCase();
  if (word === "unlimited") return { bytesPerSecond: null, text: "unlimited" };
  const [, figure, unit = ""] = /^(\d+(?:\.\d+)?) ?([kmg](?:bit|b))(?:\/s)?$/.exec(word) ?? [];
  const bits = Number(figure) * (BITS_PER_UNIT[unit] ?? Number.NaN);
  if (!(bits >= MINIMUM_BITS && bits <= MAXIMUM_BITS)) {
    throw new Problem(
      "arguments",
      `${JSON.stringify(text.slice(0, 40))} is no rate of a link.`,
      "Write it like 100mbit, 1gbit or 12.5MB/s (100 kbit/s to 40 Gbit/s), or unlimited.",
    );
  }
  return { bytesPerSecond: bits / 8, text: formatLinkRate(bits / 8) };
}

/** A rate as reports call it, in bits: `100 kbit/s`, `100 Mbit/s`, `1 Gbit/s`. */
export function formatLinkRate(bytesPerSecond: number): string {
  const bits = bytesPerSecond * 8;
  if (bits < 1e6) return `${short(bits / 1e3)} kbit/s`;
  return bits < 1e9 ? `${short(bits / 1e6)} Mbit/s` : `${short(bits / 1e9)} Gbit/s`;
}

/** Three decimals at most, and none that says nothing. */
function short(value: number): string {
  return String(Number(value.toFixed(3)));
}

import { networkInterfaces } from "node:os";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isOwnAddress, isPublicAddress } from "../../src/network/public-address.ts";

/** Every kind of address that a job of others must not be led to. */
const CLOSED_V4 = [
  "0.0.0.0",
  "0.1.2.3",
  "10.0.0.1",
  "10.255.255.255",
  "100.64.0.1",
  "100.127.255.255",
  "127.0.0.1",
  "127.8.9.10",
  "169.254.0.1",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.1",
  "192.0.2.2",
  "192.168.0.1",
  "198.18.0.1",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
];

const OPEN_V4 = [
  "1.1.1.1",
  "9.9.9.9",
  "100.63.255.255",
  "100.128.0.0",
  "151.101.1.1",
  "172.15.0.1",
  "172.32.0.1",
];

const hex = (address: string) =>
  address
    .split(".")
    .map((part) => Number(part).toString(16).padStart(2, "0"))
    .join("")
    .replace(/^(.{4})/, "$1:");

describe("addresses of the public internet", () => {
  it.each(OPEN_V4)("have %s among them, mapped and behind NAT64 too", (address) => {
    expect(isPublicAddress(address)).toBe(true);
    expect(isPublicAddress(`::ffff:${address}`)).toBe(true);
    expect(isPublicAddress(`::ffff:${hex(address)}`)).toBe(true);
    expect(isPublicAddress(`64:ff9b::${hex(address)}`)).toBe(true);
  });

  it.each(CLOSED_V4)("do not have %s, in no spelling", (address) => {
    expect(isPublicAddress(address)).toBe(false);
    expect(isPublicAddress(`::ffff:${address}`)).toBe(false);
    expect(isPublicAddress(`::ffff:${hex(address)}`)).toBe(false);
    expect(isPublicAddress(`64:ff9b::${hex(address)}`)).toBe(false);
    // Compatible with IPv4, 6to4 and Teredo: tunnels that lead to an address within.
    expect(isPublicAddress(`::${address}`)).toBe(false);
    expect(isPublicAddress(`2002:${hex(address)}::1`)).toBe(false);
  });

  it.each([
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "fc00::1",
    "fd00::2",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "2001::1",
    "64:ff9b:1::1",
    "100::1",
    "::ffff:0:127.0.0.1",
    "4000::1",
  ])("do not have %s", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(["2606:4700:4700::1111", "2a00:1450::1"])("have %s", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it("have nothing that is no address", () => {
    fc.assert(fc.property(fc.string(), (text) => text.includes(".") || !isPublicAddress(`x${text}`)));
    expect(["", "localhost", "1.1.1.1.1", "1.1.1.1:80", "[::1]"].filter(isPublicAddress)).toStrictEqual([]);
  });

  it("are told by the address within, whatever it is mapped to", () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const plain = isPublicAddress(address);
        expect(isPublicAddress(`::ffff:${address}`)).toBe(plain);
        expect(isPublicAddress(`64:ff9b::${hex(address)}`)).toBe(plain);
      }),
    );
  });
});

describe("addresses of this machine", () => {
  it("are those of its interfaces, mapped too", () => {
    const own = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
    expect(own.length).toBeGreaterThan(0);
    for (const { address } of own) expect(isOwnAddress(address)).toBe(true);
    const mapped = own.filter(({ family }) => family === "IPv4").map(({ address }) => `::ffff:${address}`);
    for (const address of mapped) expect(isOwnAddress(address)).toBe(true);
    expect(isOwnAddress("1.1.1.1")).toBe(false);
    expect(isOwnAddress("")).toBe(false);
  });
});

import { describe, expect, it } from "vitest";
import {
  AddressRefused,
  allowAllButMachine,
  guardedLookup,
  refuseLiteral,
} from "../../src/network/addresses.ts";

describe("the rule for addresses where none is given", () => {
  it.each([
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "169.254.169.254",
    "::1",
    "::",
    "fe80::1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
  ])("refuses %s", (address) => {
    expect(allowAllButMachine("host.example", address)).toBe(false);
  });

  it.each([
    "203.0.113.80",
    "10.0.0.1",
    "192.168.1.1",
    "172.16.0.9",
    "2001:db8::1",
    "fd00::1",
    "::ffff:10.0.0.1",
  ])("allows %s, which may be a mirror of the site", (address) => {
    expect(allowAllButMachine("host.example", address)).toBe(true);
  });
});

describe("a host that is an address itself", () => {
  it.each(["127.0.0.1", "[::1]", "[fe80::1]", "169.254.1.1"])(
    "%s is refused before anything is connected",
    (host) => {
      expect(() => refuseLiteral(host, allowAllButMachine)).toThrow(new AddressRefused(host));
    },
  );

  it.each(["203.0.113.80", "[2001:db8::1]", "localhost", "host.example"])(
    "%s is not refused here",
    (host) => {
      expect(() => refuseLiteral(host, allowAllButMachine)).not.toThrow();
    },
  );
});

describe("a guarded look-up of names", () => {
  const look = (all: boolean, allow: (host: string, address: string) => boolean) => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    guardedLookup(allow)("localhost", { all, family: 4 }, (error, addresses, family) =>
      resolve(error === null ? [addresses, family] : error),
    );
    return promise;
  };

  it("gives what is allowed, in both forms", async () => {
    expect(await look(false, () => true)).toStrictEqual(["127.0.0.1", 4]);
    const [all] = (await look(true, () => true)) as [{ address: string; family: number }[]];
    expect(all).toContainEqual({ address: "127.0.0.1", family: 4 });
  });

  it("fails where nothing is allowed", async () => {
    expect(await look(false, allowAllButMachine)).toStrictEqual(new AddressRefused("localhost"));
    expect(await look(true, allowAllButMachine)).toStrictEqual(new AddressRefused("localhost"));
  });

  it("asks the rule with the name and each of its addresses", async () => {
    const asked: string[] = [];
    await look(true, (host, address) => asked.push(`${host} ${address}`) > 0);
    expect(asked).toContain("localhost 127.0.0.1");
  });
});

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Problem } from "../../src/domain/problem.ts";
import { canonicalHost, egressFault, parseEgress } from "../../src/network/egress-list.ts";

const list = parseEgress(["deb.example.org", "*.cdn.example", "mirror.example:8443", "intranet"]);

describe("a list of hosts", () => {
  it.each([
    ["deb.example.org", 80],
    ["deb.example.org", 443],
    ["DEB.Example.ORG.", 443],
    ["a.cdn.example", 443],
    ["a.b.cdn.example", 80],
    ["mirror.example", 8443],
    ["intranet", 80],
  ])("allows %s:%i", (host, port) => {
    expect(list.allows(host, port)).toBe(true);
    expect(list.knows(host)).toBe(true);
  });

  it.each([
    ["deb.example.org", 22],
    ["deb.example.org", 8443],
    ["mirror.example", 443],
    ["a.mirror.example", 8443],
    ["cdn.example", 443],
    ["evilcdn.example", 443],
    [".cdn.example", 443],
    ["a..cdn.example", 443],
    ["deb.example.org.evil.example", 443],
    ["evil.example/deb.example.org", 443],
    ["evil.example#.cdn.example", 443],
    ["evil.example\0.cdn.example", 443],
    ["a@b.cdn.example", 443],
    ["deb.example.org:443", 443],
    ["deb.example.org..", 443],
    ["127.0.0.1", 80],
    ["[::1]", 80],
    ["0x7f.1", 80],
    ["", 80],
  ])("does not allow %j:%i", (host, port) => {
    expect(list.allows(host, port)).toBe(false);
  });

  it("knows nothing where it is empty", () => {
    const empty = parseEgress([]);
    fc.assert(
      fc.property(fc.domain(), fc.nat(65_535), (host, port) => {
        expect(empty.allows(host, port)).toBe(false);
      }),
    );
  });

  it("allows exactly a host that it names, and below it exactly where that is asked for", () => {
    fc.assert(
      fc.property(fc.domain(), fc.domain(), (host, other) => {
        fc.pre(egressFault(host) === null && `a.${host}`.length < 200);
        const [exact, below] = [parseEgress([host]), parseEgress([`*.${host}`])];
        expect([exact.allows(host, 443), exact.allows(`a.${host}`, 443)]).toStrictEqual([true, false]);
        expect([below.allows(host, 443), below.allows(`a.${host}`, 443)]).toStrictEqual([false, true]);
        expect(below.allows(`a${host}`, 443)).toBe(false);
        expect(exact.knows(other)).toBe(canonicalHost(other) === canonicalHost(host));
      }),
    );
  });

  it("throws nothing at whatever host it is asked for", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (host) => {
        expect(list.allows(host, 443)).toBeTypeOf("boolean");
      }),
    );
  });

  it("is refused with all of its faults", () => {
    const texts = [
      "*",
      "10.0.0.1",
      "*.org",
      "a.example:0",
      "a.example:70000",
      "https://a.example",
      "ok.example",
    ];
    expect(() => parseEgress(texts)).toThrow(Problem);
    expect(texts.map((text) => egressFault(text) === null)).toStrictEqual([
      false,
      false,
      false,
      false,
      false,
      false,
      true,
    ]);
  });
});

import { decode, encode, type DecodedPacket, type Packet, type RecordType } from "dns-packet";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerName } from "../../src/network/gate-dns.ts";

const knows = (host: string) => host.toLowerCase() === "deb.example.org";

function asked(name: string, type: RecordType = "A", more: Partial<Packet> = {}) {
  const query = encode({
    type: "query",
    id: 7,
    flags: 256,
    questions: [{ type, name, class: "IN" }],
    ...more,
  });
  const answer = answerName(query, "198.18.0.1", knows);
  // The package's types leave out what its decoder adds.
  return answer === null ? null : (decode(answer) as DecodedPacket & { rcode: string });
}

describe("the names of a gate", () => {
  it("are its own address for a host that is listed", () => {
    const answer = asked("Deb.Example.org");
    expect(answer?.id).toBe(7);
    expect(answer?.rcode).toBe("NOERROR");
    expect(answer?.answers).toMatchObject([{ type: "A", name: "Deb.Example.org", data: "198.18.0.1" }]);
  });

  it("have no address of version 6, and nothing else", () => {
    for (const type of ["AAAA", "TXT", "MX", "SRV", "CNAME", "NULL"] as const) {
      const answer = asked("deb.example.org", type);
      expect([answer?.rcode, answer?.answers]).toStrictEqual(["NOERROR", []]);
    }
  });

  it.each(["secret.evil.example", "localhost", "254.169.254.169.in-addr.arpa", "example.org"])(
    "do not have %s",
    (name) => {
      const answer = asked(name);
      expect([answer?.rcode, answer?.answers]).toStrictEqual(["NXDOMAIN", []]);
    },
  );

  it("answer no answers, no updates and no two questions at once", () => {
    expect(asked("deb.example.org", "A", { type: "response" })).toBe(null);
    expect(asked("deb.example.org", "A", { flags: 5 << 11 })).toBe(null);
    const question = { type: "A", name: "deb.example.org", class: "IN" } as const;
    expect(asked("", "A", { questions: [question, question] })).toBe(null);
  });

  it("throw at nothing, and never say more than the gate's address", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        const answer = answerName(Buffer.from(noise), "198.18.0.1", knows);
        expect(answer?.length ?? 0).toBeLessThan(noise.length + 64);
      }),
    );
  });
});

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redact } from "../../src/lib/redact.ts";

describe("redact by value", () => {
  it("finds a secret as it is, URI-encoded, JSON-escaped and in base64", () => {
    const secret = 'p/ss w"rd+1';
    const forms = [
      secret,
      encodeURIComponent(secret),
      JSON.stringify(secret),
      Buffer.from(secret).toString("base64"),
    ];
    for (const form of forms) expect(redact(`x ${form} y`, [secret])).not.toContain(form);
    expect(redact(`x ${secret} y`, [secret])).toBe("x [redacted] y");
  });

  it("finds it in the base64 of a longer text at any place", () => {
    const secret = "correct-horse-battery";
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), fc.string({ maxLength: 20 }), (before, after) => {
        const encoded = Buffer.from(before + secret + after).toString("base64");
        const left = redact(encoded, [secret]).replaceAll("[redacted]", "");
        expect(Buffer.from(left, "base64").toString()).not.toContain(secret);
        expect(left.length).toBeLessThan(encoded.length - 20);
      }),
    );
  });

  it("never leaves the secret, whatever is around it", () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 12 }), fc.string(), (before, secret, after) => {
        fc.pre(!"[redacted]".includes(secret));
        expect(redact(before + secret + after, [secret])).not.toContain(secret);
      }),
    );
  });

  it("leaves text alone where there is nothing to hide", () => {
    expect(redact("pulled 3 layers in 4.2 s", ["", "abc"])).toBe("pulled 3 layers in 4.2 s");
  });
});

describe("redact by shape", () => {
  it.each([
    ["ghp", `ghp_${"a1".repeat(18)}`],
    ["ghs", `ghs_${"a1".repeat(18)}`],
    ["fine-grained", `github_pat_${"a1".repeat(20)}`],
    ["glpat", `glpat-${"a1".repeat(10)}`],
    ["gldt", `gldt-${"a1".repeat(10)}`],
    ["glcbt", `glcbt-64_${"a1".repeat(10)}`],
    ["AWS", `AKIA${"A1B2".repeat(4)}`],
  ])("finds a %s token", (_, token) => {
    expect(redact(`token=${token}.`, [])).not.toContain(token.slice(0, 12));
  });

  it("finds headers, user information and whole keys", () => {
    expect(redact("Authorization: Bearer abc.def-ghi", [])).toBe("Authorization: Bearer [redacted]");
    expect(redact("Authorization: Basic dXNlcjpwYXNz", [])).toBe("Authorization: Basic [redacted]");
    expect(redact("clone https://user:pass@git.example/x.git", [])).toBe(
      "clone https://[redacted]@git.example/x.git",
    );
    const key = ["-----BEGIN OPENSSH PRIVATE KEY-----", "AAAA", "BBBB", "-----END OPENSSH PRIVATE KEY-----"];
    expect(redact(`a\n${key.join("\n")}\nb`, [])).toBe("a\n[redacted]\nb");
    expect(redact(`a\n${key.slice(0, 2).join("\n")}`, [])).toBe("a\n[redacted]");
  });
});

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSecrets } from "../../src/lib/secrets.ts";

describe("the secrets of a process", () => {
  it("are redacted whenever they came to be known", () => {
    const secrets = createSecrets(["of-the-file-1"]);
    secrets.keep("of-the-database-2");
    secrets.add("of-an-hour-3");
    const text = "of-the-file-1 of-the-database-2 of-an-hour-3";
    expect(secrets.redact(text)).toBe("[redacted] [redacted] [redacted]");
    expect(secrets.redactTexts({ "of-an-hour-3": [text, 4, null] })).toStrictEqual({
      "[redacted]": ["[redacted] [redacted] [redacted]", 4, null],
    });
  });

  it("forget short-lived ones when newer come, never lasting ones", () => {
    const secrets = createSecrets(["lasting-secret"]);
    for (let index = 0; index < 200; index += 1) secrets.add(`token-of-hour-${index}-`);
    expect(secrets.values()).toHaveLength(65);
    expect(secrets.redact("lasting-secret token-of-hour-199- token-of-hour-0-")).toBe(
      "[redacted] [redacted] token-of-hour-0-",
    );
  });

  it("are given away by one line of a key", () => {
    const lines = ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"];
    const key = ["-----BEGIN PRIVATE KEY-----", ...lines, "-----END PRIVATE KEY-----"].join("\n");
    expect(createSecrets([key]).redact(`git said ${lines[1]}`)).toBe("git said [redacted]");
  });

  it("leave a line of JSON what it is, and nothing of them in it", () => {
    const secrets = ["ghs_abcdefghijklmnop", "hunter-2-of-the-hills", "pa ss&wo<rd"];
    const known = createSecrets(secrets.slice(1));
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(...secrets), fc.string(), (before, secret, after) => {
        const line = JSON.stringify({ msg: `${before}\n${secret} ${after}` });
        const shown = known.redact(line);
        expect(shown).not.toContain(secret);
        expect(JSON.parse(shown)).toHaveProperty("msg");
      }),
    );
  });
});

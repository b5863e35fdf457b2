import { describe, expect, it } from "vitest";
import { nearestKey } from "../../src/domain/nearest-key.ts";

describe("the key that was probably meant", () => {
  const known = ["repeats", "budget", "cpus", "replyTo", "webhookPath", "url"];

  it.each([
    ["repeat", "repeats"],
    ["Repeats", "repeats"],
    ["repaets", "repeats"],
    ["reply_to", "replyTo"],
    ["reply-to", "replyTo"],
    ["webhook-path", "webhookPath"],
    ["cpu", "cpus"],
    ["uri", "url"],
  ])("of %s is %s", (written, meant) => {
    expect(nearestKey(written, known)).toBe(meant);
  });

  it.each(["", "x", "egress", "up", "cpu-count", "budgets-of-all", "u".repeat(100_000)])(
    "of %j is none",
    (written) => {
      expect(nearestKey(written, known)).toBeNull();
    },
  );
});

import { describe, expect, it } from "vitest";
import { withoutQuickActions } from "../../src/channels/without-quick-actions.ts";

describe("a GitLab note without quick actions", () => {
  const cases = [
    ["a plain text", "Hello\nand/or /merge later\n", "Hello\nand/or /merge later\n"],
    ["a command", "/merge\n", "\\/merge\n"],
    ["an indented command", "  /close now", "  \\/close now"],
    ["a command in a quotation", "> /approve", "> \\/approve"],
    ["a closed block", "```sh\n/kaniko/executor\n```", "```sh\n/kaniko/executor\n```"],
    ["an open block", "```\n/merge", "```\n\\/merge"],
    ["a block that is broken out of", "````\n```\n/merge\n````", "````\n```\n\\/merge\n````"],
    ["a command after a block", "```\nx\n```\n/merge", "```\nx\n```\n\\/merge"],
    ["a path that is no command", "//x\n/ x", "//x\n/ x"],
  ] as const;
  it.each(cases)("%s", (_name, body, expected) => {
    expect(withoutQuickActions(body)).toBe(expected);
  });

  it("is the same the second time", () => {
    for (const [, body] of cases) {
      const once = withoutQuickActions(body);
      expect(withoutQuickActions(once)).toBe(once);
    }
  });
});

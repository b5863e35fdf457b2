import { homedir } from "node:os";
import { resolve } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { createDialogue, createProgress, isInteractive } from "../../src/terminal/dialogue.ts";
import { cacheDirectory } from "../../src/lib/cache-directory.ts";

describe("the cache directory", () => {
  it.each([
    [{}, `${homedir()}/.cache/tare`],
    [{ TARE_CACHE: "", XDG_CACHE_HOME: "" }, `${homedir()}/.cache/tare`],
    [{ XDG_CACHE_HOME: "/var/cache" }, "/var/cache/tare"],
    [{ TARE_CACHE: "/data/tare", XDG_CACHE_HOME: "/var/cache" }, "/data/tare"],
  ])("of %j is %s", (environment, directory) => {
    expect(cacheDirectory(environment)).toBe(directory);
  });

  it("is absolute also where it is named relative to here: an engine is started with it", () => {
    expect(cacheDirectory({ TARE_CACHE: "cache" })).toBe(resolve("cache"));
    expect(cacheDirectory({ XDG_CACHE_HOME: "." })).toBe(resolve("tare"));
  });
});

describe("a dialogue with nobody", () => {
  it("takes what is assumed for the answer", async () => {
    for (const assumed of [true, false]) {
      expect(await createDialogue({ interactive: false, assumed }).ask("Install?")).toBe(assumed);
    }
  });

  it("is one in CI, whatever the terminal", () => {
    expect(isInteractive({ CI: "true" })).toBeFalsy();
  });
});

/** What is written to standard error meanwhile. */
function heard(act: () => void): string {
  const spy = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    act();
    return spy.mock.calls.map(([text]) => String(text)).join("");
  } finally {
    spy.mockRestore();
  }
}

describe("progress without a terminal", () => {
  it("is a line a run, with the time left once one has ended", () => {
    let nowMs = 1_000;
    const text = heard(() => {
      const progress = createProgress(() => nowMs);
      progress.show({ done: 0, total: 6, label: "alder docker/inline, cold" });
      nowMs += 10_000;
      progress.show({ done: 1, total: 6, label: "alder docker/inline, warm" });
      nowMs += 10_000;
      progress.show({ done: 6, total: 6, label: "more memory" });
      progress.end();
    });
    expect(text.split("\n")).toStrictEqual([
      "tare: run 1 of 6: alder docker/inline, cold",
      "tare: run 2 of 6: alder docker/inline, warm, about 50.0 s left",
      "tare: run 6 of 6: more memory",
      "",
    ]);
  });
});

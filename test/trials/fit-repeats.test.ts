import { describe, expect, it } from "vitest";
import { fitRepeats } from "../../src/trials/fit-repeats.ts";

const expectedMs = ({ own, others }: { own: number; others: number }) => own * 20_000 + others * 10_000;
const fit = (budgetMs: number | null, images = ["app"]) =>
  fitRepeats({ own: 5, others: 3 }, budgetMs, images, expectedMs);

describe("repeats within a time budget", () => {
  it("are those asked for where they fit or no budget is set", () => {
    expect(fit(null)).toStrictEqual({ repeats: { own: 5, others: 3 }, notes: [] });
    expect(fit(130_000)).toStrictEqual({ repeats: { own: 5, others: 3 }, notes: [] });
  });

  it("are fewer where they do not fit, and the other strategies never have more", () => {
    expect(fit(129_000)).toStrictEqual({
      repeats: { own: 4, others: 3 },
      notes: ["4 repeats instead of 5, for a time budget of 2 m 09 s."],
    });
    expect(fit(60_000).repeats).toStrictEqual({ own: 2, others: 2 });
  });

  it("are one where nothing fits, and the budget is said not to be kept", () => {
    expect(fit(1_000)).toStrictEqual({
      repeats: { own: 1, others: 1 },
      notes: [
        "One repeat instead of 5, for a time budget of 1.0 s.",
        "app alone is expected to take 30.0 s with one repeat: the time budget of 1.0 s will not be kept.",
      ],
    });
    expect(fit(1_000, ["a", "b"]).notes[1]).toBe(
      "The 2 images are expected to take 30.0 s with one repeat: the time budget of 1.0 s will not be kept.",
    );
  });
});

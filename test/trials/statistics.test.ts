import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { median, range } from "../../src/domain/statistics.ts";
import { judge } from "../../src/trials/statistics.ts";

const THRESHOLD = { ratio: 0.05, absoluteMs: 1_000 };

describe("median", () => {
  it("is the middle, or the mean of the two middle ones", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNull();
  });

  it("lies within the range and does not depend on the order", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1e7 }), { minLength: 1 }), (values) => {
        const middle = median(values);
        const ends = range(values);
        expect(middle).toBe(median(values.toReversed()));
        expect(ends && middle !== null && ends.least <= middle && middle <= ends.greatest).toBe(true);
      }),
    );
  });
});

describe("judge", () => {
  it("says worse and better where ranges are apart and the difference passes both thresholds", () => {
    const slow = [62_000, 60_000, 61_000];
    const fast = [40_000, 41_000, 42_000];
    expect(judge(fast, slow, THRESHOLD)).toStrictEqual({
      current: 41_000,
      proposed: 61_000,
      judgement: "worse",
      why: "the ranges are apart, the medians by more than 2.0 s",
    });
    expect(judge(slow, fast, THRESHOLD).judgement).toBe("better");
  });

  it("says no change where the ranges touch", () => {
    expect(judge([40_000, 41_000, 50_000], [50_000, 60_000, 61_000], THRESHOLD)).toMatchObject({
      judgement: "no change",
      why: "the ranges overlap",
    });
  });

  it("says no change below the floor and below the ratio", () => {
    expect(judge([1_000, 1_010, 1_020], [1_900, 1_910, 1_920], THRESHOLD)).toMatchObject({
      judgement: "no change",
      why: "the difference is within 1.0 s",
    });
    expect(judge([100_000, 100_100, 100_200], [104_000, 104_100, 104_200], THRESHOLD).why).toBe(
      "the difference is within 5.0 s",
    );
  });

  it("lets fewer than three runs a side decide nothing", () => {
    expect(judge([1_000], [9_000], THRESHOLD)).toStrictEqual({
      current: 1_000,
      proposed: 9_000,
      judgement: "does not decide",
      why: "1 timed run a side, 3 are needed",
    });
    expect(judge([], [9_000, 1, 2], THRESHOLD).why).toBe("not timed on both sides");
  });

  it("finds no change between a series and itself", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1e7 }), { minLength: 3 }), (values) => {
        expect(judge(values, values, THRESHOLD).judgement).toBe("no change");
      }),
    );
  });
});

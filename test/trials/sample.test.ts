import { array, assert, constantFrom, nat, property, record, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { sampleWithin, type Candidate } from "../../src/trials/sample.ts";

const candidate = (name: string, base: string, bytes: number, expectedMs = 60_000): Candidate<string> => ({
  item: name,
  name,
  base,
  bytes,
  expectedMs,
});

const IMAGES = [
  candidate("small", "debian", 1),
  candidate("middle", "debian", 2),
  candidate("large", "debian", 3),
  candidate("alpine", "alpine", 2),
  candidate("fedora", "fedora", 9),
];

describe("a sample within a time budget", () => {
  it("takes one of middle size from each base, the base with the most images first", () => {
    const { chosen, reason } = sampleWithin(IMAGES, 3 * 60_000);
    expect(chosen).toStrictEqual(["middle", "alpine", "fedora"]);
    expect(reason).toBe(
      "a sample of 3 of 5 images by base and size (3 of 3 base images), for a time budget of 3 m 00 s",
    );
  });

  it("takes the largest of a base next, then the smallest", () => {
    expect(sampleWithin(IMAGES, 4 * 60_000).chosen).toStrictEqual(["middle", "large", "alpine", "fedora"]);
    expect(sampleWithin(IMAGES, 5 * 60_000)).toStrictEqual({
      chosen: ["small", "middle", "large", "alpine", "fedora"],
      reason: "all 5 images that the change touches and this machine can build",
    });
  });

  it("takes one image even where it does not fit, and leaves out those that do not fit behind it", () => {
    expect(sampleWithin(IMAGES, 1).chosen).toStrictEqual(["middle"]);
    const slow = [candidate("a", "x", 1, 10), candidate("b", "y", 1, 500), candidate("c", "z", 1, 10)];
    expect(sampleWithin(slow, 30).chosen).toStrictEqual(["a", "c"]);
  });

  it("never exceeds the budget with more than one image, and is the same for the same images", () => {
    const images = array(
      record({
        name: string({ minLength: 1 }),
        base: constantFrom("a", "b", "c"),
        bytes: nat(1000),
        expectedMs: nat(100_000),
      }),
      { minLength: 1 },
    );
    assert(
      property(images, nat(500_000), (drawn, budgetMs) => {
        const candidates = drawn.map((each, index) => ({ ...each, item: index }));
        const { chosen } = sampleWithin(candidates, budgetMs);
        const spentMs = chosen.reduce((sum, index) => sum + (candidates[index]?.expectedMs ?? 0), 0);
        expect(chosen.length).toBeGreaterThan(0);
        expect(chosen.length === 1 || spentMs <= budgetMs).toBe(true);
        expect(sampleWithin(candidates, budgetMs).chosen).toStrictEqual(chosen);
      }),
    );
  });
});

import { describe, expect, it } from "vitest";
import { answerClaims, groupAnswers } from "../../src/claims/answer-claims.ts";
import type { ClaimFacts } from "../../src/claims/facts.ts";
import type { Assertion } from "../../src/claims/types.ts";
import { factsWith, image, NOTHING, run, strategy } from "./some-facts.ts";
import { claimOf } from "./texts.ts";

const answer = (assertion: Assertion, facts: ClaimFacts, isQuestion = false) => {
  const [given] = answerClaims([claimOf(assertion, isQuestion)], facts);
  return `${given?.mark}: ${given?.sentence}`;
};
const DOUBLE: Assertion = { kind: "storage multiplied", factor: 2, atLeast: false };

const current = strategy("current", [
  run("cold", { perRepository: 10, namespace: 10, stored: 10 }),
  run("warm", { perRepository: 11.08, namespace: 11, stored: 11.08 }),
  run("edit 1", { perRepository: 11.08, namespace: 11, stored: 13 }),
  run("edit 2", { perRepository: 11.08, namespace: 11, stored: 15 }),
]);

/** Charges before any edit and after two. */
function proposed(before: Record<string, number>, after: Record<string, number> = before) {
  const middle = Object.fromEntries(
    Object.entries(before).map(([ledger, bytes]) => [ledger, (bytes + (after[ledger] ?? bytes)) / 2]),
  );
  return strategy("proposed", [run("warm", before), run("edit 1", middle), run("edit 2", after)]);
}

describe("storage multiplied", () => {
  it("depends on the ledger where one of them says so", () => {
    const facts = factsWith([current, proposed({ perRepository: 21.09, namespace: 11.01, stored: 11.09 })]);
    expect(answer(DOUBLE, facts)).toBe(
      "depends: kaniko/layers against docker/inline before any edit: 1.90 times, close to 2, counted per repository (21.09 MB against 11.08 MB), 1.00 times by GitLab's count (11.01 MB against 11.00 MB): the ledger decides.",
    );
    expect(answer(DOUBLE, { ...facts, ledger: null })).toContain(
      "the ledger decides (which ledger the forge charges by is not known).",
    );
  });

  it.each<[string, string, Record<string, number>]>([
    [
      "confirmed",
      "2.00 times by GitLab's count (22.00 MB against 11.00 MB).",
      { perRepository: 22.2, namespace: 22, stored: 30 },
    ],
    [
      "refuted",
      "1.09 times by GitLab's count (12.00 MB against 11.00 MB).",
      { perRepository: 12, namespace: 12, stored: 12 },
    ],
    [
      "refuted",
      "0.91 times by GitLab's count (10.00 MB against 11.00 MB).",
      { perRepository: 10, namespace: 10, stored: 10 },
    ],
  ])("%s where every ledger agrees: %s", (mark, end, charges) => {
    const said = answer(DOUBLE, factsWith([current, proposed(charges)]));
    expect(said.startsWith(`${mark}: `)).toBe(true);
    expect(said.endsWith(end)).toBe(true);
  });

  it("names a third ledger that says something else", () => {
    const said = answer(
      DOUBLE,
      factsWith([current, proposed({ perRepository: 12, namespace: 12, stored: 30 })]),
    );
    expect(said).toBe(
      "depends: kaniko/layers against docker/inline before any edit: 1.08 times counted per repository (12.00 MB against 11.08 MB), 1.09 times by GitLab's count (12.00 MB against 11.00 MB), 2.71 times on the registry's disk (30.00 MB against 11.08 MB): the ledger decides.",
    );
  });

  it("is held against the ledgers of the project's own forge", () => {
    const own = strategy("current", [run("warm", { perRepository: 11, namespace: 11, ghcr: 11 })]);
    const twice = strategy("proposed", [run("warm", { perRepository: 12, namespace: 11, ghcr: 22 })]);
    expect(answer(DOUBLE, factsWith([own, twice]))).toMatch(/^refuted: .* 1\.00 times by GitLab's count/);
    expect(answer(DOUBLE, factsWith([own, twice], { ledger: "ghcr" }))).toBe(
      "depends: kaniko/layers against docker/inline before any edit: 1.09 times counted per repository (12.00 MB against 11.00 MB), 2.00 times by GHCR's versions (22.00 MB against 11.00 MB): the ledger decides (the forge charges by GHCR's versions).",
    );
  });

  it("is true of double where it is not of triple", () => {
    const facts = factsWith([current, proposed({ perRepository: 21, namespace: 21 })]);
    expect(answer(DOUBLE, facts)).toMatch(/^confirmed: /);
    expect(answer({ ...DOUBLE, factor: 3 }, facts)).toMatch(/^refuted: /);
    const twice = factsWith([current, proposed({ perRepository: 22.2, namespace: 22 })]);
    expect(answer({ ...DOUBLE, atLeast: true }, twice)).toContain("(claimed: at least 2 times).");
  });

  it.each<[string, number, boolean]>([
    [
      "confirmed: kaniko/layers against docker/inline before any edit: 1.75 times, close to 2, by",
      19.25,
      false,
    ],
    ["refuted: kaniko/layers against docker/inline before any edit: 1.65 times by", 18.15, false],
    ["refuted: kaniko/layers against docker/inline before any edit: 1.85 times by", 20.35, true],
    [
      "confirmed: kaniko/layers against docker/inline before any edit: 1.95 times, close to 2, by",
      21.45,
      true,
    ],
    ["confirmed: kaniko/layers against docker/inline before any edit: 2.00 times by", 21.98, true],
  ])("%s: a plain multiple counts from 85 % on, the least one from 95 %", (start, namespace, atLeast) => {
    const said = answer({ ...DOUBLE, atLeast }, factsWith([current, proposed({ namespace })]));
    expect(said.slice(0, start.length)).toBe(start);
  });

  it("names the state before and after the edits where they differ, and both that decide", () => {
    const facts = factsWith([
      current,
      proposed({ perRepository: 21.09, namespace: 11.01 }, { perRepository: 34, namespace: 24 }),
    ]);
    expect(answer(DOUBLE, facts)).toBe(
      "depends: kaniko/layers against docker/inline: before any edit 1.90 times, close to 2, counted per repository (21.09 MB against 11.08 MB), 1.00 times by GitLab's count (11.01 MB against 11.00 MB); after 2 edits 3.07 times counted per repository (34.00 MB against 11.08 MB), 2.18 times by GitLab's count (24.00 MB against 11.00 MB): the ledger and the edits decide.",
    );
  });

  it("says that the edits decide where the ledgers agree", () => {
    const facts = factsWith([current, proposed({ namespace: 11 }, { namespace: 24 })]);
    expect(answer(DOUBLE, facts)).toBe(
      "depends: kaniko/layers against docker/inline: before any edit 1.00 times by GitLab's count (11.00 MB against 11.00 MB); after 2 edits 2.18 times by GitLab's count (24.00 MB against 11.00 MB): the edits decide.",
    );
  });

  it("says which of several images shows most, and that the image decides", () => {
    const small = image([current, proposed({ namespace: 11, perRepository: 11 })], { image: "small" });
    const large = image([current, proposed({ namespace: 22, perRepository: 22 })], { image: "large" });
    const said = answer(DOUBLE, { ...NOTHING, ledger: "namespace", images: [small, large] });
    expect(said).toBe(
      "depends: large, the most of 2 images: kaniko/layers against docker/inline before any edit: 1.99 times, close to 2, counted per repository (22.00 MB against 11.08 MB), 2.00 times by GitLab's count (22.00 MB against 11.00 MB): the image decides.",
    );
  });

  it("answers a question and does not judge it", () => {
    const none = factsWith([current, proposed({ perRepository: 11, namespace: 11 })]);
    expect(answer(DOUBLE, none, true)).toMatch(
      /^answered: No: kaniko\/layers against docker\/inline .* 1\.00 times by GitLab's count/,
    );
    const twice = factsWith([current, proposed({ perRepository: 22, namespace: 22 })]);
    expect(answer(DOUBLE, twice, true)).toMatch(/^answered: Yes: /);
    const either = factsWith([current, proposed({ perRepository: 22, namespace: 11 })]);
    expect(answer(DOUBLE, either, true)).toMatch(/^depends: kaniko/);
  });

  it.each([
    ["nothing is known", NOTHING],
    [
      "the proposed side left nothing",
      factsWith([current, strategy("proposed", [run("cold", {}, { outcome: "failed" })])]),
    ],
    ["there is one side only", factsWith([current])],
  ])("is not tested where %s", (_, facts) => {
    expect(answer(DOUBLE, facts)).toBe(
      "not tested: no image was built by both strategies, so nothing can be compared.",
    );
  });
});

describe("growth by edits", () => {
  const quadruple: Assertion = { kind: "growth by edits", factor: 4 };

  it("tells the multiple that was reached, and after which edit the claimed one would be", () => {
    const facts = factsWith([
      current,
      proposed({ perRepository: 21, namespace: 11 }, { perRepository: 25, namespace: 15 }),
    ]);
    expect(answer(quadruple, facts)).toBe(
      "refuted: after 2 edits kaniko/layers against docker/inline: 2.26 times counted per repository (+2.00 MB an edit beside +0 B; computed: 4 times after 12 edits), 1.36 times by GitLab's count (+2.00 MB an edit beside +0 B; computed: 4 times after 17 edits).",
    );
  });

  it("is confirmed where the edits that the claim speaks of reach it", () => {
    const facts = factsWith([
      current,
      proposed({ perRepository: 22, namespace: 22 }, { perRepository: 46, namespace: 46 }),
    ]);
    expect(answer(quadruple, facts)).toMatch(
      /^confirmed: .*4\.15 times counted per repository \(\+12\.00 MB an edit beside \+0 B; 4 times after 2 edits\)/,
    );
    expect(answer({ ...quadruple, factor: 3 }, facts)).toMatch(/^confirmed: .*3 times after one edit/);
  });

  it("computes the edits that were not replayed", () => {
    const one = strategy("proposed", [run("warm", { namespace: 11 }), run("edit 1", { namespace: 21 })]);
    const facts = factsWith([current, one]);
    expect(answer(quadruple, facts)).toBe(
      "refuted: after one edit kaniko/layers against docker/inline: 1.91 times by GitLab's count (+10.00 MB an edit beside +0 B; computed: 2.82 times after 2 edits, 4 times after 4 edits).",
    );
    const made = { ...facts, images: [image([current, one], { edits: { count: 1, synthetic: true } })] };
    expect(answer(quadruple, made)).toContain("after one made-up edit kaniko/layers against docker/inline:");
  });

  it("holds both sides against each other after the same edits: what the image grows by itself is nobody's cache", () => {
    const both = (role: "current" | "proposed", before: number, last: number) =>
      strategy(role, [
        run("warm", { perRepository: before }),
        run("edit 1", { perRepository: (before + last) / 2 }),
        run("edit 2", { perRepository: last }),
      ]);
    const facts = factsWith([both("current", 5, 11), both("proposed", 9, 24)]);
    expect(answer(quadruple, facts)).toBe(
      "refuted: after 2 edits kaniko/layers against docker/inline: 2.18 times counted per repository (+7.50 MB an edit beside +3.00 MB; so 4 times never).",
    );
    const nearly = factsWith([both("current", 5, 6), both("proposed", 9, 21)]);
    expect(answer(quadruple, nearly)).toBe(
      "confirmed: after 2 edits kaniko/layers against docker/inline: 3.50 times counted per repository (+6.00 MB an edit beside +500.0 kB; close to 4).",
    );
    // 9 + 4.5 n is 4 times 5 + n at n = 22.
    const computed = factsWith([both("current", 5, 7), both("proposed", 9, 18)]);
    expect(answer(quadruple, computed)).toContain("; computed: 4 times after 22 edits)");
  });

  it("compares up to the last edit that both have built", () => {
    const further = strategy("current", [
      run("warm", { namespace: 10 }),
      run("edit 1", { namespace: 12 }),
      run("edit 2", { namespace: 20 }),
    ]);
    const one = strategy("proposed", [run("warm", { namespace: 12 }), run("edit 1", { namespace: 24 })]);
    expect(answer(quadruple, factsWith([further, one]))).toContain(
      "after one edit kaniko/layers against docker/inline: 2.00 times by GitLab's count (+12.00 MB an edit beside +2.00 MB;",
    );
  });

  it("is never reached where nothing grows", () => {
    const facts = factsWith([current, proposed({ perRepository: 11, namespace: 11 })]);
    expect(answer(quadruple, facts)).toMatch(/^refuted: .*\+0 B an edit beside \+0 B; so 4 times never\)/);
  });

  it("without a multiple is a slope, beside that of the current strategy", () => {
    const grows: Assertion = { kind: "growth by edits", factor: null };
    const facts = factsWith([
      current,
      proposed({ perRepository: 21, namespace: 11 }, { perRepository: 25, namespace: 15 }),
    ]);
    expect(answer(grows, facts)).toBe(
      "confirmed: after 2 edits, on average, kaniko/layers beside docker/inline: +2.00 MB an edit beside +0 B counted per repository, +2.00 MB an edit beside +0 B by GitLab's count.",
    );
    const still = factsWith([current, proposed({ perRepository: 21, namespace: 11 })]);
    expect(answer(grows, still)).toMatch(/^refuted: /);
    const half = factsWith([
      current,
      proposed({ perRepository: 21, namespace: 11 }, { perRepository: 25, namespace: 11.1 }),
    ]);
    expect(answer(grows, half)).toMatch(/^depends: .*: the ledger decides\.$/);
  });

  it("is not tested without an edit", () => {
    const facts = factsWith([current, strategy("proposed", [run("warm", { namespace: 11 })])]);
    expect(answer(quadruple, facts)).toBe(
      "not tested: no edit was built by both strategies; `--edits 4` replays four.",
    );
  });
});

describe("cleanup", () => {
  const bounded: Assertion = { kind: "cleanup", factor: null };
  const doubled: Assertion = { kind: "cleanup", factor: 2 };
  const cleaned = (before: Record<string, number>, floor: Record<string, number>) => {
    const bytes = (megabytes: Record<string, number>) =>
      Object.fromEntries(Object.entries(megabytes).map(([ledger, each]) => [ledger, each * 1e6]));
    const deletedTags = before["perRepository"] === floor["perRepository"] ? 0 : 2;
    const cleanup = { policy: "keep 1 tag", deletedTags, before: bytes(before), floor: bytes(floor) };
    return factsWith([current, { ...proposed({ perRepository: 21, namespace: 11 }), cleanup }]);
  };

  it("holds what remains against what the current strategy holds", () => {
    const facts = cleaned({ perRepository: 25, namespace: 15 }, { perRepository: 21, namespace: 11 });
    expect(answer(doubled, facts)).toBe(
      "depends: after cleanup (keep 1 tag) kaniko/layers keeps 1.90 times, close to 2, counted per repository (21.00 MB against 11.08 MB), from 25.00 MB; 1.00 times by GitLab's count (11.00 MB against 11.00 MB), from 15.00 MB: the ledger decides.",
    );
    expect(answer(bounded, facts)).toMatch(/^confirmed: /);
  });

  it("is refuted where nothing is cleaned up, and where nothing is doubled", () => {
    const same = { perRepository: 25, namespace: 15 };
    expect(answer(bounded, cleaned(same, same))).toMatch(/^refuted: /);
    expect(answer(doubled, cleaned(same, { perRepository: 12, namespace: 11 }))).toMatch(/^refuted: /);
  });

  it("is not tested where no policy was simulated, and the newest build alone is told", () => {
    const facts = factsWith([current, proposed({ perRepository: 21, namespace: 11 })]);
    expect(answer(doubled, facts)).toBe(
      "not tested: no cleanup policy was simulated; the newest build alone, as in a fresh registry, is 1.90 times counted per repository (21.00 MB against 11.08 MB), 1.00 times by GitLab's count (11.00 MB against 11.00 MB).",
    );
    expect(answer(doubled, NOTHING)).toBe(
      "not tested: no cleanup policy was simulated, so what remains after it is not known.",
    );
  });
});

describe("answers that are alike", () => {
  it("are given once, with all who asked", () => {
    const claims = [
      claimOf(DOUBLE),
      { ...claimOf(DOUBLE), author: "Cyd" },
      claimOf({ ...DOUBLE, factor: 3 }),
    ];
    const groups = groupAnswers(answerClaims(claims, factsWith([current, proposed({ namespace: 22 })])));
    expect(groups.map(({ mark, alike }) => [mark, alike.map(({ author }) => author)])).toStrictEqual([
      ["confirmed", ["Cyd"]],
      ["refuted", []],
    ]);
  });
});

import { describe, expect, it } from "vitest";
import { answerClaims } from "../../src/claims/answer-claims.ts";
import type { ClaimFacts, ForkFacts, ForkRunFacts, RunFacts } from "../../src/claims/facts.ts";
import type { Assertion } from "../../src/claims/types.ts";
import { factsWith, GIBIBYTE, image, NOTHING, run, strategy } from "./some-facts.ts";
import { claimOf } from "./texts.ts";

const answer = (assertion: Assertion, facts: ClaimFacts, isQuestion = false) => {
  const [given] = answerClaims([claimOf(assertion, isQuestion)], facts);
  return `${given?.mark}: ${given?.sentence}`;
};

describe("compute", () => {
  const burnt: Assertion = { kind: "compute", says: "burnt", without: false };
  const uncached: Assertion = { kind: "compute", says: "burnt", without: true };
  const timed = (coldMs: number, warmMs: number) => [
    run("cold", {}, { totalMs: coldMs }),
    run("warm", {}, { totalMs: warmMs }),
  ];
  const facts = factsWith([
    strategy("current", timed(190_000, 60_000)),
    strategy("proposed", timed(240_000, 90_000)),
  ]);

  it("of a build without a cache is that of an empty cache against a warm one", () => {
    expect(answer(uncached, facts)).toBe(
      "confirmed: kaniko/layers with an empty cache 4 m 00 s against kaniko/layers warm 1 m 30 s a job (+167 %); what a minute costs was not given, so money was not tested.",
    );
  });

  it("is that of a strategy without a cache where one was tried", () => {
    const none = strategy("other", timed(300_000, 270_000), { label: "kaniko/none", cache: false });
    const tried = factsWith([...(facts.images[0]?.strategies ?? []), none]);
    expect(answer(uncached, tried)).toMatch(
      /^confirmed: kaniko\/none 4 m 30 s against kaniko\/layers warm 1 m 30 s a job/,
    );
  });

  it("falls back on the current strategy where the proposed one was not timed", () => {
    const killed = strategy("proposed", [
      run("cold", {}, { outcome: "out-of-memory" }),
      run("warm", {}, { totalMs: 42_000 }),
    ]);
    const said = answer(uncached, factsWith([strategy("current", timed(190_000, 60_000)), killed]));
    expect(said).toMatch(
      /^confirmed: docker\/inline with an empty cache 3 m 10 s against docker\/inline warm 1 m 00 s/,
    );
  });

  it("of the change is warm against warm, and by the forge's cost factors", () => {
    const factors = [
      { runner: "GitLab's small hosted runner", factor: 1 },
      { runner: "own runners", factor: 0 },
    ];
    expect(answer(burnt, { ...facts, computeFactors: factors })).toBe(
      "confirmed: kaniko/layers warm 1 m 30 s against docker/inline warm 1 m 00 s a job (+50 %); 1.50 against 1.00 compute minutes on GitLab's small hosted runner, none on own runners.",
    );
    expect(answer({ ...burnt, says: "saved" }, facts)).toMatch(/^refuted: /);
  });

  it("calls less than 5 % the same, both ways", () => {
    const even = factsWith([strategy("current", timed(1, 60_000)), strategy("proposed", timed(1, 62_000))]);
    expect(answer(burnt, even)).toMatch(/^refuted: /);
    expect(answer({ ...burnt, says: "saved" }, even)).toMatch(/^refuted: /);
  });

  it("decides nothing on a link without a limit", () => {
    expect(answer(burnt, { ...facts, timesDecide: false })).toMatch(
      /^depends: kaniko\/layers warm 1 m 30 s against docker\/inline warm 1 m 00 s a job \(\+50 %\), on a link without a limit, where times decide nothing;/,
    );
  });

  it("depends where few runs differ little, and not where they differ much", () => {
    expect(answer(burnt, { ...facts, fewRuns: true })).toMatch(/^confirmed: /);
    const near = factsWith([strategy("current", timed(1, 60_000)), strategy("proposed", timed(1, 80_000))]);
    expect(answer(burnt, near)).toMatch(/^confirmed: /);
    expect(answer(burnt, { ...near, fewRuns: true })).toBe(
      "depends: kaniko/layers warm 1 m 20 s against docker/inline warm 1 m 00 s a job (+33 %), too close for so few runs; what a minute costs was not given, so money was not tested.",
    );
  });

  it("is not tested without times", () => {
    expect(answer(burnt, NOTHING)).toBe("not tested: no warm build of both strategies was timed.");
    expect(answer(uncached, NOTHING)).toBe("not tested: no build was timed with and without a cache.");
  });
});

describe("memory", () => {
  const claimed: Assertion = { kind: "memory", reproducible: true };
  const kill = run("cold", {}, { outcome: "out-of-memory", storageRunPeakBytes: 9.52 * GIBIBYTE });
  const peak = (bytes: number) => run("cold", {}, { memoryPeakBytes: bytes });
  const reproducible = (runs: RunFacts[]) =>
    strategy("other", runs, { label: "kaniko/layers+reproducible", reproducible: true });
  const plain = (runs: RunFacts[]) => strategy("proposed", runs);

  it("is confirmed where only --reproducible is killed", () => {
    const facts = factsWith([plain([peak(2 * GIBIBYTE)]), reproducible([kill])]);
    expect(answer(claimed, facts)).toBe(
      "confirmed: kaniko/layers+reproducible is killed at 8 GiB in the cold build and needs 9.52 GiB; without it, kaniko/layers is not killed: it needs 2 GiB of 8 GiB in the cold build.",
    );
  });

  it("depends where the same image is killed without it, too", () => {
    expect(answer(claimed, factsWith([plain([kill]), reproducible([kill])]))).toMatch(
      /^depends: .*; without it, kaniko\/layers is killed at 8 GiB in the cold build and needs 9\.52 GiB\.$/,
    );
  });

  it("depends where one image is killed and another is not", () => {
    const facts = {
      ...NOTHING,
      images: [
        image([reproducible([kill])], { image: "large" }),
        image([reproducible([peak(412 * 2 ** 20)])], { image: "small" }),
      ],
    };
    expect(answer(claimed, facts)).toMatch(
      /^depends: kaniko\/layers\+reproducible is killed at 8 GiB in the cold build of large/,
    );
  });

  it("is refuted with the highest peak where nothing is killed", () => {
    const runs = [peak(412 * 2 ** 20), run("edit 1", {}, { memoryPeakBytes: 500 * 2 ** 20 })];
    expect(answer(claimed, factsWith([reproducible(runs)]))).toBe(
      "refuted: kaniko/layers+reproducible is not killed: it needs 500 MiB of 8 GiB in the build of edit 1.",
    );
  });

  it("is not tested where the build failed for another reason: it never got as far", () => {
    const failed = run("cold", {}, { outcome: "failed", memoryPeakBytes: 2 * GIBIBYTE });
    expect(answer(claimed, factsWith([plain([failed]), reproducible([failed])]))).toBe(
      "not tested: no build with --reproducible was tried to its end; `--strategies kaniko/layers+reproducible` tries it.",
    );
  });

  it("says how to try it where it was not tried, and what is known without it", () => {
    expect(answer(claimed, factsWith([plain([kill])]))).toBe(
      "not tested: no build with --reproducible was tried to its end; `--strategies kaniko/layers+reproducible` tries it; without it, kaniko/layers is killed at 8 GiB in the cold build and needs 9.52 GiB.",
    );
    expect(answer(claimed, NOTHING)).toBe(
      "not tested: no build with --reproducible was tried to its end; `--strategies kaniko/layers+reproducible` tries it.",
    );
  });

  it("of the proposed builds in general is theirs", () => {
    const any: Assertion = { kind: "memory", reproducible: false };
    expect(answer(any, factsWith([plain([kill])]))).toMatch(/^confirmed: kaniko\/layers is killed at 8 GiB/);
    expect(answer(any, factsWith([plain([peak(GIBIBYTE)])]))).toMatch(/^refuted: .* it needs 1 GiB of 8 GiB/);
    expect(answer(any, factsWith([plain([peak(GIBIBYTE)])]), true)).toMatch(/^answered: No: /);
    expect(answer(any, NOTHING)).toBe("not tested: the proposed strategy was not built.");
  });
});

describe("cache in forks", () => {
  const fails: Assertion = { kind: "cache in forks", says: "fails" };
  const works: Assertion = { kind: "cache in forks", says: "works" };
  const pipeline = (reused: number | null, given: Partial<ForkRunFacts> = {}): ForkRunFacts => ({
    outcome: "succeeded",
    reused,
    layers: 3,
    totalMs: 41_000,
    ...given,
  });
  const forked = (first: ForkRunFacts, second: ForkRunFacts | null, given: Partial<ForkFacts> = {}) =>
    factsWith([
      strategy("proposed", [], {
        forks: [{ first, second, upstream: "readable", cachePushDenied: "warning", ...given }],
      }),
    ]);

  it("depends where the steps before the edit are reused and the rest is built each time", () => {
    expect(answer(fails, forked(pipeline(1), pipeline(1)))).toBe(
      "depends: kaniko/layers in a fork that may read upstream: the first pipeline with an edit reuses 1 of 3 layers in 41.0 s, the second reuses 1 of 3 layers in 41.0 s; the denied push to the cache is a warning.",
    );
    expect(answer(works, forked(pipeline(1), pipeline(1)))).toMatch(/^depends: /);
  });

  it.each<[string, string, ForkRunFacts, ForkRunFacts | null]>([
    ["confirmed", "refuted", pipeline(0), pipeline(0)],
    ["refuted", "confirmed", pipeline(1), pipeline(3)],
    ["confirmed", "refuted", pipeline(null, { outcome: "failed" }), null],
    ["not tested", "not tested", pipeline(null), pipeline(null)],
  ])("fails is %s and works is %s", (ofFails, ofWorks, first, second) => {
    expect(answer(fails, forked(first, second)).startsWith(`${ofFails}: `)).toBe(true);
    expect(answer(works, forked(first, second)).startsWith(`${ofWorks}: `)).toBe(true);
  });

  it("says of a job that fails for its denied push that it fails", () => {
    const failed = pipeline(null, { outcome: "failed", totalMs: null });
    expect(answer(fails, forked(failed, null, { cachePushDenied: "failed", upstream: null }))).toBe(
      "confirmed: kaniko/layers in a fork: the first pipeline with an edit does not succeed, the second was not run; the denied push to the cache fails the job.",
    );
  });

  it("depends on whether upstream can be read", () => {
    const forks: ForkFacts[] = [
      { first: pipeline(3), second: pipeline(3), upstream: "readable", cachePushDenied: "warning" },
      { first: pipeline(0), second: pipeline(0), upstream: "unreadable", cachePushDenied: "warning" },
    ];
    expect(answer(fails, factsWith([strategy("proposed", [], { forks })]))).toMatch(
      /^depends: kaniko\/layers in a fork that may read upstream: .* reuses 3 of 3 layers .* is a warning\. In a fork that may not read upstream: .* reuses 0 of 3 layers .* is a warning\.$/,
    );
  });

  const edited = (reused: number): ForkFacts => ({
    first: pipeline(0),
    second: pipeline(reused),
    upstream: "readable",
    cachePushDenied: "warning",
  });

  it("says what the second pipeline finds today, and what upstream's own does", () => {
    const facts = factsWith([
      strategy("current", [], { forks: [{ ...edited(3), cachePushDenied: "not tried" }] }),
      strategy("proposed", [run("warm", {}, { reused: 3, layers: 3 })], { forks: [edited(0)] }),
    ]);
    expect(answer(fails, facts)).toBe(
      "confirmed: kaniko/layers in a fork that may read upstream: the first pipeline with an edit reuses 0 of 3 layers in 41.0 s, the second reuses 0 of 3 layers in 41.0 s; the denied push to the cache is a warning. With docker/inline the second reuses 3 of 3 layers in 41.0 s. Upstream's own second pipeline reuses 3 of 3.",
    );
  });

  it("asks a variant that is not killed, and says nothing of the cache where all are", () => {
    const dead = pipeline(null, { outcome: "out-of-memory", totalMs: null });
    const killed: ForkFacts = { ...edited(0), first: dead, second: dead };
    const smaller = strategy("other", [], { label: "kaniko/layers+uncompressed", forks: [edited(0)] });
    const proposed = strategy("proposed", [], { forks: [killed] });
    expect(answer(fails, factsWith([proposed, smaller]))).toMatch(
      /^confirmed: kaniko\/layers\+uncompressed in a fork that may read upstream: the first pipeline with an edit reuses 0 of 3/,
    );
    expect(answer(fails, factsWith([proposed]))).toBe(
      "not tested: kaniko/layers in a fork that may read upstream: the first pipeline with an edit is killed, the second is killed; the denied push to the cache is a warning.",
    );
  });

  it("is not tested where no fork was", () => {
    expect(answer(fails, factsWith([strategy("proposed", [])]))).toBe(
      "not tested: the proposed strategy was not built in a fork; `--forks readable` tries it.",
    );
  });
});

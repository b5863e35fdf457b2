import { describe, expect, it } from "vitest";
import { changedRecipes, factsOf } from "../../src/claims/facts-of.ts";
import type { ForkRun } from "../../src/domain/report.ts";
import { exampleReport } from "../fixtures/report/example.ts";
import { qemuReport } from "../fixtures/report/qemu.ts";
import { dockerRecipe, kanikoRecipe } from "../fixtures/report/recipes.ts";

describe("factsOf", () => {
  const facts = factsOf(exampleReport());

  it("takes charges, times and memory of each run from the report", () => {
    const [app] = facts.images;
    expect([facts.ledger, facts.timesDecide, facts.needs]).toStrictEqual([
      "namespace",
      false,
      { docker: "a daemon in the job: a privileged runner", kaniko: null },
    ]);
    expect(app?.edits).toStrictEqual({ count: 1, synthetic: true });
    expect(app?.strategies.map(({ label, role, builder }) => [label, role, builder])).toStrictEqual([
      ["docker/inline", "current", "docker"],
      ["kaniko/layers", "proposed", "kaniko"],
    ]);
    const report = exampleReport().images[0]?.strategies[0]?.runs[0];
    expect(app?.strategies[0]?.runs[0]).toStrictEqual({
      scenario: "cold",
      outcome: "succeeded",
      totalMs: 3_640,
      reused: 0,
      layers: 3,
      charges: report?.ledgers,
      // Without page cache.
      memoryPeakBytes: Math.round(0.6 * 171 * 2 ** 20),
      memoryLimitBytes: 8 * 2 ** 30,
      storageRunPeakBytes: null,
    });
  });

  it("leaves out what is not known, and times of what did not succeed", () => {
    const killed = factsOf(qemuReport()).images[0]?.strategies.find(({ role }) => role === "proposed")
      ?.runs[0];
    expect([killed?.outcome, killed?.totalMs]).toStrictEqual(["out-of-memory", null]);
    expect(killed?.storageRunPeakBytes).toBeGreaterThan(9 * 2 ** 30);
    const report = exampleReport();
    const unseen = report.images[0]?.strategies[0]?.runs[0];
    if (unseen?.ledgers) unseen.ledgers.stored = "unknown";
    expect(factsOf(report).images[0]?.strategies[0]?.runs[0]?.charges).toStrictEqual(
      Object.fromEntries(Object.entries(unseen?.ledgers ?? {}).filter(([ledger]) => ledger !== "stored")),
    );
  });

  it("tells a kill's need with page cache where the processes alone were seen below the limit", () => {
    const report = qemuReport();
    const run = report.images[0]?.strategies.find(({ role }) => role === "proposed")?.runs[0];
    if (!run?.storageRun) throw new Error("The run was killed.");
    run.storageRun = { ...run.storageRun, anonymousPeakBytes: 7 * 2 ** 30, memoryPeakBytes: 12 * 2 ** 30 };
    const facts = factsOf(report).images[0]?.strategies.find(({ role }) => role === "proposed")?.runs[0];
    expect(facts).toMatchObject({ storageRunPeakBytes: 12 * 2 ** 30, storageRunWithCache: true });
  });

  it("knows --reproducible by the variant and by the template", () => {
    const report = exampleReport();
    const [image] = report.images;
    const [current, proposed] = image?.strategies ?? [];
    if (!image || !current || !proposed) throw new Error("The example has two strategies.");
    const flags = [...proposed.recipe.flags, "--reproducible"];
    image.strategies = [
      { ...current, recipe: { ...current.recipe, flags: ["--reproducible=false"] } },
      { ...proposed, recipe: { ...proposed.recipe, flags } },
      { ...proposed, role: "other", variant: "reproducible" },
    ];
    expect(
      factsOf(report).images[0]?.strategies.map(({ label, reproducible }) => [label, reproducible]),
    ).toStrictEqual([
      ["docker/inline", false],
      ["kaniko/layers", true],
      ["kaniko/layers+reproducible", true],
    ]);
  });

  it("takes a fork's pipelines and what became of its push to the cache", () => {
    const report = exampleReport();
    const proposed = report.images[0]?.strategies[1];
    const ran: ForkRun = {
      outcome: "succeeded",
      exitCode: 0,
      failure: null,
      buildMs: "unknown",
      pushMs: "unknown",
      totalMs: 2_000,
      hits: 2,
      misses: 1,
      pulledBytes: 1,
      pushedBytes: 1,
      denied: [],
      namespaceBytes: 1,
      perRepositoryBytes: 1,
    };
    proposed?.forks.splice(
      0,
      proposed.forks.length,
      {
        upstream: "readable",
        runs: [ran, { ...ran, hits: "unknown" }],
        cachePush: "denied: the job goes on",
      },
      { upstream: "unreadable", runs: [{ ...ran, outcome: "failed" }], cachePush: "denied: the job fails" },
    );
    const succeeded = { outcome: "succeeded", reused: 2, layers: 3, totalMs: 2_000 };
    expect(factsOf(report).images[0]?.strategies[1]?.forks).toStrictEqual([
      {
        first: succeeded,
        second: { ...succeeded, reused: null, layers: null },
        upstream: "readable",
        cachePushDenied: "warning",
      },
      {
        first: { ...succeeded, outcome: "failed", totalMs: null },
        second: null,
        upstream: "unreadable",
        cachePushDenied: "failed",
      },
    ]);
  });

  it("takes the cleanup that frees most and leaves the cache whole", () => {
    const report = exampleReport();
    const [current, proposed] = report.images[0]?.strategies ?? [];
    if (!current || !proposed) throw new Error("The example has two strategies.");
    const outcome = (keepTags: number, deletedTags: number, neededDeleted: number) => ({
      keepTags,
      olderThanDays: 7,
      tagsBefore: 7,
      deletedTags,
      ledgers: { perRepository: 100 * keepTags, namespace: 10 * keepTags, stored: "unknown" as const },
      neededTags: 4,
      neededDeleted,
    });
    current.cleanup = [];
    proposed.cleanup = [outcome(1, 6, 3), outcome(5, 2, 0), outcome(10, 0, 0)];
    const { perRepository, namespace, stored, ghcr } = proposed.runs.at(-1)?.ledgers ?? {};
    expect(factsOf(report).images[0]?.strategies.map((each) => each.cleanup)).toStrictEqual([
      null,
      {
        policy: "keep 5 tags of each repository, delete others older than 7 days",
        deletedTags: 2,
        before: { perRepository, namespace, stored, ghcr },
        floor: { perRepository: 500, namespace: 50 },
      },
    ]);
  });

  it("adds what the report does not hold", () => {
    const more = factsOf(exampleReport(), { needs: { buildah: "to mount file systems" } });
    expect(more.needs).toMatchObject({ buildah: "to mount file systems", kaniko: null });
  });
});

describe("changedRecipes", () => {
  it("leaves out jobs that only moved", () => {
    const same = dockerRecipe("same");
    const changed = changedRecipes({
      base: [same, dockerRecipe("app")],
      head: [{ ...same, line: 99 }, kanikoRecipe("app")],
    });
    expect(changed?.base.map(({ job, builder }) => [job, builder])).toStrictEqual([
      ["app-container", "docker"],
    ]);
    expect(changed?.head.map(({ job, builder }) => [job, builder])).toStrictEqual([
      ["app-container", "kaniko"],
    ]);
  });
});

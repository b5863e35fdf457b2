import { describe, expect, it } from "vitest";
import type { ForkReport, ImageReport } from "../../src/domain/report.ts";
import { forkGrid, forkRemarks, forkSentences, forkTitle } from "../../src/reports/fork-table.ts";
import { plainTable } from "../../src/reports/plain-table.ts";
import { exampleReport } from "../fixtures/report/example.ts";
import { BUILDAH_FORK, forkRun, INLINE_FORK, KANIKO_FORK } from "../fixtures/report/forks.ts";

/** The example's image with these forks of its two strategies. */
function imageWith(current: ForkReport[], proposed: ForkReport[]): ImageReport {
  const [image] = exampleReport().images;
  if (image === undefined) throw new Error("the example has no image");
  const strategies = image.strategies.map((strategy, index) => ({
    ...strategy,
    forks: index === 0 ? current : proposed,
  }));
  return { ...image, strategies };
}

const closed = (fork: ForkReport, cachePush = fork.cachePush): ForkReport => ({
  upstream: "unreadable",
  cachePush,
  runs: fork.runs.map((run) => ({ ...run, hits: 0, misses: 3 })),
});

describe("the table of forks", () => {
  it("is none where no fork was tried", () => {
    expect(forkGrid(imageWith([], []), { moved: true })).toBeNull();
    expect(forkSentences(imageWith([], []))).toStrictEqual([]);
  });

  it("has a row for each strategy and access to upstream", () => {
    const image = imageWith([INLINE_FORK], [KANIKO_FORK, closed(KANIKO_FORK)]);
    expect(forkGrid(image, { moved: true })?.rows).toStrictEqual([
      ["docker/inline", "readable", "3.4 s, 20.15 MB", "3.1 s, 9.08 MB", "2, 3 of 3", "none"],
      ["kaniko/layers", "readable", "2.2 s, 20.15 MB", "2.2 s, 11.08 MB", "2, 2 of 3", "denied, goes on"],
      ["kaniko/layers", "unreadable", "2.2 s, 20.15 MB", "2.2 s, 11.08 MB", "0, 0 of 3", "denied, goes on"],
    ]);
  });

  it("fits into a mail without bytes", () => {
    const grid = forkGrid(imageWith([INLINE_FORK], [closed(BUILDAH_FORK)]), { moved: false });
    expect(grid === null ? "" : plainTable(grid, 78)).toBe(
      [
        "strategy       upstream       first    second     reused  cache push",
        "-------------  ----------  --------  --------  ---------  -------------",
        "docker/inline  readable       3.4 s     3.1 s  2, 3 of 3  none",
        "kaniko/layers  unreadable  exit 125  exit 125  0, 0 of 3  denied, fails",
      ].join("\n"),
    );
  });

  it("tells ends that are no success, and pipelines that were not run", () => {
    const ended = (more: Parameters<typeof forkRun>[0]) =>
      forkRun({ hits: "unknown", misses: "unknown", ...more });
    const image = imageWith(
      [
        {
          upstream: "readable",
          cachePush: "none",
          runs: [
            ended({ outcome: "out-of-memory", exitCode: 137 }),
            ended({ outcome: "timed-out", exitCode: null }),
          ],
        },
      ],
      [{ upstream: "readable", cachePush: "none", runs: [ended({ outcome: "failed", exitCode: 0 })] }],
    );
    expect(forkGrid(image, { moved: false })?.rows.map((row) => row.slice(2, 5))).toStrictEqual([
      ["is killed", "times out", "-, -"],
      ["fails", "-", "-"],
    ]);
  });

  it("counts layers of each pipeline where the two differ in number", () => {
    const runs = [forkRun({ hits: 1, misses: 1 }), forkRun({ hits: 3, misses: 0 })];
    const image = imageWith([{ upstream: "readable", cachePush: "allowed", runs }], []);
    expect(forkGrid(image, { moved: false })?.rows[0]?.slice(4)).toStrictEqual(["1 of 2, 3 of 3", "allowed"]);
  });
});

describe("the remarks below the table of forks", () => {
  it("are none where every job succeeds and no push is refused", () => {
    expect(forkRemarks(imageWith([INLINE_FORK], []))).toStrictEqual([]);
  });

  it("say in a sentence which push is refused and which job fails", () => {
    expect(forkRemarks(imageWith([INLINE_FORK], [KANIKO_FORK, closed(BUILDAH_FORK)]))).toStrictEqual([
      "kaniko/layers in a fork: its push to the cache is refused, and the job goes on.",
      "kaniko/layers in a fork that cannot read upstream's registry fails with exit code 125 in both pipelines: its push to the cache is refused.",
    ]);
  });

  it("stand under a title that names the bytes where the table has them", () => {
    expect(forkTitle({ moved: true })).toContain("time and bytes moved (pulled and pushed), layers reused");
    expect(forkTitle({ moved: false })).toContain("last edit: time, layers reused");
  });
});

describe("the sentences of forks", () => {
  it("say what is reused and what became of the push to the cache", () => {
    expect(forkSentences(imageWith([INLINE_FORK], [KANIKO_FORK, closed(BUILDAH_FORK)]))).toStrictEqual([
      "docker/inline in a fork succeeds and reuses 2 of 3 layers, then 3 of 3.",
      "kaniko/layers in a fork succeeds and reuses 2 of 3 layers both times; its push to the cache is refused, and the job goes on.",
      "kaniko/layers in a fork that cannot read upstream's registry fails with exit code 125 in both pipelines: its push to the cache is refused.",
    ]);
  });

  it("blame the push for no end that has another reason", () => {
    const killed = forkRun({ outcome: "out-of-memory", exitCode: 137, hits: "unknown", misses: "unknown" });
    const fork: ForkReport = {
      upstream: "readable",
      cachePush: "denied: the job goes on",
      runs: [forkRun(), killed],
    };
    expect(forkSentences(imageWith([fork], []))).toStrictEqual([
      "docker/inline in a fork is killed in the second pipeline.",
    ]);
  });

  it("say which job does not run in forks, beside one that does", () => {
    const image = imageWith([INLINE_FORK], []);
    const strategies = image.strategies.map((strategy) =>
      strategy.forks.length > 0
        ? strategy
        : { ...strategy, recipe: { ...strategy.recipe, condition: "upstream" as const } },
    );
    expect(forkSentences({ ...image, strategies }).at(-1)).toBe(
      "The job of kaniko/layers does not run in forks.",
    );
  });
});

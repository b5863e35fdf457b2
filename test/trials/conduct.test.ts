import { describe, expect, it } from "vitest";
import type { StrategyReport } from "../../src/domain/report.ts";
import { conductImage, type ConductOptions, type Progress } from "../../src/trials/conduct.ts";
import {
  ended,
  quietDoors,
  trialWorld,
  type FakeBuild,
  type FakeLayer,
  type TrialWorld,
} from "../fakes/trial-world.ts";
import { conductOptions, imageTrial, trialRecipe, trialSource } from "../fixtures/trial/image-trial.ts";

const GIB = 1024 ** 3;
const BASE: FakeLayer = ["base", 1_000_000];
const DEBIAN = "docker.io/library/debian:12-slim";

/** docker keeps one image; kaniko keeps its layers in a cache as well. An edit makes the second layer anew. */
const bothBuilders: FakeBuild = (job, registry) => {
  const layer: FakeLayer = job.name.includes("edit") ? ["edited", 5_000_100] : ["one", 5_000_000];
  registry.push("group/project/qemu/alder", "latest", [BASE, layer]);
  if (job.image === "kaniko:debug") registry.push("group/project/qemu/alder-cache", layer[0], [layer]);
  return {};
};

async function conducted(world: TrialWorld, more: Partial<ConductOptions> = {}, signal?: AbortSignal) {
  const trial = await imageTrial(trialRecipe("docker/inline"), trialRecipe("kaniko/layers", { line: 20 }));
  const progress: Progress[] = [];
  const doors = {
    run: world.run,
    startRegistry: world.startRegistry,
    onProgress: (next: Progress) => void progress.push(next),
    ...quietDoors(),
  };
  const options = conductOptions(more);
  const conducted = await conductImage(trial, options, doors, signal ?? new AbortController().signal);
  return { ...conducted, progress };
}

const steps = (world: TrialWorld, ...kinds: string[]) =>
  world.log.filter((step) => kinds.some((kind) => step.startsWith(kind)));

const sideOf = (strategies: readonly StrategyReport[], role: StrategyReport["role"]) =>
  strategies.find((strategy) => strategy.role === role);

describe("the trial of one image", () => {
  it("tries current and proposed in turn, each repeat in a registry of its own", async () => {
    const world = trialWorld(bothBuilders);
    await conducted(world, { repeats: 2 });
    expect(steps(world, "start", "run", "remove")).toStrictEqual([
      "start r1-alder-current-1",
      "run r1-alder-current-1-cold",
      "run r1-alder-current-1-warm",
      "run r1-alder-current-1-edit-1",
      "remove r1-alder-current-1",
      "start r1-alder-proposed-1",
      "run r1-alder-proposed-1-cold",
      "run r1-alder-proposed-1-warm",
      "run r1-alder-proposed-1-edit-1",
      "remove r1-alder-proposed-1",
      "start r1-alder-current-2",
      "run r1-alder-current-2-cold",
      "run r1-alder-current-2-warm",
      "run r1-alder-current-2-edit-1",
      "remove r1-alder-current-2",
      "start r1-alder-proposed-2",
      "run r1-alder-proposed-2-cold",
      "run r1-alder-proposed-2-warm",
      "run r1-alder-proposed-2-edit-1",
      "remove r1-alder-proposed-2",
    ]);
  });

  it("tells its progress before each run", async () => {
    const { progress } = await conducted(trialWorld(bothBuilders), { repeats: 2 });
    expect(progress).toHaveLength(12);
    expect(progress.map(({ done }) => done)).toStrictEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(progress[4]).toStrictEqual({
      done: 4,
      total: 12,
      label: "alder kaniko/layers (proposed), warm, repeat 1",
    });
    expect(progress.at(-1)?.label).toBe("alder kaniko/layers (proposed), edit 1, repeat 2");
  });

  it("reports both sides with their recipes, storage and arrays of one figure a repeat", async () => {
    const { image, notes } = await conducted(trialWorld(bothBuilders), {
      repeats: 3,
      bases: new Map([[DEBIAN, { digest: "sha256:debian", diffIds: ["diff-base"] }]]),
    });
    expect(image.image).toBe("alder");
    expect(image.dockerfile).toBe("images/alder.docker");
    expect(image.bases).toStrictEqual([{ name: DEBIAN, digest: "sha256:debian", from: DEBIAN }]);
    expect(image.edits).toStrictEqual([{ description: "RUN 1 of 2, line 2", synthetic: true, line: 2 }]);
    const [current, proposed] = image.strategies;
    expect([current?.role, current?.strategy, current?.privileges, current?.recipe.line]).toStrictEqual([
      "current",
      "docker/inline",
      "daemon",
      14,
    ]);
    expect([proposed?.role, proposed?.strategy, proposed?.privileges, proposed?.recipe.line]).toStrictEqual([
      "proposed",
      "kaniko/layers",
      "none",
      20,
    ]);
    expect(current?.runs.map(({ scenario, hits, misses }) => [scenario, hits, misses])).toStrictEqual([
      ["cold", 0, 1],
      ["warm", 1, 0],
      ["edit 1", 0, 1],
    ]);
    expect(current?.runs[0]).toMatchObject({
      outcome: "succeeded",
      buildMs: [1_000, 1_000, 1_000],
      pushMs: [500, 500, 500],
      totalMs: [1_500, 1_500, 1_500],
      memoryLimitBytes: 8 * GIB,
      storageRun: null,
    });
    // docker's tag moved on, kaniko's entries stay.
    expect(current?.runs.map((run) => run.ledgers?.namespace)).toStrictEqual([
      6_000_000, 6_000_000, 6_000_100,
    ]);
    expect(proposed?.runs.map((run) => run.ledgers?.namespace)).toStrictEqual([
      6_000_000, 6_000_000, 11_000_100,
    ]);
    expect(image.verdict).toBe("worse");
    expect(image.figures[0]).toMatchObject({ current: 6_000_100, proposed: 11_000_100, judgement: "worse" });
    expect(notes).toStrictEqual([]);
  });

  it("carries flags that were left out on their side", async () => {
    const world = trialWorld(bothBuilders);
    const trial = await imageTrial(
      trialRecipe("docker/inline", { flags: ["--network=host", "--pull"] }),
      trialRecipe("kaniko/layers", { flags: ["--cache=true"], buildArgs: { TOKEN: null } }),
    );
    const doors = {
      run: world.run,
      startRegistry: world.startRegistry,
      onProgress: () => {},
      ...quietDoors(),
    };
    const { image } = await conductImage(trial, conductOptions(), doors, new AbortController().signal);
    expect(image.strategies.map(({ droppedFlags }) => droppedFlags)).toStrictEqual([
      [{ flag: "--network=host", why: "every build of a trial uses the network of its job" }],
      [{ flag: "--build-arg=TOKEN", why: "its value is known in a pipeline only" }],
    ]);
  });

  it("notes where repeats differ", async () => {
    const world = trialWorld((job, registry, nth) => {
      bothBuilders(job, registry, nth);
      // The second repeat of the proposed side stores 40 bytes more.
      if (job.name.includes("proposed-2")) {
        registry.push("group/project/qemu/alder-cache", "odd", [["odd", 40]]);
      }
      return {};
    });
    const { notes } = await conducted(world, { repeats: 2 });
    expect(notes).toStrictEqual([
      "alder, kaniko/layers: storage differs by up to 40 B between repeats; the first repeat is shown.",
    ]);
  });
});

describe("a side that does not succeed", () => {
  it("is not repeated; the other side is", async () => {
    const world = trialWorld((job, registry, nth) =>
      job.image === "kaniko:debug" ? ended("out-of-memory", "Killed") : bothBuilders(job, registry, nth),
    );
    const { image, progress } = await conducted(world, { repeats: 3 });
    expect(steps(world, "start")).toStrictEqual([
      "start r1-alder-current-1",
      "start r1-alder-proposed-1",
      "start r1-alder-current-2",
      "start r1-alder-current-3",
      // kaniko keeps compressed layers in memory: it is tried without, too.
      "start r1-alder-kaniko-layers-uncompressed-1",
    ]);
    expect(sideOf(image.strategies, "other")).toMatchObject({
      strategy: "kaniko/layers",
      variant: "uncompressed",
      recipe: { flags: [...trialRecipe("kaniko/layers").flags, "--compressed-caching=false"] },
    });
    const proposed = sideOf(image.strategies, "proposed");
    expect(proposed?.runs).toHaveLength(1);
    expect(proposed?.runs[0]).toMatchObject({
      scenario: "cold",
      outcome: "out-of-memory",
      failure: ["Killed"],
      totalMs: [],
      ledgers: null,
      repositories: [],
    });
    expect(sideOf(image.strategies, "current")?.runs[0]?.totalMs).toHaveLength(3);
    expect(image.verdict).toBe("broken");
    expect(Math.max(...progress.map(({ done }) => done))).toBeLessThan(18);
  });

  it("is run once more with more memory for its storage, under another name, and stays broken", async () => {
    const world = trialWorld((job, registry, nth) =>
      job.image === "kaniko:debug" && job.limits.memoryBytes === 8 * GIB
        ? ended("out-of-memory", "Killed")
        : bothBuilders(job, registry, nth),
    );
    const { image, progress } = await conducted(world, { repeats: 2, moreMemoryBytes: 12 * GIB });
    expect(steps(world, "run r1-alder-proposed")).toStrictEqual([
      "run r1-alder-proposed-1-cold",
      "run r1-alder-proposed-1-cold-roomy",
      "run r1-alder-proposed-1-warm",
      "run r1-alder-proposed-1-warm-roomy",
      "run r1-alder-proposed-1-edit-1",
      "run r1-alder-proposed-1-edit-1-roomy",
    ]);
    const proposed = sideOf(image.strategies, "proposed");
    expect(proposed?.runs.map(({ outcome, ledgers }) => [outcome, ledgers?.namespace])).toStrictEqual([
      ["out-of-memory", 6_000_000],
      ["out-of-memory", 6_000_000],
      ["out-of-memory", 11_000_100],
    ]);
    expect(proposed?.runs[0]?.storageRun).toStrictEqual({
      outcome: "succeeded",
      memoryPeakBytes: 100_000_000,
      anonymousPeakBytes: 60_000_000,
      memoryLimitBytes: 12 * GIB,
    });
    expect(image.verdict).toBe("broken");
    expect(progress.map(({ label }) => label)).toContain(
      "alder kaniko/layers (proposed), cold, more memory, repeat 1",
    );
    // Untimed runs are beside the count.
    expect(progress.map(({ done, total }) => done < total)).not.toContain(false);
  });

  it("is infrastructure where both sides fail", async () => {
    const { image } = await conducted(
      trialWorld(() => ended("failed", "no network")),
      { repeats: 2 },
    );
    expect(image.verdict).toBe("infrastructure");
    expect(image.strategies.map(({ runs }) => runs.map(({ outcome }) => outcome))).toStrictEqual([
      ["failed"],
      ["failed"],
    ]);
  });

  it("ends everything at a Ctrl-C, and leaves no registry", async () => {
    const controller = new AbortController();
    const world = trialWorld((job, registry, nth) => {
      if (nth === 5) controller.abort(new Error("interrupted"));
      return bothBuilders(job, registry, nth);
    });
    await expect(conducted(world, { repeats: 2 }, controller.signal)).rejects.toThrow("interrupted");
    expect(steps(world, "start")).toHaveLength(2);
    expect(steps(world, "remove")).toHaveLength(2);
    expect(world.jobs).toHaveLength(5);
  });
});

describe("strategies beside the change's own", () => {
  it("are tried behind them, each as often as asked for, and decide nothing", async () => {
    const world = trialWorld(bothBuilders);
    const trial = await imageTrial(trialRecipe("docker/inline"), trialRecipe("kaniko/layers"));
    const source = await trialSource(trialRecipe("docker/none"), undefined, ["first", "last"]);
    const doors = {
      run: world.run,
      startRegistry: world.startRegistry,
      onProgress: () => {},
      ...quietDoors(),
    };
    const { image, machineMs } = await conductImage(
      { ...trial, others: [{ variant: null, source }] },
      conductOptions({ repeats: 2, otherRepeats: 1 }),
      doors,
      new AbortController().signal,
    );
    expect(steps(world, "start")).toStrictEqual([
      "start r1-alder-current-1",
      "start r1-alder-proposed-1",
      "start r1-alder-current-2",
      "start r1-alder-proposed-2",
      "start r1-alder-docker-none-1",
    ]);
    expect(image.strategies.map(({ role, strategy }) => [role, strategy])).toStrictEqual([
      ["current", "docker/inline"],
      ["proposed", "kaniko/layers"],
      ["other", "docker/none"],
    ]);
    expect(image.strategies[2]?.runs.map(({ scenario }) => scenario)).toStrictEqual([
      "cold",
      "warm",
      "edit 1",
      "edit 2",
    ]);
    expect(image.figures[0]).toMatchObject({ figure: "bytes by GitLab's count after edit 1" });
    expect(machineMs).toBe(16_000);
  });

  it("are repeated only while the time budget lasts", async () => {
    const world = trialWorld(bothBuilders);
    const trial = await imageTrial(trialRecipe("docker/inline"), trialRecipe("kaniko/layers"));
    const asked: number[] = [];
    const doors = {
      run: world.run,
      startRegistry: world.startRegistry,
      onProgress: () => {},
      ...quietDoors(),
      hasTimeFor: (expectedMs: number) => asked.push(expectedMs) < 2,
    };
    const { notes } = await conductImage(
      trial,
      conductOptions({ repeats: 5 }),
      doors,
      new AbortController().signal,
    );
    // Two sides of three runs of a second each.
    expect(asked).toStrictEqual([6_000, 6_000]);
    expect(steps(world, "start")).toHaveLength(4);
    expect(notes).toStrictEqual(["alder: the time budget ended after 2 of 5 repeats."]);
  });
});

describe("a contributor's fork", () => {
  /** As the builders above, in whatever project the job names. */
  const anywhere: FakeBuild = (job, registry) => {
    const project = job.name.includes("fork") ? "contributor/project" : "group/project";
    registry.push(`${project}/qemu/alder`, "latest", [BASE, [job.name, 5_000_000]]);
    return {};
  };

  it("is tried in the first repeat of each side, and counted in the progress", async () => {
    const world = trialWorld(anywhere);
    const { image, progress } = await conducted(world, { repeats: 2, forks: ["readable"] });
    expect(steps(world, "run").filter((step) => step.includes("fork"))).toStrictEqual([
      "run r1-alder-current-1-fork-1-readable",
      "run r1-alder-current-1-fork-2-readable",
      "run r1-alder-proposed-1-fork-1-readable",
      "run r1-alder-proposed-1-fork-2-readable",
    ]);
    expect(progress.at(-1)).toMatchObject({ done: 15, total: 16 });
    expect(progress[2]?.label).toBe("alder docker/inline (current), fork 1, upstream readable, repeat 1");
    expect(image.strategies.map(({ forks }) => forks.map(({ runs }) => runs.length))).toStrictEqual([
      [2],
      [2],
    ]);
  });

  it("has its own image; what upstream's template names literally stays upstream's", async () => {
    const world = trialWorld(anywhere);
    await conducted(world, { forks: ["readable"] });
    const job = world.jobs.find(({ name }) => name === "r1-alder-proposed-1-fork-1-readable");
    expect(job?.main.filter((word) => /destination|cache-repo|dockerfile/.test(word))).toStrictEqual([
      "--dockerfile=/builds/group/project/images/alder.docker",
      "--destination=127.0.0.1:5000/contributor/project/qemu/alder:latest",
      "--cache-repo=127.0.0.1:5000/group/project/qemu/alder-cache",
    ]);
    // The tree is the same, with the edit.
    const edited = world.jobs.find(({ name }) => name === "r1-alder-proposed-1-edit-1");
    const tree = (files: (typeof world.jobs)[number]["files"]) =>
      files.filter(({ path }) => path.startsWith("/builds/"));
    expect(tree(job?.files ?? [])).toStrictEqual(tree(edited?.files ?? []));
    expect(tree(job?.files ?? [])).toHaveLength(3);
  });

  it("decides nothing, however it ends", async () => {
    const failing: FakeBuild = (job, registry, nth) =>
      job.name.includes("proposed-1-fork") ? ended("failed") : anywhere(job, registry, nth);
    const { image } = await conducted(trialWorld(failing), { forks: ["readable", "unreadable"] });
    const without = await conducted(trialWorld(anywhere));
    expect([image.verdict, image.figures]).toStrictEqual([without.image.verdict, without.image.figures]);
    expect(sideOf(image.strategies, "proposed")?.runs.map(({ outcome }) => outcome)).toStrictEqual([
      "succeeded",
      "succeeded",
      "succeeded",
    ]);
    expect(
      sideOf(image.strategies, "proposed")?.forks.map(({ runs }) => runs.map(({ outcome }) => outcome)),
    ).toStrictEqual([
      ["failed", "failed"],
      ["failed", "failed"],
    ]);
  });

  it("is none where the job is upstream's alone", async () => {
    const current = trialRecipe("docker/inline", { condition: "upstream" });
    const trial = await imageTrial(current, trialRecipe("kaniko/layers", { line: 20 }));
    const world = trialWorld(anywhere);
    const doors = {
      ...quietDoors(),
      run: world.run,
      startRegistry: world.startRegistry,
      onProgress: () => {},
    };
    const options = conductOptions({ forks: ["readable"] });
    const { image } = await conductImage(trial, options, doors, new AbortController().signal);
    expect(image.strategies.map(({ forks }) => forks.length)).toStrictEqual([0, 1]);
  });
});

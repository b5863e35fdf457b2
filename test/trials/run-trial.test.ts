import { describe, expect, it } from "vitest";
import { builders } from "../../src/builders/index.ts";
import { DEFAULT_LIMITS } from "../../src/domain/job.ts";
import { Outage, Problem } from "../../src/domain/problem.ts";
import type { Scenario } from "../../src/domain/report.ts";
import type { RunReason } from "../../src/trials/run-build.ts";
import { runTrial, type TrialDoors, type TrialSpec } from "../../src/trials/run-trial.ts";
import {
  ended,
  quietDoors,
  trialWorld,
  type FakeBuild,
  type FakeLayer,
  type TrialWorld,
} from "../fakes/trial-world.ts";
import { plannedRun } from "../fixtures/trial/build-run.ts";
import { trialRecipe } from "../fixtures/trial/image-trial.ts";

const GIB = 1024 ** 3;

const BASE: FakeLayer = ["base", 1_000_000];
const ONE: FakeLayer = ["one", 5_000_000];
const TWO: FakeLayer = ["two", 700_000];
const EDITED: FakeLayer = ["edited", 5_000_100];
const AGAIN: FakeLayer = ["again", 700_000];

function specOf(more: Partial<TrialSpec> = {}): TrialSpec {
  return {
    name: "r1",
    builder: builders.kaniko,
    prerequisites: [],
    scenarios: ["cold", "warm", "edit 1"],
    describe: (scenario, host, limits) =>
      plannedRun(trialRecipe("kaniko/layers", { flags: ["--cache=true", "--verbosity=debug"] }), {
        name: `${scenario.replace(" ", "-")}-${limits.memoryBytes / GIB}g`,
        images: [`${host}/group/app:latest`],
        cacheFrom: [`${host}/group/app-cache`],
        cacheTo: [`${host}/group/app-cache`],
        registryHost: host,
        limits,
      }),
    fork: null,
    limits: DEFAULT_LIMITS,
    moreMemoryBytes: 12 * GIB,
    baseDiffIds: () => ["diff-base"],
    ...more,
  };
}

function tried(
  world: TrialWorld,
  spec = specOf(),
  signal = new AbortController().signal,
  more: Partial<TrialDoors> = {},
) {
  const { run, startRegistry } = world;
  const onRun = (scenario: Scenario, why: RunReason) =>
    void world.log.push(`announce ${scenario}${why === "timed" ? "" : `, ${why}`}`);
  return runTrial(spec, { ...quietDoors(), ...more, run, startRegistry, onRun }, signal);
}

/** What kaniko does with two RUNs: cold stores both, warm finds both, an edit of the first makes both anew. */
const kaniko: FakeBuild = (job, registry) => {
  const layers = job.name.startsWith("edit") ? [EDITED, AGAIN] : [ONE, TWO];
  for (const layer of layers) registry.push("group/app-cache", layer[0], [layer]);
  registry.push("group/app", "latest", [BASE, ...layers]);
  registry.move({ pulledBytes: 300, pushedBytes: 12_000_000 });
  return {};
};

describe("a trial that succeeds", () => {
  it("marks the registry before each run, and counts traffic around the run alone", async () => {
    const world = trialWorld(kaniko);
    await tried(world, specOf({ scenarios: ["cold", "warm"] }));
    expect(world.log).toStrictEqual([
      "start r1",
      "snapshot",
      "mark",
      "announce cold",
      "traffic",
      "run cold-8g",
      "traffic",
      "snapshot",
      "config config-group/app-base-one-two",
      "mark",
      "announce warm",
      "traffic",
      "run warm-8g",
      "traffic",
      "snapshot",
      "config config-group/app-base-one-two",
      "remove r1",
    ]);
  });

  it("does not count what Tare itself reads of the registry", async () => {
    const { runs } = await tried(trialWorld(kaniko));
    const moved = { pulledBytes: 300, pushedBytes: 12_000_000, serverErrors: 0 };
    expect(runs.map((run) => run.traffic)).toMatchObject([moved, moved, moved]);
  });

  it("tells hits by digest; layers of the base image are neither", async () => {
    const { runs } = await tried(trialWorld(kaniko));
    expect(runs.map(({ scenario, hits, misses }) => ({ scenario, hits, misses }))).toStrictEqual([
      { scenario: "cold", hits: 0, misses: 2 },
      { scenario: "warm", hits: 2, misses: 0 },
      { scenario: "edit 1", hits: 0, misses: 2 },
    ]);
  });

  it("charges each run with all that the registry holds after it", async () => {
    const { runs } = await tried(trialWorld(kaniko));
    const cache = (entries: number, layers: number) => entries * (500 + 1_000) + layers;
    const image = (layers: number) => 500 + 1_000 + 1_000_000 + layers;
    expect(runs.map((run) => run.ledgers)).toStrictEqual([
      // The cache beside the image costs its manifests and configurations in the root namespace's eyes: nothing.
      {
        perRepository: cache(2, 5_700_000) + image(5_700_000),
        namespace: 6_700_000,
        stored: 6_700_000 + 3 * 1_500,
        ghcr: cache(2, 5_700_000) + image(5_700_000),
      },
      {
        perRepository: cache(2, 5_700_000) + image(5_700_000),
        namespace: 6_700_000,
        stored: 6_700_000 + 3 * 1_500,
        ghcr: cache(2, 5_700_000) + image(5_700_000),
      },
      {
        perRepository: cache(4, 11_400_100) + image(5_700_100),
        namespace: 1_000_000 + 5_700_000 + 5_700_100,
        stored: 1_000_000 + 5_700_000 + 5_700_100 + 6 * 1_500,
        // The image before the edit is a version that stays.
        ghcr: cache(4, 11_400_100) + image(5_700_100) + 5_700_000 + 1_500,
      },
    ]);
    expect(runs.at(-1)?.repositories).toStrictEqual([
      { name: "group/app", role: "image", tags: 1, bytes: image(5_700_100) },
      { name: "group/app-cache", role: "cache", tags: 4, bytes: cache(4, 11_400_100) },
    ]);
  });

  it("names the flags that were left out, and the limit of each run", async () => {
    const { runs, dropped } = await tried(trialWorld(kaniko));
    expect(dropped).toStrictEqual([{ flag: "--verbosity=debug", why: "Tare reads the log in one format" }]);
    expect(runs.map(({ timed, memoryLimitBytes }) => ({ timed, memoryLimitBytes }))).toStrictEqual(
      Array.from({ length: 3 }, () => ({ timed: true, memoryLimitBytes: 8 * GIB })),
    );
  });

  it("has failed where the builder ends with 0 and leaves no image under its name", async () => {
    const world = trialWorld((_, registry) => {
      registry.push("group/app", "other-tag", [BASE, ONE]);
      return {};
    });
    const { runs } = await tried(world);
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatchObject({ hits: "unknown", misses: "unknown", result: { outcome: "failed" } });
    expect(runs[0]?.result.log.at(-1)?.line).toBe(
      "[tare: the builder ended without an error, and pushed no 127.0.0.1:5000/group/app:latest]",
    );
  });

  it("says what a build pushed beside its image and its cache, once", async () => {
    const world = trialWorld((job, registry, nth) => {
      registry.push("group/elsewhere", "latest", [TWO]);
      return kaniko(job, registry, nth);
    });
    const { remarks } = await tried(world);
    expect(remarks).toStrictEqual([
      "cold: the build pushed to group/elsewhere, which the recipe does not name.",
    ]);
  });
});

describe("an end that a builder's own log does not explain", () => {
  const lastLine = async (ending: ReturnType<FakeBuild>) => {
    const { runs } = await tried(trialWorld(() => ending));
    return runs[0]?.result.log.map(({ line }) => line);
  };

  it("is explained: by the time limit", async () => {
    expect(await lastLine(ended("timed-out", "RUN sleep infinity"))).toStrictEqual([
      "RUN sleep infinity",
      "[tare: ended at its time limit of 1 h 00 m]",
    ]);
  });

  it("is explained: by the exit code of a builder that said nothing", async () => {
    const commands = [{ phase: "build" as const, startMs: 0, endMs: 5, exitCode: 139 }];
    expect(await lastLine({ outcome: "failed", commands })).toStrictEqual([
      "[tare: the builder ended with exit code 139 and said nothing]",
    ]);
    expect(await lastLine(ended("failed", "no such package"))).toStrictEqual(["no such package"]);
  });
});

it("remarks that an edit did not change the image: a builder may have pushed nothing", async () => {
  const world = trialWorld((job, registry, nth) => (nth === 1 ? kaniko(job, registry, nth) : {}));
  const { runs, remarks } = await tried(world);
  expect(runs.map(({ result }) => result.outcome)).toStrictEqual(["succeeded", "succeeded", "succeeded"]);
  expect(remarks).toStrictEqual([
    "edit 1: the image is the one from before the edit: the edit does not reach it, or it was not pushed.",
  ]);
});

describe("a registry that answers with errors of its own", () => {
  const failing =
    (ending: ReturnType<FakeBuild>): FakeBuild =>
    (_, registry) => {
      registry.failRequests(3, "filesystem: no space left on device");
      return ending;
    };

  it.each([
    ["failed", ended("failed")],
    ["ran out of time", ended("timed-out")],
    ["ended without an error and left no image", {}],
  ] as const)("is an Outage where the run %s, and no fault of the change", async (_, ending) => {
    const world = trialWorld(failing(ending));
    const trial = tried(world);
    await expect(trial).rejects.toThrow(Outage);
    await expect(trial).rejects.toThrow(
      "The trial's registry answered 3 requests of the cold run with an error: filesystem: no space left on device.",
    );
    expect(world.log.at(-1)).toBe("remove r1");
  });

  it("is an Outage in the build of what the image starts from, too", async () => {
    const base = {
      builder: builders.kaniko,
      describe: (host: string) => ({ ...specOf().describe("cold", host, DEFAULT_LIMITS), name: "base" }),
    };
    const world = trialWorld(failing(ended("failed")));
    await expect(tried(world, specOf({ prerequisites: [base] }))).rejects.toThrow(
      "of an image that this one starts from with an error",
    );
    expect(world.log.at(-1)).toBe("remove r1");
  });

  it("is a remark where the build succeeded all the same", async () => {
    const world = trialWorld((job, registry, nth) => {
      if (nth === 1) registry.failRequests(1, "EOF");
      return kaniko(job, registry, nth);
    });
    const { runs, remarks } = await tried(world);
    expect(runs.map(({ result }) => result.outcome)).toStrictEqual(["succeeded", "succeeded", "succeeded"]);
    expect(remarks).toStrictEqual([
      "cold: the trial's registry answered one request of the cold run with an error: EOF. The build succeeded all the same; it may have stored less by it, or taken longer.",
    ]);
  });

  it("does not excuse a build that was killed for want of memory", async () => {
    const world = trialWorld(failing(ended("out-of-memory")));
    const { runs } = await tried(world, specOf({ moreMemoryBytes: null }));
    expect(runs.map(({ result }) => result.outcome)).toStrictEqual(["out-of-memory"]);
  });
});

describe("the download cache", () => {
  it("is filled by a run that is set aside; the same run is made again from it", async () => {
    const world = trialWorld(kaniko);
    const missed = [false, true, false, false];
    const record = await tried(world, specOf({ scenarios: ["cold", "warm"] }), undefined, {
      missedDownloads: () => missed.shift() ?? false,
    });
    expect(world.log.filter((step) => /^(?:announce|run|roll)/.test(step))).toStrictEqual([
      "announce cold",
      "run cold-8g",
      "roll back",
      "announce cold, filling the download cache",
      "announce cold",
      "run cold-8g",
      "announce warm",
      "run warm-8g",
    ]);
    expect(record.runs.map(({ scenario, timed }) => [scenario, timed])).toStrictEqual([
      ["cold", true],
      ["warm", true],
    ]);
    // Three jobs held the machine for a second each of the fake's clock; two of them are reported.
    expect(record.machineMs).toBe(3_000);
  });
});

describe("an image that starts from another of the same templates", () => {
  const prerequisites = [
    {
      builder: builders.kaniko,
      describe: (host: string) => ({ ...specOf().describe("cold", host, DEFAULT_LIMITS), name: "base" }),
    },
  ];

  it("is tried once that one is in the registry, untimed", async () => {
    const world = trialWorld((job, registry, nth) => {
      if (job.name === "base") {
        registry.push("group/base", "latest", [BASE, ["tools", 900_000]]);
        return {};
      }
      return kaniko(job, registry, nth);
    });
    const { runs, remarks } = await tried(world, specOf({ prerequisites, scenarios: ["cold"] }));
    expect(world.log.filter((step) => /^(?:run|mark|announce)/.test(step))).toStrictEqual([
      "run base",
      "mark",
      "announce cold",
      "run cold-8g",
    ]);
    expect(runs[0]?.ledgers.namespace).toBe(7_600_000);
    expect(remarks).toStrictEqual([]);
  });

  it("has failed where that one cannot be built", async () => {
    const world = trialWorld(() => ended("failed", "no such package"));
    const { runs } = await tried(world, specOf({ prerequisites }));
    expect(runs.map(({ scenario, result }) => [scenario, result.outcome])).toStrictEqual([
      ["cold", "failed"],
    ]);
    expect(runs[0]?.result.log.map(({ line }) => line)).toStrictEqual([
      "no such package",
      "[tare: the image that this one starts from could not be built]",
    ]);
  });
});

/** A build that needs 10 GiB, and leaves half of its cache behind when it is killed for want of them. */
const greedy: FakeBuild = (job, registry, nth) => {
  if (job.limits.memoryBytes >= 10 * GIB) return kaniko(job, registry, nth);
  registry.push("group/app-cache", "half", [["half", 123_456]]);
  registry.move({ pulledBytes: 1, pushedBytes: 123_456 });
  return { ...ended("out-of-memory"), memoryPeakBytes: job.limits.memoryBytes };
};

describe("a run that is killed for want of memory", () => {
  it("is followed by one untimed run with more, in a registry as it was before", async () => {
    const world = trialWorld(greedy);
    const { runs } = await tried(world, specOf({ scenarios: ["cold", "warm"] }));
    expect(world.log).toStrictEqual([
      "start r1",
      "snapshot",
      "mark",
      "announce cold",
      "traffic",
      "run cold-8g",
      "traffic",
      "snapshot",
      "roll back",
      "announce cold, more memory",
      "traffic",
      "run cold-12g",
      "traffic",
      "snapshot",
      "config config-group/app-base-one-two",
      "mark",
      "announce warm",
      "traffic",
      "run warm-8g",
      "traffic",
      "snapshot",
      "roll back",
      "announce warm, more memory",
      "traffic",
      "run warm-12g",
      "traffic",
      "snapshot",
      "config config-group/app-base-one-two",
      "remove r1",
    ]);
    expect(
      runs.map(({ scenario, timed, memoryLimitBytes, hits, misses, ledgers, result }) => ({
        run: `${scenario}, ${timed ? "timed" : "untimed"}, ${memoryLimitBytes / GIB} GiB: ${result.outcome}`,
        hits,
        misses,
        namespace: ledgers.namespace,
      })),
    ).toStrictEqual([
      { run: "cold, timed, 8 GiB: out-of-memory", hits: "unknown", misses: "unknown", namespace: 123_456 },
      // Nothing of the killed run is left in the charge.
      { run: "cold, untimed, 12 GiB: succeeded", hits: 0, misses: 2, namespace: 6_700_000 },
      { run: "warm, timed, 8 GiB: out-of-memory", hits: "unknown", misses: "unknown", namespace: 6_823_456 },
      { run: "warm, untimed, 12 GiB: succeeded", hits: 2, misses: 0, namespace: 6_700_000 },
    ]);
  });

  it("ends the trial where the machine has no more", async () => {
    const world = trialWorld(greedy);
    const { runs } = await tried(world, specOf({ moreMemoryBytes: null }));
    expect(runs.map(({ scenario, result }) => [scenario, result.outcome])).toStrictEqual([
      ["cold", "out-of-memory"],
    ]);
    expect(world.log).not.toContain("roll back");
    expect(world.log.at(-1)).toBe("remove r1");
  });

  it("ends the trial where more memory is not enough either", async () => {
    const world = trialWorld(greedy);
    const { runs } = await tried(world, specOf({ moreMemoryBytes: 9 * GIB }));
    expect(runs.map(({ timed, result }) => [timed, result.outcome])).toStrictEqual([
      [true, "out-of-memory"],
      [false, "out-of-memory"],
    ]);
    expect(world.log.filter((step) => step === "roll back")).toHaveLength(1);
    expect(world.log.at(-1)).toBe("remove r1");
  });
});

describe("a run that ends otherwise", () => {
  it.each(["failed", "timed-out"] as const)("%s: the trial stops there", async (outcome) => {
    const world = trialWorld((job, registry, nth) =>
      nth === 2 ? ended(outcome) : kaniko(job, registry, nth),
    );
    const { runs } = await tried(world);
    expect(runs.map(({ scenario, result }) => [scenario, result.outcome])).toStrictEqual([
      ["cold", "succeeded"],
      ["warm", outcome],
    ]);
    expect(runs[1]).toMatchObject({ hits: "unknown", misses: "unknown" });
    expect(world.log).not.toContain("roll back");
    expect(world.log.slice(-3)).toStrictEqual(["traffic", "snapshot", "remove r1"]);
  });

  it("by a Ctrl-C: nothing more is read of it, and the registry is removed", async () => {
    const controller = new AbortController();
    const world = trialWorld((job, registry, nth) => {
      if (nth === 2) controller.abort(new Error("interrupted"));
      return nth === 2 ? ended("canceled") : kaniko(job, registry, nth);
    });
    await expect(tried(world, specOf(), controller.signal)).rejects.toThrow("interrupted");
    expect(world.log.slice(-2)).toStrictEqual(["run warm-8g", "remove r1"]);
  });

  it("before it began: no job is handed over", async () => {
    const world = trialWorld(kaniko);
    await expect(tried(world, specOf(), AbortSignal.abort(new Error("interrupted")))).rejects.toThrow(
      "interrupted",
    );
    expect(world.jobs).toStrictEqual([]);
    expect(world.log.at(-1)).toBe("remove r1");
  });

  it("in an Outage of the engine: it is passed on, and the registry is removed", async () => {
    const outage = new Outage("The engine could not start a container: no space left", "Run `tare doctor`.");
    const world = trialWorld(() => {
      throw outage;
    });
    await expect(tried(world)).rejects.toBe(outage);
    expect(world.log.at(-1)).toBe("remove r1");
  });

  it("in a Problem of its flags: no job is handed over, and the registry is removed", async () => {
    const world = trialWorld(kaniko);
    const spec = specOf();
    const refused = specOf({
      describe: (scenario, host, limits) => ({
        ...spec.describe(scenario, host, limits),
        recipe: trialRecipe("kaniko/layers", { flags: ["--secret=id=key"] }),
      }),
    });
    await expect(tried(world, refused)).rejects.toThrow(Problem);
    expect(world.jobs).toStrictEqual([]);
    expect(world.log.at(-1)).toBe("remove r1");
  });
});

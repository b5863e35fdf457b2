import { describe, expect, it } from "vitest";
import { builders } from "../../src/builders/index.ts";
import { DEFAULT_LIMITS } from "../../src/domain/job.ts";
import { Outage } from "../../src/domain/problem.ts";
import type { Scenario, UpstreamAccess } from "../../src/domain/report.ts";
import type { ForkSpec } from "../../src/trials/fork.ts";
import type { RunReason } from "../../src/trials/run-build.ts";
import { runTrial, type TrialDoors, type TrialSpec } from "../../src/trials/run-trial.ts";
import { summarizeForks } from "../../src/trials/summarize-forks.ts";
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

const BASE: FakeLayer = ["base", 1_000_000];
const ONE: FakeLayer = ["one", 5_000_000];
const TWO: FakeLayer = ["two", 700_000];
const EDITED: FakeLayer = ["edited", 700_100];

const CACHE = "group/app-cache";
const REFUSED = { user: "contributor", repository: CACHE, action: "push" } as const;

function described(name: string, project: string, host: string) {
  return plannedRun(trialRecipe("kaniko/layers", { flags: ["--cache=true"] }), {
    name,
    images: [`${host}/${project}/app:latest`],
    cacheFrom: [`${host}/${CACHE}`],
    cacheTo: [`${host}/${CACHE}`],
    registryHost: host,
  });
}

function forkOf(upstreams: UpstreamAccess[], more: Partial<ForkSpec> = {}): ForkSpec {
  return {
    edit: "edit 1",
    namespace: "contributor",
    upstreams,
    prerequisites: [],
    describe: (nth, upstream, host) => described(`fork-${nth}-${upstream}`, "contributor", host),
    ...more,
  };
}

function specOf(fork: ForkSpec | null, scenarios: Scenario[] = ["cold", "warm", "edit 1"]): TrialSpec {
  return {
    name: "r1",
    builder: builders.kaniko,
    prerequisites: [],
    scenarios,
    describe: (scenario, host) => described(scenario.replace(" ", "-"), "group", host),
    fork,
    limits: DEFAULT_LIMITS,
    moreMemoryBytes: null,
    baseDiffIds: () => ["diff-base"],
  };
}

function tried(world: TrialWorld, spec: TrialSpec, more: Partial<TrialDoors> = {}) {
  const { run, startRegistry } = world;
  const onRun = (what: string, why: RunReason) =>
    void world.log.push(`announce ${what}${why === "timed" ? "" : `, ${why}`}`);
  const doors = { ...quietDoors(), run, startRegistry, onRun, ...more };
  return runTrial(spec, doors, new AbortController().signal);
}

/** kaniko with two RUNs, the last of them edited; a fork's push to the cache is refused, and it goes on. */
const kaniko: FakeBuild = (job, registry) => {
  const isFork = job.name.startsWith("fork");
  const layers = isFork || job.name.startsWith("edit") ? [ONE, EDITED] : [ONE, TWO];
  if (isFork) registry.deny(REFUSED);
  else for (const layer of layers) registry.push(CACHE, layer[0], [layer]);
  registry.push(`${isFork ? "contributor" : "group"}/app`, "latest", [BASE, ...layers]);
  registry.move({ pulledBytes: 300, pushedBytes: isFork ? 6_700_100 : 12_000_000 });
  return {};
};

const steps = (world: TrialWorld) =>
  world.log.filter((step) => !/^(?:snapshot|traffic|config|start)/.test(step));

describe("a contributor's pipelines", () => {
  it("come right before the edit that they make, and are rolled back", async () => {
    const world = trialWorld(kaniko);
    const { runs } = await tried(world, specOf(forkOf(["readable", "unreadable"])));
    expect(steps(world)).toStrictEqual([
      "mark",
      "announce cold",
      "run cold",
      "mark",
      "announce warm",
      "run warm",
      "mark",
      "upstream readable",
      "announce fork 1, upstream readable",
      "run fork-1-readable",
      "announce fork 2, upstream readable",
      "run fork-2-readable",
      "roll back",
      "upstream unreadable",
      "announce fork 1, upstream unreadable",
      "run fork-1-unreadable",
      "announce fork 2, upstream unreadable",
      "run fork-2-unreadable",
      "roll back",
      "upstream readable",
      "announce edit 1",
      "run edit-1",
      "remove r1",
    ]);
    // Upstream's own runs are what they are without a fork.
    const alone = await tried(trialWorld(kaniko), specOf(null));
    expect(runs).toStrictEqual(alone.runs);
  });

  it("carry the contributor's password, and upstream's runs upstream's", async () => {
    const world = trialWorld(kaniko);
    await tried(world, specOf(forkOf(["readable"])));
    const logins = world.jobs.map(({ name, files }) => {
      const file = files.find(({ path }) => path === "/kaniko/.docker/config.json");
      const text = file?.kind === "file" ? Buffer.from(file.content).toString("utf8") : "{}";
      const { auths } = JSON.parse(text) as { auths: Record<string, { auth: string }> };
      return [name, Buffer.from(auths["127.0.0.1:5000"]?.auth ?? "", "base64").toString("utf8")];
    });
    expect(logins).toStrictEqual([
      ["cold", "upstream:password of upstream"],
      ["warm", "upstream:password of upstream"],
      ["fork-1-readable", "contributor:password of contributor"],
      ["fork-2-readable", "contributor:password of contributor"],
      ["edit-1", "upstream:password of upstream"],
    ]);
  });

  it("reuse by digest what they can read, and are charged for their own namespace", async () => {
    const { forks } = await tried(trialWorld(kaniko), specOf(forkOf(["readable", "unreadable"])));
    const [readable, unreadable] = summarizeForks(forks);
    expect(readable).toStrictEqual({
      upstream: "readable",
      cachePush: "denied: the job goes on",
      runs: [1, 2].map((nth) => ({
        outcome: "succeeded",
        exitCode: 0,
        failure: null,
        buildMs: "unknown",
        pushMs: "unknown",
        totalMs: 1_000,
        // The second finds the image of the first, byte for byte.
        hits: nth,
        misses: 2 - nth,
        pulledBytes: 300,
        pushedBytes: 6_700_100,
        denied: [REFUSED],
        namespaceBytes: 6_700_100,
        perRepositoryBytes: 6_701_600,
      })),
    });
    // What upstream alone holds is nothing that it could have reused.
    expect(unreadable?.runs.map(({ hits, misses }) => [hits, misses])).toStrictEqual([
      [0, 2],
      [2, 0],
    ]);
  });

  it.each(["failed", "out-of-memory", "timed-out"] as const)(
    "end as they end: %s ends no trial of upstream's",
    async (outcome) => {
      const world = trialWorld((job, registry, nth) =>
        job.name.startsWith("fork") ? ended(outcome) : kaniko(job, registry, nth),
      );
      const { runs, forks } = await tried(world, specOf(forkOf(["readable"])));
      expect(runs.map(({ result }) => result.outcome)).toStrictEqual(["succeeded", "succeeded", "succeeded"]);
      expect(summarizeForks(forks)[0]?.runs.map((run) => run.outcome)).toStrictEqual([outcome, outcome]);
    },
  );

  it("are made once more from the download cache where the first had to fill it", async () => {
    const world = trialWorld(kaniko);
    const missed = [false, false, false, false, false, true, false, false];
    const record = await tried(world, specOf(forkOf(["readable"])), {
      missedDownloads: () => missed.shift() ?? false,
    });
    expect(steps(world).filter((step) => /fork|roll/.test(step))).toStrictEqual([
      "announce fork 1, upstream readable",
      "run fork-1-readable",
      "roll back",
      "announce fork 1, upstream readable, filling the download cache",
      "announce fork 1, upstream readable",
      "run fork-1-readable",
      "announce fork 2, upstream readable",
      "run fork-2-readable",
      "roll back",
    ]);
    expect(record.forks[0]?.runs).toHaveLength(2);
    expect(record.machineMs).toBe(6_000);
  });

  it("are not run where the trial does not get as far", async () => {
    const world = trialWorld((job, registry, nth) =>
      job.name === "warm" ? ended("failed") : kaniko(job, registry, nth),
    );
    const { forks } = await tried(world, specOf(forkOf(["readable"])));
    expect(forks).toStrictEqual([]);
    expect(world.log).not.toContain("run fork-1-readable");
  });

  it("are an Outage where the registry itself fails, and upstream is opened again", async () => {
    const world = trialWorld((job, registry, nth) => {
      if (!job.name.startsWith("fork")) return kaniko(job, registry, nth);
      registry.failRequests(1, "no space left on device");
      return ended("failed");
    });
    await expect(tried(world, specOf(forkOf(["unreadable"])))).rejects.toThrow(Outage);
    expect(world.log.slice(-2)).toStrictEqual(["upstream readable", "remove r1"]);
  });
});

describe("an image that starts from another of the same templates", () => {
  const prerequisites = [
    {
      builder: builders.kaniko,
      describe: (host: string) => described("fork-base", "contributor", host),
    },
  ];

  it("is built from the fork's own, which is built first", async () => {
    const world = trialWorld((job, registry, nth) => {
      if (job.name !== "fork-base") return kaniko(job, registry, nth);
      registry.push("contributor/base", "latest", [BASE]);
      return {};
    });
    const { forks } = await tried(world, specOf(forkOf(["readable"], { prerequisites })));
    expect(world.log.filter((step) => step.startsWith("run fork"))).toStrictEqual([
      "run fork-base",
      "run fork-1-readable",
      "run fork-2-readable",
    ]);
    expect(forks[0]?.runs[0]?.perRepositoryBytes).toBe(6_701_600 + 1_001_500);
  });

  it("is one failed run where that one cannot be built, and upstream goes on", async () => {
    const world = trialWorld((job, registry, nth) => {
      if (job.name !== "fork-base") return kaniko(job, registry, nth);
      registry.deny(REFUSED);
      return ended("failed", "push refused");
    });
    const { runs, forks } = await tried(world, specOf(forkOf(["readable"], { prerequisites })));
    const [fork] = summarizeForks(forks);
    expect(fork?.cachePush).toBe("none");
    expect(fork?.runs).toHaveLength(1);
    expect(fork?.runs[0]).toMatchObject({
      outcome: "failed",
      exitCode: 1,
      failure: ["push refused", "[tare: the image that this one starts from could not be built]"],
      denied: [REFUSED],
      perRepositoryBytes: 0,
    });
    expect(runs).toHaveLength(3);
  });
});

import { describe, expect, it } from "vitest";
import type { Outcome } from "../../src/domain/job.ts";
import type { Holding } from "../../src/domain/registry.ts";
import type { Scenario } from "../../src/domain/report.ts";
import type { RunRecord, TrialRecord } from "../../src/trials/run-trial.ts";
import { repeatDifferences, summarizeRuns } from "../../src/trials/summarize.ts";

const GIB = 1024 ** 3;

type Given = Partial<Omit<RunRecord, "result" | "phases" | "ledgers">> & {
  outcome?: Outcome;
  namespace?: number;
  buildMs?: number | "unknown";
  peak?: number | "unknown";
  anonymous?: number | "unknown";
  lines?: string[];
};

function record(scenario: Scenario, given: Given = {}): RunRecord {
  const {
    outcome = "succeeded",
    namespace = 1_000,
    buildMs = 900.4,
    peak = 100,
    anonymous = 60,
    ...more
  } = given;
  const { lines = [], ...rest } = more;
  return {
    scenario,
    timed: true,
    memoryLimitBytes: 8 * GIB,
    result: {
      outcome,
      commands: [],
      log: lines.map((line, atMs) => ({ atMs, stream: "stdout", line })),
      memoryPeakBytes: peak,
      anonymousPeakBytes: anonymous,
      memoryKills: outcome === "out-of-memory" ? 1 : 0,
      clock: "a test's",
    },
    phases: { buildMs, pushMs: buildMs === "unknown" ? "unknown" : 99.6, totalMs: 1_000.5 },
    hits: 1,
    misses: 2,
    traffic: { pulledBytes: 10, pushedBytes: 20, writtenTags: [], readTags: [], serverErrors: 0 },
    ledgers: { perRepository: namespace + 5, namespace, stored: namespace + 7, ghcr: namespace + 9 },
    holding: HOLDING,
    repositories: [{ name: "group/app", role: "image", tags: 1, bytes: namespace }],
    ...rest,
  };
}

const repeat = (...runs: RunRecord[]): TrialRecord => ({
  runs,
  forks: [],
  dropped: [],
  remarks: [],
  last: null,
  machineMs: 0,
});

const ROLES = { image: 1, cache: 2, unreferenced: 3 };
const HOLDING: Holding = {
  perRepository: ROLES,
  namespace: ROLES,
  stored: ROLES,
  tags: 1,
  blobs: 2,
  supersededBytes: 0,
  supersededLayers: 0,
  superseded: [],
};

const SCENARIOS: Scenario[] = ["cold", "warm", "edit 1"];

describe("runs over all repeats", () => {
  it("are one report a scenario, in the given order, with one figure a repeat", () => {
    const reports = summarizeRuns(SCENARIOS, [
      repeat(record("cold", { peak: 300, anonymous: 7 }), record("warm")),
      repeat(record("cold", { buildMs: 1_200, peak: 500, anonymous: 9 }), record("warm")),
    ]);
    expect(reports.map(({ scenario }) => scenario)).toStrictEqual(["cold", "warm"]);
    expect(reports[0]).toStrictEqual({
      scenario: "cold",
      outcome: "succeeded",
      failure: null,
      buildMs: [900, 1_200],
      pushMs: [100, 100],
      totalMs: [1_001, 1_001],
      memoryPeakBytes: 500,
      anonymousPeakBytes: 9,
      memoryLimitBytes: 8 * GIB,
      storageRun: null,
      hits: 1,
      misses: 2,
      pulledBytes: 10,
      pushedBytes: 20,
      ledgers: { perRepository: 1_005, namespace: 1_000, stored: 1_007, ghcr: 1_009 },
      holding: HOLDING,
      repositories: [{ name: "group/app", role: "image", tags: 1, bytes: 1_000 }],
    });
  });

  it("are none where nothing ran", () => {
    expect(summarizeRuns(SCENARIOS, [])).toStrictEqual([]);
    expect(summarizeRuns(SCENARIOS, [repeat()])).toStrictEqual([]);
  });

  it("take storage from the first repeat that has it", () => {
    const [cold] = summarizeRuns(SCENARIOS, [
      repeat(record("cold", { outcome: "failed", namespace: 1 })),
      repeat(record("cold", { namespace: 2, hits: 5 })),
      repeat(record("cold", { namespace: 3 })),
    ]);
    expect(cold?.ledgers?.namespace).toBe(2);
    expect(cold?.hits).toBe(5);
  });

  it("leave phases out where one run does not tell them", () => {
    const [cold] = summarizeRuns(SCENARIOS, [
      repeat(record("cold")),
      repeat(record("cold", { buildMs: "unknown" })),
    ]);
    expect([cold?.buildMs, cold?.pushMs, cold?.totalMs]).toStrictEqual([[], [], [1_001, 1_001]]);
  });

  it("know a peak where one run saw it", () => {
    const peaks = (...values: (number | "unknown")[]) =>
      summarizeRuns(
        SCENARIOS,
        values.map((peak) => repeat(record("cold", { peak, anonymous: peak }))),
      ).map(({ memoryPeakBytes, anonymousPeakBytes }) => [memoryPeakBytes, anonymousPeakBytes]);
    expect(peaks("unknown", 7, "unknown")).toStrictEqual([[7, 7]]);
    expect(peaks("unknown")).toStrictEqual([["unknown", "unknown"]]);
  });

  it("show the last lines of the first run that did not succeed", () => {
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index + 1}`);
    const [cold] = summarizeRuns(SCENARIOS, [
      repeat(record("cold")),
      repeat(record("cold", { outcome: "failed", lines })),
      repeat(record("cold", { outcome: "timed-out", lines: ["later"] })),
    ]);
    expect(cold?.outcome).toBe("failed");
    expect(cold?.failure).toStrictEqual(lines.slice(6));
    // Times of runs that failed are no times of a build.
    expect(cold?.totalMs).toStrictEqual([1_001]);
  });
});

describe("a killed scenario", () => {
  const killed = record("cold", { outcome: "out-of-memory", namespace: 77, peak: 8 * GIB, hits: "unknown" });
  const roomy = record("cold", {
    timed: false,
    memoryLimitBytes: 12 * GIB,
    namespace: 5_000,
    peak: 10 * GIB,
    anonymous: 9 * GIB,
  });

  it("takes storage and hits from the run with more memory, and times from none", () => {
    const [cold] = summarizeRuns(SCENARIOS, [repeat(killed, roomy)]);
    expect(cold).toMatchObject({
      outcome: "out-of-memory",
      buildMs: [],
      pushMs: [],
      totalMs: [],
      memoryPeakBytes: 8 * GIB,
      memoryLimitBytes: 8 * GIB,
      hits: 1,
      ledgers: { namespace: 5_000 },
    });
    expect(cold?.storageRun).toStrictEqual({
      outcome: "succeeded",
      memoryPeakBytes: 10 * GIB,
      anonymousPeakBytes: 9 * GIB,
      memoryLimitBytes: 12 * GIB,
    });
  });

  it("has no storage where that run was killed as well, or where there was none", () => {
    const again = { ...roomy, result: { ...roomy.result, outcome: "out-of-memory" as const } };
    const [both] = summarizeRuns(SCENARIOS, [repeat(killed, again)]);
    expect(both?.storageRun?.outcome).toBe("out-of-memory");
    const [alone] = summarizeRuns(SCENARIOS, [repeat(killed)]);
    expect(alone?.storageRun).toBeNull();
    for (const report of [both, alone]) {
      expect(report).toMatchObject({
        ledgers: null,
        hits: "unknown",
        misses: "unknown",
        pulledBytes: "unknown",
        pushedBytes: "unknown",
        repositories: [],
      });
    }
  });
});

describe("differences between repeats", () => {
  const differences = (...repeats: TrialRecord[]) =>
    repeatDifferences("alder, kaniko/layers", SCENARIOS, repeats);

  it("are none where all agree, or where there is one repeat", () => {
    const one = repeat(record("cold"), record("warm"));
    expect(differences(one, one, one)).toStrictEqual([]);
    expect(differences(one)).toStrictEqual([]);
    expect(differences()).toStrictEqual([]);
  });

  it("tell that the same build ended otherwise: who reads of a failure must know", () => {
    const fine = repeat(record("cold"), record("warm"));
    const late = repeat(record("cold"), record("warm", { outcome: "timed-out" }));
    expect(differences(fine, late)).toStrictEqual([
      "alder, kaniko/layers, warm: it ran out of time in repeat 2 and succeeded in repeat 1: look at its log before you blame the recipe.",
    ]);
    const failing = repeat(record("cold", { outcome: "failed" }));
    expect(differences(failing, failing)).toStrictEqual([]);
  });

  it("tell the greatest difference of bytes in any scenario", () => {
    const repeats = [
      repeat(record("cold", { namespace: 1_000 }), record("warm", { namespace: 1_500 })),
      repeat(record("cold", { namespace: 1_010 }), record("warm", { namespace: 1_440 })),
      repeat(record("cold", { namespace: 990 }), record("warm", { namespace: 1_500 })),
    ];
    expect(differences(...repeats)).toStrictEqual([
      "alder, kaniko/layers: storage differs by up to 60 B between repeats; the first repeat is shown.",
    ]);
  });

  it("tell each scenario whose hits differ, after the bytes", () => {
    const repeats = [
      repeat(record("cold"), record("warm", { hits: 3, misses: 0 })),
      repeat(record("cold", { namespace: 1_001 }), record("warm", { hits: 0, misses: 3 })),
      repeat(record("cold"), record("warm", { hits: 3, misses: 0 })),
    ];
    expect(differences(...repeats)).toStrictEqual([
      "alder, kaniko/layers: storage differs by up to 1 B between repeats; the first repeat is shown.",
      "alder, kaniko/layers, warm: hits differ between repeats: 3 of 3, 0 of 3.",
    ]);
  });

  it("name hits that are not known as such", () => {
    const repeats = [repeat(record("cold")), repeat(record("cold", { hits: "unknown", misses: "unknown" }))];
    expect(differences(...repeats)).toStrictEqual([
      "alder, kaniko/layers, cold: hits differ between repeats: 1 of 3, unknown.",
    ]);
  });

  it("leave out the bytes of runs that failed and of runs with more memory", () => {
    const repeats = [
      repeat(record("cold")),
      repeat(record("cold", { outcome: "failed", namespace: 5 })),
      repeat(record("cold", { timed: false, namespace: 9 })),
    ];
    expect(differences(...repeats)).toStrictEqual([
      "alder, kaniko/layers, cold: it failed in repeat 2 and succeeded in repeat 1: look at its log before you blame the recipe.",
    ]);
  });
});

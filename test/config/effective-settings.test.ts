import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { effectiveSettings, type Wishes } from "../../src/config/effective-settings.ts";
import { readOperatorFile } from "../../src/config/operator-file.ts";
import { readProjectFile } from "../../src/config/project-file.ts";
import { DEFAULT_LIMITS } from "../../src/domain/job.ts";
import { THRESHOLDS } from "../../src/domain/comparison.ts";

const operator = (text: string) => readOperatorFile({ path: "tare.yml", text });
const project = (text: string) => readProjectFile({ path: ".tare.yml", text });
const settle = (tare: string, own: string | null, command: Wishes = {}) =>
  effectiveSettings(operator(tare), own === null ? null : project(own), command);

const GIB = 1024 ** 3;
const MINUTE_MS = 60_000;

describe("the settings of a trial", () => {
  it("are the defaults where nobody says anything", () => {
    expect(settle("", null)).toStrictEqual({
      settings: {
        images: { named: [], include: [], ignore: [], atMost: null },
        strategies: [],
        edits: ["first", "last"],
        replay: 4,
        repeats: 3,
        budgetMs: null,
        thresholds: { ratio: 0.05, bytes: 1_000_000, durationMs: 1000 },
        ledger: { id: "namespace", why: "GitLab charges by it, and no settings file says otherwise" },
        limits: {
          cpus: 2,
          memoryBytes: 8 * GIB,
          processes: 4096,
          durationMs: 60 * MINUTE_MS,
          logBytes: 10_000_000,
          diskBytes: null,
        },
        link: null,
      },
      origins: Object.fromEntries(
        [
          "images.atMost",
          "strategies",
          "edits",
          "replay",
          "repeats",
          "budget",
          "ledger",
          "link",
          ...["bytes", "percent", "seconds"].map((key) => `thresholds.${key}`),
          ...["cpus", "memory", "timeout", "processes", "logBytes", "disk"].map((key) => `limits.${key}`),
        ].map((key) => [key, "default"]),
      ),
      notes: [],
    });
  });

  it("have the defaults of the rooms that use them", () => {
    const { limits, thresholds } = settle("", null).settings;
    expect({ limits, thresholds }).toStrictEqual({ limits: DEFAULT_LIMITS, thresholds: THRESHOLDS });
  });

  it("have five repeats where a link is set and nobody says how many, within the ceiling", () => {
    const repeatsOf = (tare: string, own: string | null, command: Wishes = {}) => {
      const { settings, origins } = settle(tare, own, command);
      return [settings.repeats, origins["repeats"]];
    };
    expect(repeatsOf("link: 100mbit\n", null)).toStrictEqual([5, "default"]);
    expect(repeatsOf("", null, { link: "1gbit" })).toStrictEqual([5, "default"]);
    expect(repeatsOf("link: 100mbit\nceilings: {repeats: 4}\n", null)).toStrictEqual([
      4,
      "ceiling of tare.yml",
    ]);
    expect(repeatsOf("link: unlimited\n", null)).toStrictEqual([3, "default"]);
    expect(repeatsOf("link: 100mbit\n", null, { link: "unlimited" })).toStrictEqual([3, "default"]);
    expect(repeatsOf("link: 100mbit\nrepeats: 2\n", null)).toStrictEqual([2, "tare.yml"]);
    expect(repeatsOf("link: 100mbit\n", "repeats: 2\n")).toStrictEqual([2, ".tare.yml"]);
  });

  it("are the command's over the project's over the operator's", () => {
    const tare = "repeats: 6\nceilings: {repeats: 10}\nedits: [1]\nstrategies: [docker/none]\nlink: 1gbit\n";
    const own = "repeats: 7\nedits: [2]\nstrategies: []\n";
    const said = (effective: ReturnType<typeof settle>) => {
      const { repeats, edits, strategies, link } = effective.settings;
      return { repeats, edits, strategies, link, from: effective.origins["repeats"], notes: effective.notes };
    };
    expect(said(settle(tare, null))).toStrictEqual({
      repeats: 6,
      edits: [1],
      strategies: ["docker/none"],
      link: "1gbit",
      from: "tare.yml",
      notes: [],
    });
    expect(said(settle(tare, own))).toStrictEqual({
      repeats: 7,
      edits: [2],
      strategies: [],
      link: "1gbit",
      from: ".tare.yml",
      notes: [],
    });
    const wishes: Wishes = { repeats: 8, edits: ["last"], strategies: ["kaniko/layers"], link: "10mbit" };
    expect(said(settle(tare, own, wishes))).toStrictEqual({
      repeats: 8,
      edits: ["last"],
      strategies: ["kaniko/layers"],
      link: "10mbit",
      from: "command",
      notes: [],
    });
  });

  it("stay below the operator's ceilings, and what was lowered is said", () => {
    const tare = "ceilings: {repeats: 5, images: 2, budget: 45m, cpus: 4, memory: 6g, timeout: 30m}\n";
    const own = "repeats: 20\nbudget: 2h\nimages: {atMost: 9}\n";
    const byProject = settle(tare, own);
    expect(byProject.settings).toMatchObject({
      repeats: 5,
      budgetMs: 45 * MINUTE_MS,
      images: { atMost: 2 },
      limits: { cpus: 2, memoryBytes: 6 * GIB, durationMs: 30 * MINUTE_MS },
    });
    expect(byProject.notes).toStrictEqual([
      "images.atMost 9 images asked for by .tare.yml, 2 images allowed by tare.yml",
      "repeats 20 asked for by .tare.yml, 5 allowed by tare.yml",
      "budget 2 h 00 m asked for by .tare.yml, 45 m 00 s allowed by tare.yml",
    ]);
    const images = ["docs", "lint", "toolchain", "web"];
    const byCommand = settle(tare, own, {
      repeats: 6,
      images,
      cpus: 8,
      memoryBytes: 7 * GIB,
      durationMs: 1e7,
    });
    expect(byCommand.settings).toMatchObject({
      repeats: 5,
      images: { named: ["docs", "lint"], atMost: 2 },
      limits: { cpus: 4, memoryBytes: 6 * GIB, durationMs: 30 * MINUTE_MS },
    });
    expect(byCommand.notes).toStrictEqual([
      "images.atMost 4 images asked for by the command, 2 images allowed by tare.yml",
      "images left out for it: toolchain, web",
      "repeats 6 asked for by the command, 5 allowed by tare.yml",
      "budget 2 h 00 m asked for by .tare.yml, 45 m 00 s allowed by tare.yml",
      "limits.cpus 8 asked for by the command, 4 allowed by tare.yml",
      "limits.memory 7 GiB asked for by the command, 6 GiB allowed by tare.yml",
      "limits.timeout 2 h 47 m asked for by the command, 30 m 00 s allowed by tare.yml",
    ]);
  });

  it("let a project spend no more than the operator does where he wrote no ceiling", () => {
    const own = "repeats: 20\nbudget: 3h\nimages: {atMost: 50}\n";
    const silent = settle("", own);
    expect(silent.settings).toMatchObject({ repeats: 5, budgetMs: 60 * MINUTE_MS, images: { atMost: 5 } });
    expect(silent.notes).toStrictEqual([
      "images.atMost 50 images asked for by .tare.yml, 5 images allowed by default, as no ceiling is written",
      "repeats 20 asked for by .tare.yml, 5 allowed by default, as no ceiling is written",
      "budget 3 h 00 m asked for by .tare.yml, 1 h 00 m allowed by default, as no ceiling is written",
    ]);
    expect(settle("repeats: 4\nbudget: 2h\n", own).settings).toMatchObject({
      repeats: 4,
      budgetMs: 7_200_000,
    });
    expect(settle("", "repeats: 1\nbudget: 10m\n")).toMatchObject({
      settings: { repeats: 1, budgetMs: 600_000 },
      notes: [],
    });
  });

  it("replay the history, but not where somebody names edits", () => {
    const replayOf = (tare: string, own: string | null, command: Wishes = {}) => {
      const { settings, origins, notes } = settle(tare, own, command);
      return [settings.replay, origins["replay"], ...notes];
    };
    expect(replayOf("edits: [last]\n", null)).toStrictEqual([0, "tare.yml"]);
    expect(replayOf("edits: [last]\nreplay: 2\n", null)).toStrictEqual([2, "tare.yml"]);
    expect(replayOf("edits: [last]\n", "replay: 3\n")).toStrictEqual([3, ".tare.yml"]);
    expect(replayOf("replay: 6\n", "edits: [1]\n")).toStrictEqual([0, ".tare.yml"]);
    expect(replayOf("replay: 6\n", "edits: [1]\n", { replay: 5 })).toStrictEqual([5, "command"]);
    expect(replayOf("", "replay: 6\n", { edits: ["last"] })).toStrictEqual([0, "command"]);
    expect(replayOf("", "replay: 50\n")).toStrictEqual([
      10,
      "default ceiling",
      "replay 50 asked for by .tare.yml, 10 allowed by default, as no ceiling is written",
    ]);
    expect(replayOf("ceilings: {replay: 3}\n", null, { replay: 8 })).toStrictEqual([
      3,
      "ceiling of tare.yml",
      "replay 8 asked for by the command, 3 allowed by tare.yml",
    ]);
    expect(replayOf("ceilings: {replay: 3}\n", null)).toStrictEqual([3, "ceiling of tare.yml"]);
  });

  it("leave the command alone where no ceiling is written: the machine is its own", () => {
    const wishes: Wishes = {
      repeats: 20,
      budgetMs: 8.64e7,
      cpus: 64,
      memoryBytes: 512 * GIB,
      durationMs: 6e8,
    };
    expect(settle("", null, wishes)).toMatchObject({
      settings: {
        repeats: 20,
        budgetMs: 8.64e7,
        limits: { cpus: 64, memoryBytes: 512 * GIB, durationMs: 6e8 },
      },
      notes: [],
    });
  });

  it("take thresholds key by key, of the project first", () => {
    const { settings, origins } = settle(
      "thresholds: {bytes: 7, seconds: 2}\n",
      "thresholds: {percent: 0.5, bytes: 0}\n",
    );
    expect(settings.thresholds).toStrictEqual({ ratio: 0.005, bytes: 0, durationMs: 2000 });
    expect(origins).toMatchObject({
      "thresholds.bytes": ".tare.yml",
      "thresholds.percent": ".tare.yml",
      "thresholds.seconds": "tare.yml",
    });
  });

  it("take the ledger of the project, else the operator's for its path", () => {
    const tare = "projects: {g/p: {ledger: stored}}\n";
    const ledger = (own: string | null, projectPath: string | null) =>
      settle(tare, own, { projectPath }).settings.ledger;
    expect(ledger("ledger: perRepository\n", "g/p")).toStrictEqual({
      id: "perRepository",
      why: "the project's .tare.yml says so",
    });
    expect(ledger(null, "g/p")).toStrictEqual({
      id: "stored",
      why: "the operator's tare.yml says so of g/p",
    });
    expect(ledger(null, "g/q").id).toBe("namespace");
    expect(ledger(null, null).id).toBe("namespace");
    expect(ledger(null, "__proto__").id).toBe("namespace");
  });
});

const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });
const amounts = {
  repeats: optional(fc.integer({ min: 1, max: 20 })),
  budget: optional(fc.integer({ min: 6000, max: 604_800_000 })),
  images: optional(fc.integer({ min: 1, max: 1000 })),
  cpus: optional(fc.double({ min: 0.01, max: 1024, noNaN: true })),
  memory: optional(fc.integer({ min: 32 * 1024 ** 2, max: 2 ** 45 })),
  timeout: optional(fc.integer({ min: 6000, max: 604_800_000 })),
};
const { repeats, budget, images, cpus, memory, timeout } = amounts;
const sides = fc.record({
  ceilings: fc.record({ repeats, budget, images, cpus, memory, timeout }),
  own: fc.record({ repeats, budget }),
  limits: fc.record({ cpus, memory, timeout }),
  project: fc.option(fc.record({ repeats, budget, images }), { nil: null }),
  command: fc.record({ repeats, budget, cpus, memory, timeout }),
  named: fc.array(fc.string({ minLength: 1 }), { maxLength: 12 }),
});

type Sides = typeof sides extends fc.Arbitrary<infer Value> ? Value : never;

const NO_WISHES = {
  repeats: undefined,
  budget: undefined,
  cpus: undefined,
  memory: undefined,
  timeout: undefined,
};

function settleSides({ ceilings, own, limits, project: asked, command, named }: Sides) {
  return effectiveSettings(
    { ...own, limits, ceilings },
    asked && { repeats: asked.repeats, budget: asked.budget, images: { atMost: asked.images } },
    {
      images: named,
      repeats: command.repeats,
      budgetMs: command.budget,
      cpus: command.cpus,
      memoryBytes: command.memory,
      durationMs: command.timeout,
    },
  );
}

describe("whatever is asked for, the settings", () => {
  it("never exceed a ceiling", () => {
    fc.assert(
      fc.property(sides, (all) => {
        const { settings } = settleSides(all);
        const { ceilings } = all;
        const held: [number | null, number | undefined][] = [
          // With a ceiling there is a limit, also where nobody asked for one.
          [settings.budgetMs ?? Infinity, ceilings.budget],
          [settings.images.atMost ?? Infinity, ceilings.images],
          [settings.repeats, ceilings.repeats],
          [settings.limits.cpus, ceilings.cpus],
          [settings.limits.memoryBytes, ceilings.memory],
          [settings.limits.durationMs, ceilings.timeout],
          [settings.images.named.length, ceilings.images],
        ];
        for (const [value, ceiling] of held)
          expect(value).toBeLessThanOrEqual(ceiling ?? Number.POSITIVE_INFINITY);
      }),
    );
  });

  it("give a wish in full, or a note says what was given instead", () => {
    fc.assert(
      fc.property(sides, (all) => {
        const { settings, notes } = settleSides(all);
        const wishes: [string, number | undefined, number | null][] = [
          ["repeats", all.command.repeats ?? all.project?.repeats, settings.repeats],
          ["budget", all.command.budget ?? all.project?.budget, settings.budgetMs],
          ["limits.cpus", all.command.cpus, settings.limits.cpus],
          ["limits.memory", all.command.memory, settings.limits.memoryBytes],
          ["limits.timeout", all.command.timeout, settings.limits.durationMs],
        ];
        for (const [key, wish, value] of wishes) {
          const noted = notes.some((note) => note.startsWith(`${key} `));
          expect({ key, noted }).toStrictEqual({ key, noted: wish !== undefined && wish !== value });
        }
      }),
    );
  });

  it("are never raised by a project above what the operator has or allows", () => {
    fc.assert(
      fc.property(sides, (all) => {
        const without = settleSides({
          ...all,
          project: null,
          command: NO_WISHES,
          named: [],
        }).settings;
        const withIt = settleSides({ ...all, command: NO_WISHES, named: [] }).settings;
        expect(withIt.repeats).toBeLessThanOrEqual(all.ceilings.repeats ?? all.own.repeats ?? 5);
        expect(withIt.limits).toStrictEqual(without.limits);
        const most = all.ceilings.budget ?? without.budgetMs ?? 60 * MINUTE_MS;
        const asked = all.project?.budget === undefined ? 0 : (withIt.budgetMs ?? Infinity);
        expect(asked).toBeLessThanOrEqual(most);
      }),
    );
  });
});

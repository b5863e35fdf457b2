import { describe, expect, it } from "vitest";
import type { Outcome } from "../../src/domain/job.ts";
import type { Report, RunReport } from "../../src/domain/report.ts";
import { headline } from "../../src/trials/headline.ts";
import { THRESHOLDS } from "../../src/domain/comparison.ts";
import { judgeChange, judgeImage } from "../../src/trials/verdict.ts";
import { brokenReport } from "../fixtures/report/broken.ts";
import { exampleReport } from "../fixtures/report/example.ts";
import { judged, withRuns } from "../fixtures/report/judged.ts";
import { qemuReport } from "../fixtures/report/qemu.ts";

const ended = (outcome: Outcome, scenario?: RunReport["scenario"]) => (run: RunReport) =>
  scenario === undefined || run.scenario === scenario ? { ...run, outcome } : run;

const measuredLink = (report: Report): Report =>
  judged({ ...report, machine: { ...report.machine, link: "1 Gbit/s" } });

describe("judgeImage", () => {
  it("judges bytes in the forge's ledger exactly, and lets time decide nothing on an unlimited link", () => {
    const [image] = exampleReport().images;
    expect(image?.verdict).toBe("worse");
    expect(image?.figures).toStrictEqual([
      {
        figure: "bytes by GitLab's count after edit 1",
        unit: "bytes",
        current: 11_072_102,
        proposed: 13_073_292,
        thresholdRatio: 0.05,
        thresholdAbsolute: 1_000_000,
        judgement: "worse",
        why: "the difference is more than 1.00 MB",
      },
      {
        figure: "median time of build and push, warm",
        unit: "ms",
        current: 3_100,
        proposed: 1_900,
        thresholdRatio: 0.05,
        thresholdAbsolute: 1_000,
        judgement: "does not decide",
        why: "link is loopback without a limit",
      },
      {
        figure: "median time of build and push, edit 1",
        unit: "ms",
        current: 3_300,
        proposed: 2_200,
        thresholdRatio: 0.05,
        thresholdAbsolute: 1_000,
        judgement: "does not decide",
        why: "link is loopback without a limit",
      },
    ]);
  });

  it("is mixed where more bytes buy time on a limited link", () => {
    expect(measuredLink(exampleReport()).verdict).toBe("mixed");
  });

  it("depends on the ledger", () => {
    const { images, machine } = exampleReport();
    const strategies = images[0]?.strategies ?? [];
    const by = (ledger: "namespace" | "perRepository" | "stored") =>
      judgeImage(strategies, ledger, THRESHOLDS, machine.link).verdict;
    expect([by("namespace"), by("perRepository"), by("stored")]).toStrictEqual([
      "worse",
      "worse",
      "no change",
    ]);
  });

  it("calls the same bytes no change and fewer better", () => {
    const { images, machine } = exampleReport();
    const strategies = images[0]?.strategies ?? [];
    const swapped = strategies.map((each) =>
      Object.assign({}, each, {
        role: each.role === "current" ? ("proposed" as const) : ("current" as const),
      }),
    );
    expect(judgeImage(swapped, "namespace", THRESHOLDS, machine.link).verdict).toBe("better");
    const alike = strategies.slice(0, 1).flatMap((each) => [each, { ...each, role: "proposed" as const }]);
    expect(judgeImage(alike, "namespace", THRESHOLDS, machine.link).verdict).toBe("no change");
  });

  it.each([
    ["out-of-memory", "succeeded", "better"],
    ["succeeded", "out-of-memory", "broken"],
    ["succeeded", "failed", "broken"],
    ["succeeded", "timed-out", "broken"],
    ["failed", "failed", "infrastructure"],
    ["failed", "out-of-memory", "infrastructure"],
    ["succeeded", "canceled", "not measured"],
    ["canceled", "failed", "not measured"],
  ] as const)("%s now and %s with the change is %s", (now, then, verdict) => {
    const report = withRuns(
      withRuns(exampleReport(), "current", ended(now, "cold")),
      "proposed",
      ended(then, "cold"),
    );
    expect(report.verdict).toBe(verdict);
  });

  it("measures nothing where a side has no recipe or the ledger is not known", () => {
    const { images, machine } = exampleReport();
    const strategies = images[0]?.strategies ?? [];
    expect(judgeImage(strategies.slice(0, 1), "namespace", THRESHOLDS, machine.link)).toStrictEqual({
      verdict: "not measured",
      figures: [],
    });
    const unknown = withRuns(
      judged({ ...exampleReport(), ledger: { id: "stored", why: "a registry of its own" } }),
      "proposed",
      (run) => ({ ...run, ledgers: run.ledgers && { ...run.ledgers, stored: "unknown" } }),
    );
    expect(unknown.verdict).toBe("not measured");
    expect(unknown.images[0]?.figures[0]?.why).toBe("not known on both sides");
  });

  it("does not time a build that did not succeed", () => {
    const times = qemuReport().images[0]?.figures.filter((figure) => figure.unit === "ms");
    expect(times?.map((figure) => [figure.proposed, figure.why])).toStrictEqual([
      [42_100, "link is loopback without a limit"],
      [null, "not timed on both sides"],
    ]);
  });
});

describe("judgeChange", () => {
  it.each([
    [["worse", "broken"], "broken"],
    [["worse", "better"], "mixed"],
    [["worse", "no change"], "worse"],
    [["better", "infrastructure"], "better"],
    [["no change", "infrastructure"], "infrastructure"],
    [["no change", "not measured"], "no change"],
    [[], "not measured"],
  ] as const)("%j is %s", (verdicts, whole) => {
    expect(judgeChange(verdicts.map((verdict) => ({ verdict })))).toBe(whole);
  });
});

describe("headline", () => {
  it("gives the two numbers with sign, unit and ledger", () => {
    expect(exampleReport().headline).toBe(
      "app: kaniko/layers stores +2.00 MB (+18.1 %) after one edit by GitLab's count; warm build and push 3.1 s -> 1.9 s (-39 %, does not decide on this link).",
    );
    expect(measuredLink(exampleReport()).headline).toContain("warm build and push 3.1 s -> 1.9 s (-39 %).");
  });

  it("says that time does not decide with fewer than three runs a side, whatever the link", () => {
    const report = measuredLink(exampleReport());
    const few = (runs: number) =>
      withRuns(report, "proposed", (run) => ({ ...run, totalMs: run.totalMs.slice(0, runs) })).headline;
    expect(few(2)).toMatch(
      /warm build and push .* -> .* \(-.* %, does not decide with fewer than 3 runs\)\.$/u,
    );
    expect(few(3)).toMatch(/warm build and push 3\.1 s -> 1\.9 s \(-39 %\)\.$/u);
  });

  it("tells a kill first, with the limit and what would be stored", () => {
    expect(qemuReport().headline).toBe(
      "debian-amd64-cross: kaniko/layers is killed at 8 GiB in the cold build and in edit 1 (docker/inline succeeds); given more memory it stores +184.9 kB (+0.0 %) by GitLab's count, +1,566 MB (+94.4 %) after one edit.",
    );
  });

  it("claims no storage where none was measured", () => {
    expect(brokenReport().headline).toBe(
      "app: kaniko/layers fails in every build (docker/inline succeeds); what it would store was not measured.",
    );
  });

  it("does not blame the change for what fails without it", () => {
    const report = withRuns(brokenReport(), "current", ended("failed"));
    expect(report.headline).toBe(
      "app: docker/inline fails in the cold build, and so does kaniko/layers: infrastructure, not this change.",
    );
  });

  it("says how each side ends where the two fail differently", () => {
    const report = withRuns(
      withRuns(brokenReport(), "current", ended("failed")),
      "proposed",
      ended("timed-out"),
    );
    expect([report.verdict, report.headline]).toStrictEqual([
      "infrastructure",
      "app: docker/inline fails in the cold build, and kaniko/layers runs out of time in it, too: infrastructure, not this change.",
    ]);
  });

  it("praises no build that gets further and fails later", () => {
    const report = withRuns(
      withRuns(exampleReport(), "current", ended("failed")),
      "proposed",
      ended("timed-out", "warm"),
    );
    expect([report.verdict, report.headline]).toStrictEqual([
      "mixed",
      "app: docker/inline fails in the cold build; kaniko/layers succeeds in it, and runs out of time in the warm build.",
    ]);
  });

  it("says that a failing build is repaired", () => {
    const report = withRuns(exampleReport(), "current", ended("timed-out", "warm"));
    expect(report.headline).toBe(
      "app: docker/inline runs out of time in the warm build, kaniko/layers succeeds.",
    );
  });

  it("names the strategies by role where they are the same", () => {
    const example = exampleReport();
    const alike = judged({
      ...example,
      images: example.images.map((image) =>
        Object.assign({}, image, {
          strategies: image.strategies
            .slice(0, 1)
            .flatMap((each) => [each, { ...each, role: "proposed" as const }]),
        }),
      ),
    });
    expect(alike.headline).toBe(
      "app: no change; proposed stores +0 B (+0.0 %) after one edit by GitLab's count; warm build and push 3.1 s -> 3.1 s (+0 %, does not decide on this link).",
    );
  });

  it("speaks of the gravest image and counts the others", () => {
    const [fine] = exampleReport().images;
    const [broken] = brokenReport().images;
    if (!fine || !broken) throw new Error("the fixtures have an image each");
    const report = { ...exampleReport(), images: [fine, { ...broken, image: "other" }] };
    expect(headline(report)).toMatch(/^other \(decides among 2 images\): kaniko\/layers fails/u);
  });

  it("says why nothing was built", () => {
    expect(
      headline({ ...exampleReport(), images: [], notBuilt: [{ what: "app", why: "no Dockerfile" }] }),
    ).toBe("Nothing was built: no Dockerfile.");
  });
});

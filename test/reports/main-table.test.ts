import { describe, expect, it } from "vitest";
import type { ImageReport, StrategyReport } from "../../src/domain/report.ts";
import { mainRunGrid, mainStorageGrid } from "../../src/reports/main-table.ts";
import { exampleReport } from "../fixtures/report/example.ts";
import { runReport } from "../fixtures/report/judged.ts";

function example(): { image: ImageReport; current: StrategyReport; proposed: StrategyReport } {
  const [image] = exampleReport().images;
  const [current, proposed] = image?.strategies ?? [];
  if (image === undefined || current === undefined || proposed === undefined) throw new Error("no example");
  return { image, current, proposed };
}

describe("the main table", () => {
  it("has a row per strategy: bytes before any edit by each ledger, and what each edit adds", () => {
    const { image, proposed } = example();
    const redo: StrategyReport = { ...structuredClone(proposed), role: "other", variant: "redo" };
    const failed = redo.runs.at(-1);
    if (failed !== undefined) Object.assign(failed, { outcome: "failed", ledgers: null, totalMs: [] });
    image.strategies.push(redo);
    expect(mainStorageGrid(image, "namespace")).toStrictEqual({
      head: ["strategy", "per-repository", "namespace *", "stored", "+ edit 1"],
      align: ["left", "right", "right", "right", "right"],
      rows: [
        ["docker/inline", "11.08 MB", "11.07 MB", "11.08 MB", "+13 B"],
        ["kaniko/layers", "21.08 MB", "11.07 MB", "11.08 MB", "+2.00 MB"],
        ["kaniko/layers+redo", "21.08 MB", "11.07 MB", "11.08 MB", "none"],
      ],
    });
    expect(mainRunGrid(image).rows).toStrictEqual([
      ["docker/inline", "3.6 s", "3.1 s", "3.3 s", "103 MiB", "daemon"],
      ["kaniko/layers", "2.7 s", "1.9 s", "2.2 s", "73 MiB", "none"],
      ["kaniko/layers+redo", "2.7 s", "1.9 s", "failed", "73 MiB", "none"],
    ]);
  });

  it("tells two sides of one strategy apart by their role", () => {
    const { image, current, proposed } = example();
    image.strategies = [current, { ...proposed, strategy: "docker/inline" }];
    expect(mainRunGrid(image).rows.map(([name]) => name)).toStrictEqual([
      "docker/inline (current)",
      "docker/inline (proposed)",
    ]);
  });

  it("says what was not run, what was killed, and what nobody saw", () => {
    const { image, current } = example();
    const killed = { ...runReport({ scenario: "cold", hits: "unknown", misses: "unknown" }), ledgers: null };
    const short: StrategyReport = {
      ...current,
      role: "other",
      strategy: "docker/none",
      runs: [{ ...killed, outcome: "out-of-memory", totalMs: [], anonymousPeakBytes: "unknown" }],
    };
    image.strategies.push(short);
    expect(mainStorageGrid(image, "namespace").rows[2]).toStrictEqual([
      "docker/none",
      "none",
      "none",
      "none",
      "not run",
    ]);
    expect(mainRunGrid(image).rows[2]).toStrictEqual([
      "docker/none",
      "killed",
      "not run",
      "not run",
      "unknown",
      "daemon",
    ]);
  });
});

import type { Outcome } from "../domain/job.ts";
import type { RunReport, Scenario } from "../domain/report.ts";
import { lastWords } from "./last-words.ts";
import type { RunRecord, TrialRecord } from "./run-trial.ts";

/** One scenario of one strategy over all repeats. Storage comes from the first repeat that has it. */
export function summarizeRuns(scenarios: readonly Scenario[], repeats: readonly TrialRecord[]): RunReport[] {
  return scenarios.flatMap((scenario) => {
    const runs = repeats.flatMap((repeat) => repeat.runs.filter((run) => run.scenario === scenario));
    return runs.length === 0 ? [] : [summarize(scenario, runs)];
  });
}

function summarize(scenario: Scenario, runs: readonly RunRecord[]): RunReport {
  const timed = runs.filter((run) => run.timed);
  const failed = timed.find((run) => run.result.outcome !== "succeeded");
  const succeeded = timed.filter((run) => run.result.outcome === "succeeded");
  const roomier = runs.find((run) => !run.timed) ?? null;
  const storage = [...succeeded, ...runs.filter((run) => !run.timed)].find(
    (run) => run.result.outcome === "succeeded",
  );
  const first = timed[0] ?? runs[0];
  return {
    scenario,
    outcome: failed?.result.outcome ?? first?.result.outcome ?? "failed",
    failure: failed === undefined ? null : lastWords(failed.result.log),
    buildMs: known(succeeded.map((run) => run.phases.buildMs)),
    pushMs: known(succeeded.map((run) => run.phases.pushMs)),
    totalMs: succeeded.map((run) => Math.round(run.phases.totalMs)),
    memoryPeakBytes: highest(timed.map((run) => run.result.memoryPeakBytes)),
    anonymousPeakBytes: highest(timed.map((run) => run.result.anonymousPeakBytes)),
    memoryLimitBytes: first?.memoryLimitBytes ?? 0,
    storageRun:
      roomier === null
        ? null
        : {
            outcome: roomier.result.outcome,
            memoryPeakBytes: roomier.result.memoryPeakBytes,
            anonymousPeakBytes: roomier.result.anonymousPeakBytes,
            memoryLimitBytes: roomier.memoryLimitBytes,
          },
    hits: storage?.hits ?? "unknown",
    misses: storage?.misses ?? "unknown",
    pulledBytes: storage?.traffic.pulledBytes ?? "unknown",
    pushedBytes: storage?.traffic.pushedBytes ?? "unknown",
    ledgers: storage?.ledgers ?? null,
    repositories: storage?.repositories ?? [],
    holding: storage?.holding ?? null,
  };
}

/** Whole milliseconds; empty where the builder's output does not tell the phase of every run. */
function known(values: readonly (number | "unknown")[]): number[] {
  return values.every((value) => value !== "unknown") ? values.map((value) => Math.round(value)) : [];
}

function highest(values: readonly (number | "unknown")[]): number | "unknown" {
  const numbers = values.filter((value) => value !== "unknown");
  return numbers.length === 0 ? "unknown" : Math.max(...numbers);
}

/** Where outcomes, storage or hits differ between repeats, in words; empty where all repeats agree to the byte. */
export function repeatDifferences(
  label: string,
  scenarios: readonly Scenario[],
  repeats: readonly TrialRecord[],
): string[] {
  let spreadBytes = 0;
  const notes: string[] = [];
  for (const scenario of scenarios) {
    const ended = outcomeDifference(scenario, repeats);
    if (ended !== null) notes.push(`${label}, ${scenario}: ${ended}`);
    const runs = repeats.flatMap((repeat) =>
      repeat.runs.filter(
        (run) => run.scenario === scenario && run.timed && run.result.outcome === "succeeded",
      ),
    );
    if (runs.length < 2) continue;
    const bytes = runs.map((run) => run.ledgers.namespace);
    spreadBytes = Math.max(spreadBytes, Math.max(...bytes) - Math.min(...bytes));
    const hits = [...new Set(runs.map(hitsOf))];
    if (hits.length > 1)
      notes.push(`${label}, ${scenario}: hits differ between repeats: ${hits.join(", ")}.`);
  }
  if (spreadBytes > 0) {
    const said = `${label}: storage differs by up to ${spreadBytes} B between repeats; the first repeat is shown.`;
    notes.unshift(said);
  }
  return notes;
}

const ENDS: Record<Exclude<Outcome, "succeeded">, string> = {
  failed: "failed",
  "out-of-memory": "was killed for want of memory",
  "timed-out": "ran out of time",
  canceled: "was canceled",
};

/** The same build that ends now so, now otherwise: one repeat alone does not tell whose fault that is. */
function outcomeDifference(scenario: Scenario, repeats: readonly TrialRecord[]): string | null {
  const outcomes = repeats.flatMap(({ runs }, index) => {
    const run = runs.find((each) => each.scenario === scenario && each.timed);
    return run === undefined ? [] : [{ repeat: index + 1, outcome: run.result.outcome }];
  });
  const good = outcomes.find(({ outcome }) => outcome === "succeeded");
  for (const { repeat, outcome } of outcomes) {
    if (good === undefined || outcome === "succeeded") continue;
    return `it ${ENDS[outcome]} in repeat ${repeat} and succeeded in repeat ${good.repeat}: look at its log before you blame the recipe.`;
  }
  return null;
}

function hitsOf({ hits, misses }: RunRecord): string {
  return hits === "unknown" || misses === "unknown" ? "unknown" : `${hits} of ${hits + misses}`;
}

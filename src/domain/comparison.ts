import type { Outcome } from "./job.ts";
import { formatByteDifference, formatPercent } from "./quantities.ts";
import type { CleanedLedgers, CleanupOutcome, Ledgers } from "./registry.ts";
import type { ImageReport, RunReport, Scenario, StrategyReport, VerdictWord } from "./report.ts";

export type LedgerId = keyof Ledgers;

/** A figure decides only beyond `ratio` of the current one and beyond its absolute floor. */
export type Thresholds = { ratio: number; bytes: number; durationMs: number };

export const THRESHOLDS: Thresholds = { ratio: 0.05, bytes: 1_000_000, durationMs: 1_000 };

/** How a ledger is spoken of: its name, `by` inside a sentence, and its rule. */
export const LEDGERS: Record<LedgerId, { name: string; by: string; rule: string }> = {
  perRepository: {
    name: "per-repository",
    by: "counted per repository",
    rule: "each blob once in each repository",
  },
  namespace: {
    name: "namespace",
    by: "by GitLab's count",
    rule: "each layer of a tagged image once per root namespace, no manifests or configs",
  },
  stored: {
    name: "stored",
    by: "on the registry's disk",
    rule: "every blob file until garbage collection",
  },
  ghcr: {
    name: "ghcr",
    by: "by GHCR's versions",
    rule: "each blob of every version, tagged or not, once in each package",
  },
};

/** What a strategy is called: `kaniko/layers`, with its variant `kaniko/layers+redo`. */
export function labelOf({ strategy, variant }: Pick<StrategyReport, "strategy" | "variant">): string {
  return variant === null ? strategy : `${strategy}+${variant}`;
}

/** Ledgers that stand side by side; GHCR's only where the project is charged by it. */
export function ledgersBeside(deciding: LedgerId): LedgerId[] {
  const all = Object.keys(LEDGERS) as LedgerId[];
  return all.filter((ledger) => ledger !== "ghcr" || deciding === "ghcr");
}

/** The two strategies that a change puts against each other; null where one side has no recipe. */
export type Pair<S = StrategyReport> = { current: S | null; proposed: S | null };

export function pairOf<S extends Pick<StrategyReport, "role">>(strategies: readonly S[]): Pair<S> {
  return {
    current: strategies.find((each) => each.role === "current") ?? null,
    proposed: strategies.find((each) => each.role === "proposed") ?? null,
  };
}

/** What the two are called: by strategy, or by role where both use the same. */
export function namesOf({ current, proposed }: Pair): { current: string; proposed: string } {
  if (current && proposed && current.strategy === proposed.strategy)
    return { current: "current", proposed: "proposed" };
  return { current: current?.strategy ?? "current", proposed: proposed?.strategy ?? "proposed" };
}

export function runOf<R extends Pick<RunReport, "scenario">>(
  strategy: { runs: readonly R[] },
  scenario: Scenario,
): R | null {
  return strategy.runs.find((run) => run.scenario === scenario) ?? null;
}

/** Scenarios of both strategies in the order in which they ran. */
export function scenariosOf(strategies: readonly StrategyReport[]): Scenario[] {
  const all = strategies.flatMap((strategy) => strategy.runs.map((run) => run.scenario));
  return [...new Set(all)].sort((a, b) => place(a) - place(b));
}

function place(scenario: Scenario): number {
  if (scenario === "cold") return -2;
  return scenario === "warm" ? -1 : editNumber(scenario);
}

/** 3 for `edit 3`, 0 for a scenario before any edit. */
export function editNumber(scenario: Scenario): number {
  return scenario.startsWith("edit ") ? Number(scenario.slice("edit ".length)) : 0;
}

/** The last scenario of a strategy before this one that left something to charge. */
export function scenarioBefore(strategy: StrategyReport, scenario: Scenario): Scenario | null {
  const earlier = strategy.runs.filter(
    (run) => run.ledgers !== null && place(run.scenario) < place(scenario),
  );
  return earlier.at(-1)?.scenario ?? null;
}

/** Bytes that a ledger charges after a scenario; null where they are not known. */
export function chargeOf(strategy: StrategyReport, scenario: Scenario, ledger: LedgerId): number | null {
  const bytes = runOf(strategy, scenario)?.ledgers?.[ledger];
  return typeof bytes === "number" ? bytes : null;
}

/** What the proposed side stores more than the current one after a scenario: `+2.01 MB (+18.1 %)`; null where it is not known. */
export function differenceAfter(
  current: StrategyReport,
  proposed: StrategyReport,
  scenario: Scenario,
  ledger: LedgerId,
): string | null {
  const from = chargeOf(current, scenario, ledger);
  const to = chargeOf(proposed, scenario, ledger);
  if (from === null || to === null) return null;
  const percent = formatPercent(from, to);
  return `${formatByteDifference(to - from)}${percent === null ? "" : ` (${percent})`}`;
}

/** The scenario whose bytes decide: the last edit, or the last run where nothing was edited. */
export function lastScenario(strategies: readonly StrategyReport[]): Scenario | null {
  return scenariosOf(strategies).at(-1) ?? null;
}

/** The last scenario before any edit for which both sides can be charged. */
export function scenarioBeforeEdits(
  current: StrategyReport,
  proposed: StrategyReport,
  ledger: LedgerId,
): Scenario | null {
  const charged = scenariosOf([current, proposed]).filter(
    (scenario) =>
      editNumber(scenario) === 0 &&
      chargeOf(current, scenario, ledger) !== null &&
      chargeOf(proposed, scenario, ledger) !== null,
  );
  return charged.at(-1) ?? null;
}

/** The first scenario in which one of the two did not succeed, with both outcomes. */
export function firstFailure(
  current: StrategyReport,
  proposed: StrategyReport,
): { scenario: Scenario; current: Outcome; proposed: Outcome } | null {
  for (const scenario of scenariosOf([current, proposed])) {
    const outcomes = {
      scenario,
      current: runOf(current, scenario)?.outcome ?? "succeeded",
      proposed: runOf(proposed, scenario)?.outcome ?? "succeeded",
    };
    if (outcomes.current !== "succeeded" || outcomes.proposed !== "succeeded") return outcomes;
  }
  return null;
}

const GRAVITY: VerdictWord[] = [
  "broken",
  "mixed",
  "worse",
  "better",
  "infrastructure",
  "no change",
  "not measured",
];

/** Images by the gravity of their verdict; among equals the greatest difference of bytes first. */
export function gravestFirst(images: readonly ImageReport[], ledger: LedgerId): ImageReport[] {
  return [...images].sort(
    (a, b) =>
      GRAVITY.indexOf(a.verdict) - GRAVITY.indexOf(b.verdict) ||
      Math.abs(lastDifference(b, ledger)) - Math.abs(lastDifference(a, ledger)),
  );
}

function lastDifference(image: ImageReport, ledger: LedgerId): number {
  const { current, proposed } = pairOf(image.strategies);
  const last = lastScenario(image.strategies);
  if (!current || !proposed || !last) return 0;
  return (chargeOf(proposed, last, ledger) ?? 0) - (chargeOf(current, last, ledger) ?? 0);
}

/**
 * The cleanup that frees most by a ledger and leaves what the next build wants; among equals the one that keeps most tags.
 * null where each takes some of it.
 */
export function bestCleanup(
  outcomes: readonly CleanupOutcome[],
  ledger: keyof CleanedLedgers,
): CleanupOutcome | null {
  const bytes = ({ ledgers }: CleanupOutcome) => {
    const charged = ledgers[ledger];
    return charged === "unknown" ? ledgers.perRepository : charged;
  };
  return outcomes
    .filter(({ neededDeleted }) => neededDeleted === 0)
    .reduce<CleanupOutcome | null>(
      (best, each) => (best === null || bytes(each) <= bytes(best) ? each : best),
      null,
    );
}

/** `keep 5 tags of each repository, delete others older than 7 days` */
export function cleanupPolicy({ keepTags, olderThanDays }: CleanupOutcome): string {
  const tags = keepTags === 1 ? "1 tag" : `${keepTags} tags`;
  return `keep ${tags} of each repository, delete others older than ${olderThanDays} days`;
}

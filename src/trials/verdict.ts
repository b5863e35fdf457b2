import {
  chargeOf,
  editNumber,
  firstFailure,
  lastScenario,
  LEDGERS,
  pairOf,
  runOf,
  scenariosOf,
} from "../domain/comparison.ts";
import type { LedgerId, Thresholds } from "../domain/comparison.ts";
import { formatBytes } from "../domain/quantities.ts";
import { UNLIMITED_LOOPBACK } from "../domain/report.ts";
import type { DecidingFigure, Scenario, StrategyReport, VerdictWord } from "../domain/report.ts";
import { judge, judgeDifference } from "./statistics.ts";
import type { Judged } from "./statistics.ts";

/**
 * The verdict on one image, with the figures it rests on: bytes in the deciding ledger after the last edit,
 * median warm time, median time of each edit. `link` is `Report.machine.link`.
 */
export function judgeImage(
  strategies: readonly StrategyReport[],
  ledger: LedgerId,
  thresholds: Thresholds,
  link: string,
): { verdict: VerdictWord; figures: DecidingFigure[] } {
  const { current, proposed } = pairOf(strategies);
  if (!current || !proposed) return { verdict: "not measured", figures: [] };
  const last = lastScenario([current, proposed]);
  if (!last) return { verdict: "not measured", figures: [] };
  const edits = scenariosOf([current, proposed]).filter((scenario) => editNumber(scenario) > 0);
  const timed: Scenario[] = ["warm", ...edits];
  const figures = [
    byteFigure(current, proposed, last, ledger, thresholds),
    ...timed.map((scenario) => timeFigure(current, proposed, scenario, thresholds, link)),
  ];
  return { verdict: verdictByOutcome(current, proposed) ?? verdictByFigures(figures), figures };
}

/** The verdict on the change as a whole from those on its images. */
export function judgeChange(images: readonly { verdict: VerdictWord }[]): VerdictWord {
  const has = (word: VerdictWord) => images.some((image) => image.verdict === word);
  if (has("broken")) return "broken";
  if (has("mixed") || (has("worse") && has("better"))) return "mixed";
  // An image that could not be built on either side leaves more open than "no change" admits.
  const order: VerdictWord[] = ["worse", "better", "infrastructure", "no change"];
  return order.find(has) ?? "not measured";
}

function verdictByOutcome(current: StrategyReport, proposed: StrategyReport): VerdictWord | null {
  const failure = firstFailure(current, proposed);
  if (!failure) return null;
  if (failure.current === "canceled" || failure.proposed === "canceled") return "not measured";
  if (failure.current === "succeeded") return "broken";
  if (failure.proposed !== "succeeded") return "infrastructure";
  // It gets further than the current build, and not to the end.
  return proposed.runs.every((run) => run.outcome === "succeeded") ? "better" : "mixed";
}

function verdictByFigures(figures: readonly DecidingFigure[]): VerdictWord {
  const has = (judgement: DecidingFigure["judgement"]) =>
    figures.some((figure) => figure.judgement === judgement);
  if (has("worse")) return has("better") ? "mixed" : "worse";
  if (has("better")) return "better";
  return has("no change") ? "no change" : "not measured";
}

function byteFigure(
  current: StrategyReport,
  proposed: StrategyReport,
  scenario: Scenario,
  ledger: LedgerId,
  thresholds: Thresholds,
): DecidingFigure {
  const charges = {
    current: chargeOf(current, scenario, ledger),
    proposed: chargeOf(proposed, scenario, ledger),
  };
  return {
    figure: `bytes ${LEDGERS[ledger].by} after ${scenario}`,
    unit: "bytes",
    thresholdRatio: thresholds.ratio,
    thresholdAbsolute: thresholds.bytes,
    ...charges,
    ...judgeBytes(charges, thresholds),
  };
}

function judgeBytes(
  charges: { current: number | null; proposed: number | null },
  thresholds: Thresholds,
): Pick<DecidingFigure, "judgement" | "why"> {
  if (charges.current === null || charges.proposed === null)
    return { judgement: "does not decide", why: "not known on both sides" };
  const limit = Math.max(thresholds.ratio * charges.current, thresholds.bytes);
  const judgement = judgeDifference(charges.current, charges.proposed, limit);
  const side = judgement === "no change" ? "within" : "more than";
  return { judgement, why: `the difference is ${side} ${formatBytes(limit)}` };
}

function timeFigure(
  current: StrategyReport,
  proposed: StrategyReport,
  scenario: Scenario,
  thresholds: Thresholds,
  link: string,
): DecidingFigure {
  const judged = judge(timesOf(current, scenario), timesOf(proposed, scenario), {
    ratio: thresholds.ratio,
    absoluteMs: thresholds.durationMs,
  });
  const mayDecide: Pick<Judged, "judgement" | "why"> | null =
    link === UNLIMITED_LOOPBACK && judged.current !== null && judged.proposed !== null
      ? { judgement: "does not decide", why: "link is loopback without a limit" }
      : null;
  return {
    figure: `median time of build and push, ${scenario}`,
    unit: "ms",
    thresholdRatio: thresholds.ratio,
    thresholdAbsolute: thresholds.durationMs,
    ...judged,
    ...mayDecide,
  };
}

/** Times of runs that did not succeed are no times of a build. */
function timesOf(strategy: StrategyReport, scenario: Scenario): number[] {
  const run = runOf(strategy, scenario);
  return run?.outcome === "succeeded" ? run.totalMs : [];
}

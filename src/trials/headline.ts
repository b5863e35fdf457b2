import {
  differenceAfter,
  editNumber,
  firstFailure,
  gravestFirst,
  lastScenario,
  LEDGERS,
  namesOf,
  pairOf,
  runOf,
  scenarioBeforeEdits,
} from "../domain/comparison.ts";
import type { LedgerId } from "../domain/comparison.ts";
import type { Outcome } from "../domain/job.ts";
import { formatCount, formatDuration, formatMemory, formatPercent } from "../domain/quantities.ts";
import { UNLIMITED_LOOPBACK } from "../domain/report.ts";
import type { ImageReport, Report, Scenario, StrategyReport } from "../domain/report.ts";
import { median } from "../domain/statistics.ts";
import { MINIMUM_RUNS } from "../domain/statistics.ts";

/** One sentence with the two numbers that matter, about the image that decides the verdict. */
export function headline(
  report: Pick<Report, "images" | "notBuilt" | "verdict"> & {
    ledger: Pick<Report["ledger"], "id">;
    machine: Pick<Report["machine"], "link">;
  },
): string {
  const image = gravestFirst(report.images, report.ledger.id)[0];
  if (!image) {
    const [first] = report.notBuilt;
    return first ? `Nothing was built: ${first.why}.` : "Nothing was built.";
  }
  const others = report.images.length > 1 ? ` (decides among ${report.images.length} images)` : "";
  return `${image.image}${others}: ${sentenceOf(image, report.ledger.id, report.machine.link)}.`;
}

function sentenceOf(image: ImageReport, ledger: LedgerId, link: string): string {
  const pair = pairOf(image.strategies);
  const { current, proposed } = pair;
  if (!current || !proposed)
    return `not measured, the ${current ? "proposed" : "current"} side has no recipe for it`;
  const names = namesOf(pair);
  const failure = firstFailure(current, proposed);
  if (!failure) {
    const numbers = [
      storage(current, proposed, names.proposed, ledger),
      warmTime(current, proposed, link),
    ].filter((part) => part !== null);
    const word = image.verdict === "no change" ? "no change; " : "";
    return `${word}${numbers.join("; ")}`;
  }
  const said = failureSentence(failure, names, { current, proposed });
  if (failure.current !== "succeeded" || failure.proposed === "canceled") return said;
  return `${said}; ${storageOfBroken(current, proposed, ledger)}`;
}

function failureSentence(
  failure: { scenario: Scenario; current: Outcome; proposed: Outcome },
  names: { current: string; proposed: string },
  { current, proposed }: { current: StrategyReport; proposed: StrategyReport },
): string {
  if (failure.current === "succeeded") {
    const ends = ending(failure.proposed, proposed, failure.scenario);
    return `${names.proposed} ${ends} in ${whereAlike(proposed, failure.proposed)} (${names.current} succeeds)`;
  }
  const currentEnds = `${names.current} ${ending(failure.current, current, failure.scenario)} in ${buildOf(failure.scenario)}`;
  if (failure.proposed === "succeeded") {
    const later = proposed.runs.find((run) => run.outcome !== "succeeded");
    if (later === undefined) return `${currentEnds}, ${names.proposed} succeeds`;
    return `${currentEnds}; ${names.proposed} succeeds in it, and ${ending(later.outcome, proposed, later.scenario)} in ${buildOf(later.scenario)}`;
  }
  const alike = failure.proposed === failure.current;
  const proposedEnds = alike
    ? `and so does ${names.proposed}`
    : `and ${names.proposed} ${ending(failure.proposed, proposed, failure.scenario)} in it, too`;
  return `${currentEnds}, ${proposedEnds}: infrastructure, not this change`;
}

function buildOf(scenario: Scenario): string {
  return editNumber(scenario) === 0 ? `the ${scenario} build` : scenario;
}

/** Every scenario that ended in that way: `the cold build and in edit 1`. */
function whereAlike(strategy: StrategyReport, outcome: Outcome): string {
  const alike = strategy.runs.filter((run) => run.outcome === outcome);
  if (alike.length > 1 && alike.length === strategy.runs.length) return "every build";
  return alike.map((run) => buildOf(run.scenario)).join(" and in ");
}

const ENDINGS: Record<Outcome, string> = {
  succeeded: "succeeds",
  failed: "fails",
  "out-of-memory": "is killed",
  "timed-out": "runs out of time",
  canceled: "was canceled",
};

function ending(outcome: Outcome, strategy: StrategyReport, scenario: Scenario): string {
  const run = runOf(strategy, scenario);
  const word = ENDINGS[outcome];
  return outcome === "out-of-memory" && run ? `${word} at ${formatMemory(run.memoryLimitBytes)}` : word;
}

/** `stores +2.01 MB (+18.1 %) after one edit by GitLab's count` */
function storage(
  current: StrategyReport,
  proposed: StrategyReport,
  name: string,
  ledger: LedgerId,
): string | null {
  const last = lastScenario([current, proposed]);
  const difference = last && differenceAfter(current, proposed, last, ledger);
  if (!last || !difference) return `what ${name} stores ${LEDGERS[ledger].by} is not known`;
  return `${name} stores ${difference} ${after(last)} ${LEDGERS[ledger].by}`;
}

/** What a build that did not succeed would store, where the run with more memory or a later one tells. */
function storageOfBroken(current: StrategyReport, proposed: StrategyReport, ledger: LedgerId): string {
  const first = scenarioBeforeEdits(current, proposed, ledger);
  const last = lastScenario([current, proposed]);
  const before = first && differenceAfter(current, proposed, first, ledger);
  const afterwards = last && editNumber(last) > 0 ? differenceAfter(current, proposed, last, ledger) : null;
  if (!before || !first) return "what it would store was not measured";
  const given = proposed.runs.some((run) => run.storageRun !== null)
    ? "given more memory it stores"
    : "it stores";
  const start = `${given} ${before} ${LEDGERS[ledger].by}`;
  return afterwards && last ? `${start}, ${afterwards} ${after(last)}` : `${start} ${after(first)}`;
}

function after(scenario: Scenario): string {
  const edits = editNumber(scenario);
  return edits === 0 ? `after the ${scenario} build` : `after ${formatCount(edits, "edit")}`;
}

/** `warm build and push 3.1 s -> 1.9 s (-39 %)`, and why it does not count where it does not. */
function warmTime(current: StrategyReport, proposed: StrategyReport, link: string): string | null {
  const from = medianOf(current);
  const to = medianOf(proposed);
  if (from === null || to === null) return null;
  const percent = formatPercent(from, to, 0);
  const remarks = [percent, undecided(current, proposed, link)];
  const said = remarks.filter((remark) => remark !== null).join(", ");
  return `warm build and push ${formatDuration(from)} -> ${formatDuration(to)}${said ? ` (${said})` : ""}`;
}

/** Why the time decides nothing, by the rule of the figures; null where it may decide. */
function undecided(current: StrategyReport, proposed: StrategyReport, link: string): string | null {
  if (link === UNLIMITED_LOOPBACK) return "does not decide on this link";
  const timed = [current, proposed].map((strategy) => runOf(strategy, "warm")?.totalMs.length ?? 0);
  return Math.min(...timed) < MINIMUM_RUNS ? `does not decide with fewer than ${MINIMUM_RUNS} runs` : null;
}

function medianOf(strategy: StrategyReport): number | null {
  const run = runOf(strategy, "warm");
  return run?.outcome === "succeeded" ? median(run.totalMs) : null;
}

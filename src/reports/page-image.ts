import { chargeOf, LEDGERS, ledgersBeside, scenariosOf, type LedgerId } from "../domain/comparison.ts";
import {
  formatByteDifference,
  formatDuration,
  formatExactBytes,
  formatPercent,
} from "../domain/quantities.ts";
import type { DecidingFigure, ImageReport, Report, Scenario } from "../domain/report.ts";
import { chargeCell } from "./charge-cell.ts";
import { forkGrid, forkSentences, forkTitle } from "./fork-table.ts";
import { curveKey, growthChart } from "./growth-chart.ts";
import {
  cleanupDays,
  cleanupGrid,
  holdingGrid,
  ledgerName,
  strategyGrid,
  supersededGrid,
  supersededTotals,
} from "./held-grids.ts";
import { htmlTable, type HtmlTable } from "./html-table.ts";
import { mainRunGrid, mainStorageGrid, nameOf } from "./main-table.ts";
import type { Grid } from "./plain-table.ts";
import { forkRunGrid, memoryGrid, timeGrid, trafficGrid } from "./run-grids.ts";
import { exactGrid, repositoryGrid, storageGrid } from "./sections.ts";
import { editsOf, thresholdSentence } from "./statements.ts";
import { storageStatement } from "./storage-statements.ts";

/** One image of a page: tables, curves, sentences. The report given here is clean text. */
export function imageSlots(report: Report, image: ImageReport, id: string) {
  const deciding = report.ledger.id;
  return {
    id,
    image: image.image,
    verdict: image.verdict,
    dockerfile: image.dockerfile,
    edits: editsOf(image),
    statements: storageStatement(image, deciding),
    thresholds: image.figures.length > 0 ? thresholdSentence(image.figures) : null,
    figures: htmlTable("Figures that decide", figureGrid(image.figures)),
    ...storageSlots(image, deciding),
    ...runSlots(report, image),
    strategies: htmlTable("Strategies tried", strategyGrid(image)),
    fork: forkSlots(image),
  };
}

function storageSlots(image: ImageReport, deciding: LedgerId) {
  const repositories = repositoryGrid(image);
  const days = cleanupDays(image);
  const isDeciding = (row: readonly string[]) => row.some((cell) => cell.endsWith(" *"));
  return {
    storage: htmlTable("Storage before any edit, and what an edit adds", mainStorageGrid(image, deciding)),
    rule: `* is what the project is charged by: ${LEDGERS[deciding].rule}.`,
    growth: growthSlots(image, deciding),
    differences: htmlTable("Storage after each run", storageGrid(image, deciding), { marked: isDeciding }),
    exact: htmlTable("Storage after each run, in bytes", exactGrid(image, formatExactBytes)),
    repositories: htmlTable(`Repositories after ${repositories?.after}`, repositories?.grid ?? null),
    holding: htmlTable("What the bytes are", holdingGrid(image, deciding), { marked: isDeciding }),
    superseded: htmlTable("Superseded layers, and what keeps them", supersededGrid(image)),
    supersededTotals: supersededTotals(image),
    cleanup: htmlTable(`Cleanup of tags older than ${days} days, simulated`, cleanupGrid(image, deciding), {
      marked: (row) => !(row.at(-1) ?? "").startsWith("0 "),
    }),
  };
}

type GrowthFigure = { id: LedgerId; title: string; rule: string; chart: string; table: HtmlTable | null };

/** A curve per strategy for each ledger, the deciding one first; a ledger that nobody saw has none. */
function growthSlots(image: ImageReport, deciding: LedgerId): GrowthFigure[] {
  const scenarios = scenariosOf(image.strategies);
  const ledgers = ledgersBeside(deciding).sort((a, b) => Number(b === deciding) - Number(a === deciding));
  return ledgers.flatMap((ledger) => {
    const curves = image.strategies.map((strategy) => ({
      name: nameOf(strategy, image),
      isTried: strategy.role === "other",
      bytes: scenarios.map((scenario) => chargeOf(strategy, scenario, ledger)),
    }));
    if (curves.every(({ bytes }) => bytes.every((value) => value === null))) return [];
    const title = `Charged after each run, ${ledgerName(ledger, deciding)}`;
    return {
      id: ledger,
      title,
      rule: LEDGERS[ledger].rule,
      chart: growthChart({ label: `${title}: a curve for each strategy`, scenarios, curves }),
      table: htmlTable(title, chargeGrid(image, scenarios, ledger), {
        keys: curves.map(({ isTried }, index) => curveKey(index, isTried)),
      }),
    };
  });
}

/** What the curves show, as text. */
function chargeGrid(image: ImageReport, scenarios: readonly Scenario[], ledger: LedgerId): Grid {
  return {
    head: ["strategy", ...scenarios],
    align: ["left", ...scenarios.map(() => "right" as const)],
    rows: image.strategies.map((strategy) => [
      nameOf(strategy, image),
      ...scenarios.map((scenario) => chargeCell(strategy, scenario, ledger)),
    ]),
  };
}

function runSlots(report: Report, image: ImageReport) {
  const isEnded = (row: readonly string[]) => !(row[2] ?? "").startsWith("ok");
  return {
    runs: htmlTable("Median time of build and push, memory that the processes needed", mainRunGrid(image)),
    link: report.machine.link,
    clock: report.machine.clock,
    times: htmlTable("Time of each run, median (range)", timeGrid(image), { marked: isEnded }),
    memory: htmlTable("Memory of each run", memoryGrid(image), { marked: isEnded }),
    traffic: htmlTable("Layers reused, and bytes over the link", trafficGrid(image)),
  };
}

function forkSlots(image: ImageReport) {
  const grid = forkGrid(image, { moved: true });
  if (grid === null) return null;
  const title = forkTitle({ moved: true });
  return {
    table: htmlTable(`${title.charAt(0).toUpperCase()}${title.slice(1)}`, grid),
    sentences: forkSentences(image),
    pipelines: htmlTable("Each pipeline of a fork", forkRunGrid(image)),
  };
}

/** What decides: both sides, and the difference with its sign. */
export function figureGrid(figures: readonly DecidingFigure[]): Grid {
  return {
    head: ["figure", "current", "proposed", "difference", "judgement", "why"],
    align: ["left", "right", "right", "right", "left", "left"],
    rows: figures.map((figure) => {
      const show = figure.unit === "bytes" ? formatExactBytes : formatDuration;
      return [
        figure.figure,
        figure.current === null ? "unknown" : show(figure.current),
        figure.proposed === null ? "unknown" : show(figure.proposed),
        differenceOf(figure),
        figure.judgement,
        figure.why,
      ];
    }),
  };
}

function differenceOf({ current, proposed, unit }: DecidingFigure): string {
  if (current === null || proposed === null) return "unknown";
  const percent = formatPercent(current, proposed);
  const difference = proposed - current;
  const sign = difference < 0 ? "-" : "+";
  const said =
    unit === "bytes" ? formatByteDifference(difference) : `${sign}${formatDuration(Math.abs(difference))}`;
  return percent === null ? said : `${said} (${percent})`;
}

import { runOf, type LedgerId } from "../domain/comparison.ts";
import { formatBytes } from "../domain/quantities.ts";
import type { Scenario, StrategyReport } from "../domain/report.ts";

/** What a ledger charges after a scenario, as a cell of a table; `none` where nothing was left to charge. */
export function chargeCell(
  strategy: StrategyReport | null,
  scenario: Scenario | null,
  ledger: LedgerId,
  show: (bytes: number) => string = formatBytes,
): string {
  const bytes = strategy && scenario && runOf(strategy, scenario)?.ledgers?.[ledger];
  if (bytes === null || bytes === undefined) return "none";
  return bytes === "unknown" ? bytes : show(bytes);
}

import {
  bestCleanup,
  chargeOf,
  editNumber,
  lastScenario,
  LEDGERS,
  namesOf,
  pairOf,
  runOf,
  scenarioBeforeEdits,
} from "../domain/comparison.ts";
import type { LedgerId } from "../domain/comparison.ts";
import { formatByteDifference, formatBytes, formatCount, formatPercent } from "../domain/quantities.ts";
import type { CleanedLedgers, CleanupOutcome } from "../domain/registry.ts";
import type { Claim } from "../domain/claim.ts";
import type { ImageReport, Scenario, StrategyReport } from "../domain/report.ts";
import { editsOf } from "./statements.ts";

/** Sentences about storage, the same in every format. The report given here is already clean. */

type Sides = {
  current: StrategyReport;
  proposed: StrategyReport;
  names: { current: string; proposed: string };
};

function sides(image: ImageReport): Sides | null {
  const pair = pairOf(image.strategies);
  const { current, proposed } = pair;
  return current && proposed ? { current, proposed, names: namesOf(pair) } : null;
}

/** What the ledgers say to "it doubles the storage", and no more than they say. Empty where nothing was charged. */
export function storageStatement(image: ImageReport, deciding: LedgerId): string[] {
  const both = sides(image);
  if (!both) return [];
  const other: LedgerId = deciding === "perRepository" ? "namespace" : deciding;
  const before = scenarioBeforeEdits(both.current, both.proposed, "perRepository");
  const start = before && beforeEdits(both, before, other);
  return [...(start ? [start] : []), ...afterEdits(image, both, other, before)];
}

/** What stays to be said of storage where a claim about it was answered: what no answer holds. */
export function storageRemarks(image: ImageReport, deciding: LedgerId): string[] {
  const both = sides(image);
  const last = lastScenario(image.strategies);
  if (!both || !last || editNumber(last) === 0 || !compared(both, last, deciding)) return [];
  return [...holdingSaid(both, last), ...cleanupSaid(both, deciding)];
}

/** Whether an answered claim says of storage what the statements say; other claims leave them as they are. */
export function isStorageAnswered(claims: readonly Claim[]): boolean {
  return claims.some(
    ({ kind, mark }) =>
      mark !== "not tested" && (kind === "storage multiplied" || kind === "growth by edits"),
  );
}

function beforeEdits(both: Sides, scenario: Scenario, other: LedgerId): string | null {
  const added = compared(both, scenario, "perRepository");
  const once = compared(both, scenario, other);
  if (!added) return null;
  const start = `Does ${both.names.proposed} double the storage? Before any edit: ${added.text}`;
  if (!once) return `${start}; ${LEDGERS[other].by}: not known.`;
  return `${start}; ${once.text}. ${conclusion(added.factor, once.factor, other)}`;
}

/** Bounds of the plain words below: what is less than 5 % more is the same, from 1.5 times on it is a multiple. */
const SAME = 1.05;
const MULTIPLE = 1.5;

function conclusion(added: number, once: number, other: LedgerId): string {
  const times = (factor: number) => `${factor.toFixed(2)} times as much`;
  if (added >= MULTIPLE && once < SAME)
    return `So before any edit it is ${times(added)} only where repositories are added up: what the second repository holds is the image's own blobs.`;
  if (added >= MULTIPLE && once >= MULTIPLE)
    return `So before any edit it is ${times(added)} with repositories added up, and ${times(once)} ${LEDGERS[other].by}.`;
  if (added < SAME && once < SAME) return "So before any edit it does not, by either count.";
  return `So before any edit it is ${times(added)} with repositories added up, ${times(once)} ${LEDGERS[other].by}.`;
}

function afterEdits(image: ImageReport, both: Sides, ledger: LedgerId, before: Scenario | null): string[] {
  const last = lastScenario(image.strategies);
  if (!last || editNumber(last) === 0) return [];
  const now = compared(both, last, ledger);
  if (!now) return [];
  const start = `After ${editsSaid(image, editNumber(last))}: ${now.text}`;
  const grown = before && growth(both, before, last, ledger);
  return [
    grown ? `${start}; ${grown}.` : `${start}.`,
    ...holdingSaid(both, last),
    ...cleanupSaid(both, ledger),
  ];
}

function holdingSaid(both: Sides, last: Scenario): string[] {
  return [superseded(both, last), awaitingCollection(both, last)].filter((said) => said !== null);
}

/** What still holds layers that the image no longer has; null where nothing does, or nobody saw. */
function superseded(both: Sides, last: Scenario): string | null {
  const said = [both.current, both.proposed].flatMap((strategy, index) => {
    const holding = runOf(strategy, last)?.holding;
    const [largest] = holding?.superseded ?? [];
    if (!holding || largest === undefined) return [];
    const name = index === 0 ? both.names.current : both.names.proposed;
    const layers = formatCount(holding.supersededLayers, "superseded layer");
    const tag = shortTag(largest.keptBy[0] ?? "");
    const more = largest.keptByCount > 1 ? ` and ${largest.keptByCount - 1} more` : "";
    // The size comes last: a tag that was cut ends with dots of its own.
    if (holding.supersededLayers === 1)
      return `${name} keeps ${layers}, held by ${tag}${more} (${formatBytes(largest.bytes)}).`;
    return `${name} keeps ${layers} (${formatBytes(holding.supersededBytes)}); the largest is held by ${tag}${more} (${formatBytes(largest.bytes)}).`;
  });
  return said.length === 0 ? null : said.join(" ");
}

/** What lies on the registry's disk without a tag; null where nothing does, or nobody saw. */
function awaitingCollection(both: Sides, last: Scenario): string | null {
  const said = [both.current, both.proposed].flatMap((strategy, index) => {
    const stored = runOf(strategy, last)?.holding?.stored;
    if (!stored || stored === "unknown" || stored.unreferenced === 0) return [];
    return `${formatBytes(stored.unreferenced)} of ${index === 0 ? both.names.current : both.names.proposed}`;
  });
  if (said.length === 0) return null;
  return `On the registry's disk ${said.join(" and ")} wait for garbage collection: on GitLab.com 24 hours, elsewhere until the operator runs it.`;
}

/** What GitLab's cleanup of old tags comes to, by simulation; nothing where none was simulated, or GitHub is charged. */
function cleanupSaid(both: Sides, ledger: LedgerId): string[] {
  if (ledger === "ghcr") return [];
  const said = [both.current, both.proposed].flatMap((strategy, index) => {
    const name = index === 0 ? both.names.current : both.names.proposed;
    return cleanupText(name, strategy, ledger) ?? [];
  });
  const days = both.proposed.cleanup[0]?.olderThanDays ?? both.current.cleanup[0]?.olderThanDays;
  if (said.length === 0 || days === undefined) return [];
  return [`GitLab's cleanup of tags older than ${days} days, simulated: ${said.join(". ")}.`];
}

function cleanupText(name: string, { cleanup }: StrategyReport, ledger: keyof CleanedLedgers): string | null {
  const [strictest] = cleanup;
  if (strictest === undefined) return null;
  if (strictest.deletedTags === 0) return `${name} overwrites its tags, so nothing is deleted`;
  const best = bestCleanup(cleanup, ledger);
  const breaking = cleanup.findLast(({ neededDeleted }) => neededDeleted > 0);
  const breaks =
    breaking &&
    `keep ${breaking.keepTags} takes ${breaking.neededDeleted} of ${breaking.neededTags} tags that the next build needs`;
  const parts = [best && leavesText(best, ledger), breaks].filter((part) => typeof part === "string");
  return `${name}: ${parts.join("; ")}`;
}

/** `keep 5 tags of each repository deletes 3 of 9 and leaves 15.08 MB by GitLab's count` */
function leavesText(outcome: CleanupOutcome, ledger: keyof CleanedLedgers): string {
  const { keepTags, deletedTags, tagsBefore, ledgers } = outcome;
  const bytes = ledgers[ledger];
  const start = `keep ${formatCount(keepTags, "tag")} of each repository deletes`;
  if (deletedTags === 0) return `${start} none of ${tagsBefore}`;
  const left = typeof bytes === "number" ? ` and leaves ${formatBytes(bytes)} ${LEDGERS[ledger].by}` : "";
  return `${start} ${deletedTags} of ${tagsBefore}${left}`;
}

/** Tags of 64 letters say nothing more than their first twelve. */
export function shortTag(tag: string): string {
  return tag.replace(/:([0-9a-f]{12})[0-9a-f]{52}$/u, ":$1...");
}

/** How much each side grew from the last state before the edits to the last edit. */
function growth(both: Sides, before: Scenario, last: Scenario, ledger: LedgerId): string | null {
  const grown = [both.current, both.proposed].map((strategy) => {
    const from = chargeOf(strategy, before, ledger);
    const to = chargeOf(strategy, last, ledger);
    return from === null || to === null ? null : formatByteDifference(to - from);
  });
  if (grown.includes(null)) return null;
  const tags = cacheTags(both.proposed, before, last);
  const kept = tags ? `, and its cache went from ${tags.before} to ${formatCount(tags.last, "tag")}` : "";
  return `${both.names.current} changed by ${grown[0]}, ${both.names.proposed} by ${grown[1]}${kept}`;
}

function cacheTags(
  strategy: StrategyReport,
  before: Scenario,
  last: Scenario,
): { before: number; last: number } | null {
  const count = (scenario: Scenario) =>
    runOf(strategy, scenario)?.repositories.find((each) => each.role === "cache")?.tags;
  const from = count(before);
  const to = count(last);
  return from === undefined || to === undefined ? null : { before: from, last: to };
}

function compared(
  both: Sides,
  scenario: Scenario,
  ledger: LedgerId,
): { text: string; factor: number } | null {
  const from = chargeOf(both.current, scenario, ledger);
  const to = chargeOf(both.proposed, scenario, ledger);
  if (from === null || to === null) return null;
  const percent = formatPercent(from, to);
  const difference = `${formatByteDifference(to - from)}${percent === null ? "" : `, ${percent}`}`;
  return {
    text: `${formatBytes(to)} against ${formatBytes(from)} ${LEDGERS[ledger].by} (${difference})`,
    factor: from === 0 ? 1 : to / from,
  };
}

/** `one edit (RUN 1 of 3, line 7; synthetic)`, `the last 4 edits of the Dockerfile` */
function editsSaid(image: ImageReport, count: number): string {
  const real = image.edits.every(({ synthetic }) => !synthetic);
  if (!real) return `${formatCount(count, "edit")} (${editsOf(image)})`;
  return count === 1 ? "the last edit of the Dockerfile" : `the last ${count} edits of the Dockerfile`;
}

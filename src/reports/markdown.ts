import { gravestFirst, LEDGERS } from "../domain/comparison.ts";
import { formatCount, formatExactBytes } from "../domain/quantities.ts";
import type { Finding } from "../domain/finding.ts";
import type { ImageReport, Report } from "../domain/report.ts";
import { mapTexts } from "../lib/map-texts.ts";
import { fill } from "./fill.ts";
import { fit } from "./fit.ts";
import { forkGrid, forkRemarks, forkTitle } from "./fork-table.ts";
import {
  growthGrid,
  growthTitle,
  mainRunGrid,
  mainRunTitle,
  mainStorageGrid,
  mainStorageTitle,
} from "./main-table.ts";
import { markdownTable } from "./plain-table.ts";
import { MAXIMUM_COMMAND, markdownFence, markdownLine, plainLine } from "./sanitise.ts";
import { exactGrid, failuresOf, repositoryGrid, runGrid, storageGrid } from "./sections.ts";
import {
  caveats,
  claimItems,
  figureSentence,
  findingLine,
  partSentence,
  short,
  substitutions,
  testedItems,
  thresholdSentence,
} from "./statements.ts";
import { storageStatement } from "./storage-statements.ts";

const MAXIMUM_LENGTH = 60_000;
const LOG_LINES = 20;
const FEW_IMAGES = 3;
const LISTED_IMAGES = 40;

/** Left out in this order where the comment would be too long; the name is what the reader is told. */
const OPTIONAL = [
  "logs",
  "repositories",
  "every byte",
  "further images",
  "forks",
  "each run's details",
  "remarks",
  "what was tested",
  "findings",
  "claims",
  "tables",
] as const;
type Section = (typeof OPTIONAL)[number];

export type MarkdownOptions = {
  /** What the one comment stands for; by default the change. */
  key?: string;
  run?: string;
  /** False where the channel writes the marker itself. */
  marker?: boolean;
  maxLength?: number;
  /** Address of the full report, where there is one. */
  fullReport?: string;
};

/** The comment on a forge: marker, sentence, table, folded details; at most 60,000 characters. */
export function renderMarkdown(report: Report, options: MarkdownOptions = {}): string {
  const clean = mapTexts(report, (text) => markdownLine(text));
  const maximum = options.maxLength ?? MAXIMUM_LENGTH;
  return fit(
    (omitted) => body(report, clean, omitted, options),
    OPTIONAL,
    (text) => text.length <= maximum,
  );
}

function body(raw: Report, report: Report, omitted: ReadonlySet<Section>, options: MarkdownOptions): string {
  const kept = (section: Section) => !omitted.has(section);
  const images = gravestFirst(report.images, report.ledger.id);
  const shown = kept("further images") ? images : images.slice(0, FEW_IMAGES);
  const unlisted = images.length - shown.length - LISTED_IMAGES;
  const full = options.fullReport === undefined ? "" : ` Full report: <${encodeURI(options.fullReport)}>.`;
  return fill("comment.md", {
    marker: options.marker === false ? "" : marker(raw, options),
    headline: report.headline,
    verdict: report.verdict,
    substitutions: substitutions(report.parts).join(" "),
    images: kept("tables") ? shown.map((image) => imageSlots(report, image, kept)) : [],
    others: images
      .slice(shown.length, shown.length + LISTED_IMAGES)
      .map(({ image, verdict }) => ({ image, verdict })),
    more: unlisted > 0 ? formatCount(unlisted, "more image") : null,
    logs: kept("logs") ? logs(raw) : [],
    claims: kept("claims") ? claimItems(report.claims) : [],
    findings: kept("findings") ? report.findings.map(findingSlots) : [],
    tested: kept("what was tested") ? tested({ ...report, images: shown }) : [],
    caveats: kept("remarks") ? caveats(report) : [],
    omitted: omitted.size > 0 ? `Left out for length: ${[...omitted].join(", ")}.${full}` : full.trim(),
    head: short(report.change.head.commit ?? report.change.head.tree),
    base: short(report.change.base.commit ?? report.change.base.tree),
    chosenBy: report.change.base.chosenBy,
    command: markdownFence([raw.command], { lines: 1, width: MAXIMUM_COMMAND }),
    tare: report.tare,
  });
}

/** First line of the comment, by which Tare finds its own again. */
function marker(raw: Report, options: MarkdownOptions): string {
  const { base, head, id } = raw.change;
  const values = {
    key: options.key ?? id,
    sha: head.commit ?? head.tree,
    base: base.commit ?? base.tree,
    run: options.run ?? raw.startedAt.replaceAll(/[^0-9TZ]/gu, "").toLowerCase(),
    "valid-at": raw.startedAt,
  };
  const said = Object.entries(values).map(([name, value]) => `${name}=${markerValue(value)}`);
  return `<!-- tare:v1 ${said.join(" ")} -->`;
}

/** One word that cannot end the comment it stands in. */
function markerValue(value: string): string {
  return encodeURIComponent(plainLine(value, 200).toWellFormed())
    .replaceAll("%3A", ":")
    .replaceAll("%2F", "/")
    .replaceAll("--", "-%2D")
    .replaceAll("!", "%21");
}

function imageSlots(report: Report, image: ImageReport, kept: (section: Section) => boolean) {
  const repositories = repositoryGrid(image);
  const growth = growthGrid(image, report.ledger.id);
  return {
    image: image.image,
    verdict: image.verdict,
    several: report.images.length > 1,
    statement: storageStatement(image, report.ledger.id).join(" "),
    mainStorageTitle: sentenceCase(mainStorageTitle(LEDGERS[report.ledger.id].rule)),
    mainStorage: markdownTable(mainStorageGrid(image, report.ledger.id)),
    growth: growth === null ? null : { title: sentenceCase(growthTitle()), table: markdownTable(growth) },
    mainRunTitle: sentenceCase(mainRunTitle(report.machine.link)),
    mainRuns: markdownTable(mainRunGrid(image)),
    fork: kept("forks") ? forkSlots(image) : null,
    storage: kept("each run's details") ? markdownTable(storageGrid(image, report.ledger.id)) : null,
    repeats: report.repeats,
    link: report.machine.link,
    runs: kept("each run's details") ? markdownTable(runGrid(image, report.repeats, true)) : null,
    repositories:
      kept("repositories") && repositories
        ? { after: repositories.after, table: markdownTable(repositories.grid) }
        : null,
    exact: kept("every byte") ? markdownTable(exactGrid(image, formatExactBytes)) : null,
    thresholds:
      kept("each run's details") && image.figures.length > 0 ? thresholdSentence(image.figures) : null,
    figures: kept("each run's details")
      ? image.figures.map((figure) => figureSentence(figure).replace("->", "-&gt;"))
      : [],
  };
}

function forkSlots(image: ImageReport) {
  const grid = forkGrid(image, { moved: true });
  if (grid === null) return null;
  return {
    title: sentenceCase(forkTitle({ moved: true })),
    table: markdownTable(grid),
    sentences: forkRemarks(image),
  };
}

function sentenceCase(text: string): string {
  // The star of the deciding ledger would open an emphasis.
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`.replaceAll("*", String.raw`\*`);
}

function findingSlots(finding: Finding): { line: string; why: string } {
  return { line: findingLine(finding), why: finding.why };
}

function logs(raw: Report): { title: string; lines: string }[] {
  return raw.images.flatMap(failuresOf).map(({ title, lines }) => ({
    title: markdownLine(title),
    lines: markdownFence(lines, { lines: LOG_LINES }),
  }));
}

function tested(report: Report): { label: string; text: string }[] {
  const parts = report.parts.map((part) => ({ label: "part", text: partSentence(part) }));
  return [...testedItems(report), ...parts];
}

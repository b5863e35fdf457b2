import { gravestFirst, LEDGERS } from "../domain/comparison.ts";
import { formatDuration, formatExactBytes } from "../domain/quantities.ts";
import type { ImageReport, Report } from "../domain/report.ts";
import { mapTexts } from "../lib/map-texts.ts";
import { fill } from "./fill.ts";
import { forkGrid, forkSentences, forkTitle } from "./fork-table.ts";
import {
  growthGrid,
  growthTitle,
  mainRunGrid,
  mainRunTitle,
  mainStorageGrid,
  mainStorageTitle,
} from "./main-table.ts";
import { plainTable } from "./plain-table.ts";
import { MAXIMUM_COMMAND, plainLine, plainLog } from "./sanitise.ts";
import { exactGrid, failuresOf, repositoryGrid, runGrid, storageGrid } from "./sections.ts";
import {
  caveats,
  claimItems,
  figureSentence,
  findingLine,
  partSentence,
  substitutions,
  testedItems,
  thresholdSentence,
} from "./statements.ts";
import { storageStatement } from "./storage-statements.ts";
import { wrap, wrapCommand } from "./wrap.ts";

const WIDTH = 100;
const LOG_LINES = 20;

/** The whole answer for a terminal: plain text of at most 100 columns. */
export function renderText(report: Report): string {
  const clean = mapTexts(report, (text) => plainLine(text));
  return fill("text.txt", {
    lead: wrap([clean.headline, ...substitutions(clean.parts)].join(" "), WIDTH),
    verdict: clean.verdict,
    images: gravestFirst(clean.images, clean.ledger.id).map((image) => imageSlots(clean, image)),
    logs: logs(report),
    claims: claimItems(clean.claims).map(({ author, quote, mark, sentence }) => ({
      quote: wrap(`${author}: "${quote}"`, WIDTH, { first: "> ", rest: "> " }),
      answer: wrap(`${mark}: ${sentence}`, WIDTH),
    })),
    findings: clean.findings.map((finding) => ({
      line: wrap(findingLine(finding), WIDTH, { first: "- ", rest: "  " }),
      why: wrap(finding.why, WIDTH, { first: "  ", rest: "  " }),
    })),
    tested: tested(clean),
    caveats: caveats(clean).map((remark) => wrap(remark, WIDTH, { first: "- ", rest: "  " })),
    wall: formatDuration(clean.wallMs),
    command: wrapCommand(plainLine(report.command, MAXIMUM_COMMAND), WIDTH, "  "),
  });
}

function imageSlots(report: Report, image: ImageReport) {
  const repositories = repositoryGrid(image);
  const growth = growthGrid(image, report.ledger.id);
  const said = storageStatement(image, report.ledger.id);
  return {
    title: wrap(`${image.image}: ${image.verdict}`, WIDTH),
    statement: said.length > 0 ? wrap(said.join(" "), WIDTH) : null,
    mainStorageTitle: wrap(sentenceCase(mainStorageTitle(LEDGERS[report.ledger.id].rule)), WIDTH),
    mainStorage: plainTable(mainStorageGrid(image, report.ledger.id), WIDTH),
    growth:
      growth === null
        ? null
        : { title: wrap(sentenceCase(growthTitle()), WIDTH), table: plainTable(growth, WIDTH) },
    mainRunTitle: wrap(sentenceCase(mainRunTitle(report.machine.link)), WIDTH),
    mainRuns: plainTable(mainRunGrid(image), WIDTH),
    fork: forkSlots(image),
    runsTitle: wrap(
      `Time of build and push, median (range) of ${report.repeats}; link: ${report.machine.link}`,
      WIDTH,
    ),
    runs: plainTable(runGrid(image, report.repeats, true), WIDTH),
    storageTitle: wrap(
      `Storage; * is what the project is charged by: ${LEDGERS[report.ledger.id].rule}`,
      WIDTH,
    ),
    storage: plainTable(storageGrid(image, report.ledger.id), WIDTH),
    exact: plainTable(exactGrid(image, formatExactBytes), WIDTH),
    repositories: repositories
      ? { after: repositories.after, table: plainTable(repositories.grid, WIDTH) }
      : null,
    thresholds: image.figures.length > 0 ? wrap(thresholdSentence(image.figures), WIDTH) : null,
    figures: image.figures.map((figure) => wrap(figureSentence(figure), WIDTH, { first: "- ", rest: "  " })),
  };
}

function forkSlots(image: ImageReport) {
  const grid = forkGrid(image, { moved: true });
  if (grid === null) return null;
  return {
    title: wrap(sentenceCase(forkTitle({ moved: true })), WIDTH),
    table: plainTable(grid, WIDTH),
    sentences: forkSentences(image).map((said) => wrap(said, WIDTH, { first: "- ", rest: "  " })),
  };
}

function sentenceCase(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function logs(raw: Report): { title: string; lines: string }[] {
  return raw.images.flatMap(failuresOf).map(({ title, lines }) => ({
    title: wrap(`Last lines of ${plainLine(title)}:`, WIDTH),
    lines: plainLog(lines, { lines: LOG_LINES, width: 3 * (WIDTH - 4) })
      .map((line) => wrap(line, WIDTH, { first: "  ", rest: "    " }))
      .join("\n"),
  }));
}

function tested(report: Report): string {
  const parts = report.parts.map((part) => ({ label: "part", text: partSentence(part) }));
  return [...testedItems(report), ...parts]
    .map(({ label, text }) => wrap(text, WIDTH, { first: `  ${label.padEnd(8)} `, rest: " ".repeat(11) }))
    .join("\n");
}

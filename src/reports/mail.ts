import { gravestFirst, LEDGERS, pairOf } from "../domain/comparison.ts";
import { formatCount } from "../domain/quantities.ts";
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
import { plainTable } from "./plain-table.ts";
import { cut, MAXIMUM_COMMAND, plainLine, plainLog } from "./sanitise.ts";
import { failuresOf, repositoryGrid, runGrid, storageGrid } from "./sections.ts";
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
import { isStorageAnswered, storageRemarks, storageStatement } from "./storage-statements.ts";
import { wrap, wrapCommand } from "./wrap.ts";

const WIDTH = 72;
const TABLE_WIDTH = 78;
const MAXIMUM_BYTES = 8_000;
const LOG_LINES = 10;
const QUOTED_LINES = 12;
/** Of a claim: enough to know it again; a line each where there are many. */
const MAXIMUM_QUOTE = 110;
const MANY_CLAIMS = 6;

/** Left out in this order where the mail would be too long; the name is what the reader is told. */
const OPTIONAL = [
  "each run's details",
  "forks",
  "parts",
  "repositories",
  "logs",
  "figures",
  "further images",
  "remarks",
  "findings",
  "tables",
  "claims",
] as const;
type Section = (typeof OPTIONAL)[number];

export type MailOptions = {
  /** How the reader stops these mails, in one sentence that holds for the list it goes to. */
  stop?: string;
};

const STOP = 'A patch with a line "tare: no", or the header "X-Tare: ignore", is left alone.';

/** Body of the reply by mail: plain text, lines of 72 columns, tables of 78, at most 8 kB. */
export function renderMail(report: Report, options: MailOptions = {}): string {
  const clean = mapTexts(report, (text) => plainLine(text));
  return fit(
    (omitted) => body(report, clean, omitted, options.stop ?? STOP),
    OPTIONAL,
    (text) => Buffer.byteLength(text) <= MAXIMUM_BYTES,
  );
}

function body(raw: Report, report: Report, omitted: ReadonlySet<Section>, stop: string): string {
  const kept = (section: Section) => !omitted.has(section);
  const images = gravestFirst(report.images, report.ledger.id);
  const shown = kept("further images") ? images : images.slice(0, 1);
  // What the thread says of storage is answered where it was said.
  const isAnswered = kept("claims") && isStorageAnswered(report.claims);
  return fill("mail.txt", {
    quote: quote(raw, report),
    lead: wrap(
      [report.headline, ...substitutions(report.parts), `Verdict: ${report.verdict}.`].join(" "),
      WIDTH,
    ),
    statements: isAnswered ? [] : shown.flatMap((image) => statements(report, image)),
    remainder: isAnswered && kept("remarks") ? shown.flatMap((image) => remainder(report, image)) : [],
    tested: tested(report, shown, kept("parts")),
    images: kept("tables") ? shown.map((image) => tables(report, image, kept)) : [],
    logs: kept("logs") ? logs(raw) : [],
    claims: kept("claims")
      ? claimItems(report.claims).map((item) => claim(item, report.claims.length > MANY_CLAIMS))
      : [],
    findings: kept("findings")
      ? report.findings.map((finding) => wrap(findingLine(finding), WIDTH, { first: "- ", rest: "  " }))
      : [],
    verdicts: shown.map((image) => verdict(image, kept("figures"))),
    others: others(images.slice(shown.length)),
    caveats: kept("remarks") ? remarks(report) : [],
    omitted: omitted.size > 0 ? wrap(`Left out for length: ${[...omitted].join(", ")}.`, WIDTH) : null,
    command: wrapCommand(plainLine(raw.command, MAXIMUM_COMMAND), WIDTH, "  "),
    signature: wrap(
      `Tare ${report.tare}, a robot that weighs container caches before they are merged. ${stop}`,
      WIDTH,
    ),
  });
}

/** The added lines that it answers, as a person would quote them. */
function quote(raw: Report, report: Report): { author: string; lines: string } | null {
  if (raw.quoted.length === 0) return null;
  const lines = raw.quoted.slice(0, QUOTED_LINES).map(({ text }) => {
    // Indentation means something here, so the line is cleaned as a log's is.
    const [line = ""] = plainLog([text], { lines: 1, width: WIDTH });
    return cut(`> +${line}`, WIDTH);
  });
  const author = cut(report.change.author.name || report.change.author.address, 60);
  return { author: wrap(`${author} wrote:`, WIDTH), lines: lines.join("\n") };
}

function claim(
  { author, quote, mark, sentence }: ReturnType<typeof claimItems>[number],
  isOneOfMany: boolean,
): { quote: string; answer: string } {
  const room = isOneOfMany ? WIDTH - `> ${author}: ""`.length : MAXIMUM_QUOTE;
  return {
    quote: wrap(`${author}: "${cut(quote, room)}"`, WIDTH, { first: "> ", rest: "> " }),
    answer: wrap(`${mark}: ${sentence}`, WIDTH),
  };
}

function statements(report: Report, image: ImageReport): string[] {
  return named(report, image, storageStatement(image, report.ledger.id));
}

/** What no answer to a claim about storage holds, in one paragraph. */
function remainder(report: Report, image: ImageReport): string[] {
  const remarks = storageRemarks(image, report.ledger.id);
  return remarks.length === 0 ? [] : named(report, image, [remarks.join(" ")]);
}

function named(report: Report, image: ImageReport, sentences: readonly string[]): string[] {
  const name = report.images.length > 1 ? `${image.image}: ` : "";
  return sentences.map((said) => wrap(`${name}${said}`, WIDTH));
}

function tested(report: Report, shown: readonly ImageReport[], parts: boolean): string {
  const items = testedItems({ ...report, images: [...shown] });
  const named = parts ? [{ label: "parts", text: report.parts.map(partSentence).join("; ") }] : [];
  return [...items, ...named]
    .filter(({ text }) => text !== "")
    .map(({ label, text }) => wrap(text, WIDTH, { first: `  ${label.padEnd(8)} `, rest: " ".repeat(11) }))
    .join("\n");
}

function tables(report: Report, image: ImageReport, kept: (section: Section) => boolean) {
  const deciding = LEDGERS[report.ledger.id];
  const repositories = repositoryGrid(image);
  const growth = growthGrid(image, report.ledger.id);
  return {
    mainStorageTitle: wrap(`${image.image}: ${mainStorageTitle(deciding.rule)}`, WIDTH),
    mainStorage: plainTable(mainStorageGrid(image, report.ledger.id), TABLE_WIDTH),
    growth:
      growth === null
        ? null
        : { title: wrap(`${image.image}: ${growthTitle()}`, WIDTH), table: plainTable(growth, TABLE_WIDTH) },
    mainRunTitle: wrap(`${image.image}: ${mainRunTitle(report.machine.link)}`, WIDTH),
    mainRuns: plainTable(mainRunGrid(image), TABLE_WIDTH),
    fork: kept("forks") ? forkSlots(image) : null,
    details: kept("each run's details")
      ? {
          title: wrap(
            `${image.image}, each run: outcome and time of build and push, median (range) of ${report.repeats}`,
            WIDTH,
          ),
          runs: plainTable(runGrid(image, report.repeats, false), TABLE_WIDTH),
          storageTitle: wrap(`${image.image}, storage after each run:`, WIDTH),
          storage: plainTable(storageGrid(image, report.ledger.id), TABLE_WIDTH),
        }
      : null,
    repositories:
      kept("repositories") && repositories
        ? { after: repositories.after, table: plainTable(repositories.grid, TABLE_WIDTH) }
        : null,
  };
}

function forkSlots(image: ImageReport) {
  const grid = forkGrid(image, { moved: false });
  if (grid === null) return null;
  return {
    title: wrap(`${image.image}: ${forkTitle({ moved: false })}`, WIDTH),
    table: plainTable(grid, TABLE_WIDTH),
    sentences: forkRemarks(image).map((said) => wrap(said, WIDTH, { first: "- ", rest: "  " })),
  };
}

function logs(raw: Report): { title: string; lines: string }[] {
  return raw.images.flatMap(failuresOf).map(({ title, lines }) => ({
    title: wrap(`Last lines of ${plainLine(title)}:`, WIDTH),
    lines: plainLog(lines, { lines: LOG_LINES, width: 3 * (WIDTH - 4) })
      .map((line) => wrap(line, WIDTH, { first: "  ", rest: "    " }))
      .join("\n"),
  }));
}

function verdict(image: ImageReport, figures: boolean) {
  const { current, proposed } = pairOf(image.strategies);
  const missing = current && proposed ? "" : ` (no ${current ? "proposed" : "current"} recipe)`;
  return {
    word: wrap(`Verdict on ${image.image}: ${image.verdict}${missing}.`, WIDTH),
    thresholds: figures && image.figures.length > 0 ? wrap(thresholdSentence(image.figures), WIDTH) : null,
    figures: figures
      ? image.figures.map((figure) => wrap(figureSentence(figure), WIDTH, { first: "- ", rest: "  " }))
      : [],
  };
}

/** `199 further images: 3 broken, 196 no change` */
function others(images: readonly ImageReport[]): string | null {
  if (images.length === 0) return null;
  const counts = [...Map.groupBy(images, (image) => image.verdict)].map(
    ([word, group]) => `${group.length} ${word}`,
  );
  return wrap(`${formatCount(images.length, "further image")}: ${counts.join(", ")}.`, WIDTH);
}

function remarks(report: Report): string[] {
  return caveats(report).map((remark) => wrap(remark, WIDTH, { first: "- ", rest: "  " }));
}

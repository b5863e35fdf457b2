import { gravestFirst } from "../domain/comparison.ts";
import { formatBytes, formatCount, formatDuration } from "../domain/quantities.ts";
import type { Claim } from "../domain/claim.ts";
import type { DiffLine, Finding } from "../domain/finding.ts";
import type { ForkReport, ImageReport, Part, Report, VerdictWord } from "../domain/report.ts";
import { mapTexts } from "../lib/map-texts.ts";
import { fillPage } from "./fill.ts";
import { htmlTable } from "./html-table.ts";
import { nameOf } from "./main-table.ts";
import { imageSlots } from "./page-image.ts";
import type { Grid } from "./plain-table.ts";
import { linkAddress, MAXIMUM_COMMAND, plainLine, plainLog } from "./sanitise.ts";
import { failuresOf } from "./sections.ts";
import { caveats, short, substitutions, testedItems } from "./statements.ts";

const LOG_LINES = 40;
const LOG_WIDTH = 500;

export type PageOptions = {
  /** Address of the same report as JSON, of the page's own site or http(s); null where there is none. */
  json: string | null;
};

/** The page of a trial: one file of HTML that runs nothing and fetches nothing. */
export function renderPage(report: Report, options: PageOptions): string {
  const clean = mapTexts(report, (text) => plainLine(text));
  const images = gravestFirst(clean.images, clean.ledger.id);
  const ids = images.map((_, index) => `image-${index + 1}`);
  return fillPage("report-page.html", {
    ...headSlots(clean),
    contents: images.map((image, index) => ({ id: ids[index], image: image.image, verdict: image.verdict })),
    isLong: images.length > 1,
    claims: clean.claims.map(claimSlots),
    findings: clean.findings.map((finding) => findingSlots(finding, report)),
    images: images.map((image, index) => ({
      ...imageSlots(clean, image, ids[index] ?? ""),
      logs: logsOf(report.images[clean.images.indexOf(image)]),
    })),
    tested: testedItems(clean),
    cost: costItems(clean),
    parts: htmlTable("Parts", partGrid(clean.parts)),
    caveats: caveats(clean),
    command: plainLine(report.command, MAXIMUM_COMMAND),
    json: linkAddress(options.json),
    tare: clean.tare,
  });
}

/** How a verdict is coloured; its word stands there anyway. */
const TONES: Record<VerdictWord, string> = {
  better: "good",
  worse: "bad",
  broken: "bad",
  mixed: "open",
  "no change": "plain",
  infrastructure: "open",
  "not measured": "open",
};

function headSlots({ change, headline, verdict, parts, startedAt }: Report) {
  return {
    title: change.title,
    id: change.id,
    author: change.author.name || change.author.address,
    head: short(change.head.commit ?? change.head.tree),
    base: short(change.base.commit ?? change.base.tree),
    chosenBy: change.base.chosenBy,
    startedAt: minuteOf(startedAt),
    // An arrow of two characters would break into lines between them.
    headline: headline.replaceAll(" -> ", " \u2192 "),
    verdict,
    tone: TONES[verdict],
    substitutions: substitutions(parts),
  };
}

/** `2026-03-02 10:15 UTC`; what is no such date stays as it is. */
function minuteOf(date: string): string {
  return date.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):[\d.]+Z$/u, "$1 $2 UTC");
}

function claimSlots({ author, date, quote, mark, sentence, alike }: Claim) {
  return { author, date: date === null ? null : minuteOf(date), quote, mark, sentence, alike };
}

/** A finding beside the lines of the diff around it. */
function findingSlots({ file, line, side, text, why }: Finding, raw: Report) {
  const excerpt = raw.excerpts.find(
    (each) => each.side === side && plainLine(each.file) === file && each.line === line,
  );
  return {
    place: `${file}:${line}`,
    isRemoved: side === "base",
    diff:
      excerpt === undefined
        ? quotedDiff(raw, { file, line, side })
        : excerpt.lines.map(diffSlots(line, side)),
    text,
    why,
  };
}

/** Reports of an older version have no more than the lines that the answer quotes. */
function quotedDiff(raw: Report, { file, line, side }: Pick<Finding, "file" | "line" | "side">) {
  const quoted = raw.quoted.find(
    (each) => side === "head" && plainLine(each.file) === file && each.line === line,
  );
  if (quoted === undefined) return [];
  return [diffSlots(line, side)({ mark: "added", base: null, head: line, text: quoted.text })];
}

const MARKS = { added: "+", removed: "-", kept: " " } as const;

function diffSlots(line: number, side: "base" | "head") {
  return ({ mark, base, head, text }: DiffLine) => ({
    mark,
    isMeant: (side === "head" ? head : base) === line,
    number: head ?? base ?? "",
    text: `${MARKS[mark]}${plainLog([text], { lines: 1, width: LOG_WIDTH })[0] ?? ""}`,
  });
}

/** Last lines of what failed, upstream's runs and the pipelines of forks, by the raw image. */
function logsOf(raw: ImageReport | undefined): { title: string; lines: string }[] {
  if (raw === undefined) return [];
  const forks = raw.strategies.flatMap((strategy) =>
    strategy.forks.flatMap((fork) => forkFailure(`${nameOf(strategy, raw)}, fork`, fork)),
  );
  return [...failuresOf(raw), ...forks].map(({ title, lines }) => ({
    title: plainLine(title),
    lines: plainLog(lines, { lines: LOG_LINES, width: LOG_WIDTH }).join("\n"),
  }));
}

function forkFailure(name: string, { upstream, runs }: ForkReport): { title: string; lines: string[] }[] {
  const index = runs.findIndex(({ failure }) => failure !== null && failure.length > 0);
  const lines = runs[index]?.failure;
  if (!lines) return [];
  return [
    { title: `${name} with upstream ${upstream}, ${index === 0 ? "first" : "second"} pipeline`, lines },
  ];
}

/** Time and bytes beside what was expected of them. */
function costItems({ wallMs, machineMs, estimate, downloads }: Report): { label: string; text: string }[] {
  return [
    {
      label: "time",
      text: `${formatDuration(wallMs)} from start to answer, ${formatDuration(machineMs)} of them taken by jobs`,
    },
    {
      label: "expected",
      text: `${formatDuration(estimate.wallMs)} and ${formatBytes(estimate.bytes)} of images, by ${estimate.basis}`,
    },
    { label: "downloads", text: downloadText(downloads) },
  ];
}

function downloadText({ from, bytesFromCache, bytesFetched, tunnelBytes, tunnelHosts }: Report["downloads"]) {
  const way =
    from === "cache"
      ? `of RUN steps from one cache: ${formatBytes(bytesFromCache)} served, ${formatBytes(bytesFetched)} fetched from outside`
      : "of RUN steps anew in each run";
  if (tunnelBytes === 0) return way;
  const hosts = `${formatCount(tunnelHosts.length, "host")} (${tunnelHosts.join(", ")})`;
  return `${way}; ${formatBytes(tunnelBytes)} through HTTPS, not cached, from ${hosts}`;
}

function partGrid(parts: readonly Part[]): Grid {
  return {
    head: ["part", "version", "origin", "digest", "the template names", "same version"],
    align: ["left", "left", "left", "left", "left", "left"],
    rows: parts.map(({ part, version, origin, digest, named, differs }) => [
      part,
      version,
      origin,
      digest === null ? "none" : digest.slice(0, 19),
      named ?? "nothing",
      differs ? "no" : "not known to differ",
    ]),
  };
}

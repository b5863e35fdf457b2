import { LEDGERS } from "../domain/comparison.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatExactBytes,
  formatMemory,
} from "../domain/quantities.ts";
import type { Claim } from "../domain/claim.ts";
import type { Finding } from "../domain/finding.ts";
import { UNLIMITED_LOOPBACK } from "../domain/report.ts";
import type { DecidingFigure, ImageReport, Part, Report } from "../domain/report.ts";

/** Sentences of an answer, the same in every format. The report given here is already clean. */

/** Names that are told before the rest is only counted. */
const NAMED = 5;

/** Where the edits were made, said to be synthetic where they are. */
export function editsOf(image: ImageReport): string {
  const places = image.edits.map(({ description }) => description).join("; ");
  return image.edits.some(({ synthetic }) => synthetic) ? `${places}; synthetic` : places;
}

/** One sentence for each program that is not the one that the template names. */
export function substitutions(parts: readonly Part[]): string[] {
  return parts
    .filter((part) => part.differs)
    .map((part) => {
      const stand = `Built here with ${part.part} ${part.version} (${part.origin})`;
      return part.named === null ? `${stand}.` : `${stand}; the template names ${part.named}.`;
    });
}

/** `bytes by GitLab's count after edit 1: 11,074,012 B -> 13,083,412 B: worse (…)` */
export function figureSentence(figure: DecidingFigure): string {
  const show = (value: number | null) =>
    value === null ? "unknown" : figure.unit === "bytes" ? formatExactBytes(value) : formatDuration(value);
  return `${figure.figure}: ${show(figure.current)} -> ${show(figure.proposed)}: ${figure.judgement} (${figure.why})`;
}

/** How a figure comes to decide. */
export function thresholdSentence(figures: readonly DecidingFigure[]): string {
  const said = figures.map((figure) => {
    const absolute =
      figure.unit === "bytes"
        ? formatBytes(figure.thresholdAbsolute)
        : formatDuration(figure.thresholdAbsolute);
    return `${(figure.thresholdRatio * 100).toFixed(0)} % and ${absolute}`;
  });
  return `A difference decides beyond ${[...new Set(said)].join(", or ")}.`;
}

/** What was tested and on what, as label and text. */
export function testedItems(report: Report): { label: string; text: string }[] {
  const { change, machine, limits } = report;
  const baseTree =
    change.base.commit === null ? `tree ${short(change.base.tree)}` : short(change.base.commit);
  const headTree =
    change.head.commit === null ? `tree ${short(change.head.tree)}` : short(change.head.commit);
  return [
    { label: "change", text: report.sentence },
    { label: "base", text: `${baseTree} (${change.base.chosenBy}), with the change ${headTree}` },
    ...report.images.flatMap((image) => imageItems(image)),
    {
      label: "runner",
      text: `${formatCount(limits.cpus, "CPU")}, ${formatMemory(limits.memoryBytes)}, fresh for every run; ${formatCount(report.repeats, "repeat")}`,
    },
    {
      label: "machine",
      text: `${formatCount(machine.cpus, "CPU")}, ${formatMemory(machine.memoryBytes)}, ${machine.kernel}, cgroup ${machine.cgroup}; clock: ${machine.clock}`,
    },
    {
      label: "link",
      text: `${machine.link}${machine.link === UNLIMITED_LOOPBACK ? ": times decide nothing" : ""}`,
    },
    { label: "ledger", text: `${LEDGERS[report.ledger.id].name}: ${report.ledger.why}` },
  ];
}

function imageItems(image: ImageReport): { label: string; text: string }[] {
  const bases = image.bases.slice(0, NAMED).map(({ name, digest, from }) => {
    if (from === name || from === "") return digest === null ? name : `${name}@${digest.slice(0, 19)}`;
    // A digest belongs behind the name only where that registry knows it: not that of a stand-in.
    return `${name} (${from}${digest === null ? "" : `: ${digest.slice(0, 19)}`})`;
  });
  const from = bases.length > 0 ? `, from ${bases.join(", ")}` : "";
  return [
    { label: "image", text: `${image.dockerfile}${from}` },
    { label: image.edits.length === 1 ? "edit" : "edits", text: editsOf(image) },
  ];
}

/** `kaniko v1.28.3, made from packages (sha256:0123…)` */
export function partSentence(part: Part): string {
  const digest = part.digest === null ? "" : ` (${part.digest.slice(0, 19)})`;
  return `${part.part} ${part.version}, ${part.origin}${digest}`;
}

/** Statements of the thread with their answers: who, what was said, the mark and the sentence with its figures. */
export function claimItems(
  claims: readonly Claim[],
): { author: string; quote: string; mark: string; sentence: string }[] {
  return claims.map(({ author, quote, mark, sentence, alike }) => {
    const others = [...new Set(alike.map((each) => each.author))].filter((name) => name !== author);
    const names = [author, ...others].slice(0, NAMED).join(", ");
    return { author: names, quote, mark, sentence };
  });
}

/** `.gitlab-ci.yml:5: …`; a removed line says so. */
export function findingLine({ file, line, side, text }: Finding): string {
  const place = side === "base" ? `${file}:${line} (removed)` : `${file}:${line}`;
  return `${place}: ${text}`;
}

/** What a reader must know before he relies on the numbers. */
export function caveats(report: Report): string[] {
  const dropped = report.images.flatMap((image) =>
    image.strategies.flatMap((strategy) =>
      strategy.droppedFlags.map(({ flag, why }) => `${strategy.strategy}: left out ${flag}: ${why}`),
    ),
  );
  return [...new Set([...report.notes, ...notBuilt(report.notBuilt), ...dropped])];
}

/** One remark for each reason, with a few names and a count of the rest. */
function notBuilt(entries: Report["notBuilt"]): string[] {
  const byReason = Map.groupBy(entries, ({ why }) => why);
  return [...byReason].map(([why, group]) => {
    const names = group.slice(0, NAMED).map(({ what }) => what);
    const rest = group.length > NAMED ? ` and ${group.length - NAMED} more` : "";
    return `Not built: ${names.join(", ")}${rest}: ${why}`;
  });
}

export function short(objectId: string): string {
  return /^[0-9a-f]{40,64}$/u.test(objectId) ? objectId.slice(0, 12) : objectId;
}

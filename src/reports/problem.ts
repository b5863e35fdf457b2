import type { Problem } from "../domain/problem.ts";
import { fill } from "./fill.ts";
import { cut, markdownFence, markdownLine, plainLine, plainLog } from "./sanitise.ts";
import { wrap } from "./wrap.ts";

/** Where an answer is read. */
export type Format = "mail" | "markdown" | "text";

export const WIDTHS = { mail: 72, text: 100 } as const;
const DETAILS = 20;
/** Lines that one detail may take before it is cut. */
const DETAIL_LINES = 6;

/** A requester's mistake as an answer: what is wrong and where, what to do, and the details below. */
export function renderProblem(problem: Problem, format: Format): string {
  const details = problem.details.length > 0 ? problem.details : null;
  // On a list and on a forge the author reads it, who has no command line of Tare before him.
  const remedy = format === "text" ? problem.remedy : (problem.authorRemedy ?? problem.remedy);
  if (format === "markdown")
    return fill("problem.md", {
      message: markdownLine(problem.message),
      remedy: markdownLine(remedy),
      details: details && markdownFence(detailLines(details, WIDTHS.text), { lines: DETAILS * DETAIL_LINES }),
    });
  const width = WIDTHS[format];
  return fill(`problem.${format}.txt`, {
    message: wrap(plainLine(problem.message), width),
    remedy: wrap(plainLine(remedy), width),
    // Indented, so that git does not read a diff among them as a patch.
    details: details && detailLines(details, width, "  ").join("\n"),
  });
}

/** The last details, each on a few lines of at most `width`; one that fits is left as it is. */
function detailLines(details: readonly string[], width: number, indent = ""): string[] {
  const room = width - indent.length;
  return plainLog(details, { lines: DETAILS, width: DETAIL_LINES * room }).flatMap((detail) => {
    if (detail.length <= room) return [`${indent}${detail}`.trimEnd()];
    const lines = wrap(detail, width, { first: indent, rest: `${indent}  ` }).split("\n");
    if (lines.length <= DETAIL_LINES) return lines;
    return [...lines.slice(0, DETAIL_LINES - 1), cut(`${lines[DETAIL_LINES - 1] ?? ""} ...`, width)];
  });
}

import type { Problem } from "../domain/problem.ts";
import { fill } from "./fill.ts";
import { markdownFence, markdownLine, plainLine, plainLog } from "./sanitise.ts";
import { wrap } from "./wrap.ts";

/** Where an answer is read. */
export type Format = "mail" | "markdown" | "text";

export const WIDTHS = { mail: 72, text: 100 } as const;
const DETAIL_LINES = 20;

/** A requester's mistake as an answer: what is wrong and where, what to do, and the details below. */
export function renderProblem(problem: Problem, format: Format): string {
  if (format === "markdown")
    return fill("problem.md", {
      message: markdownLine(problem.message),
      remedy: markdownLine(problem.remedy),
      details: problem.details.length > 0 ? markdownFence(problem.details, { lines: DETAIL_LINES }) : null,
    });
  const width = WIDTHS[format];
  // In a mail the details are somebody's words and quoted as such; git would read a bare diff as a patch.
  const mark = format === "mail" ? "> " : "  ";
  const details = plainLog(problem.details, { lines: DETAIL_LINES, width: width - mark.length });
  return fill(`problem.${format}.txt`, {
    message: wrap(plainLine(problem.message), width),
    remedy: wrap(plainLine(problem.remedy), width),
    details: details.length > 0 ? details.map((line) => `${mark}${line}`.trimEnd()).join("\n") : null,
  });
}

import type { LogLine } from "../domain/job.ts";

const MOST_LINES = 24;

/**
 * Last lines of a log, for a report: what failed and what it said. BuildKit ends with the place in the Dockerfile between
 * two rules, which would crowd out the output of the step that it quotes just before.
 */
export function lastWords(log: readonly LogLine[]): string[] {
  const lines = log.slice(-4 * MOST_LINES).map(({ line }) => line);
  const place = lines.findLastIndex((line, index) => /^\S+:\d+$/.test(line) && isRule(lines[index + 1]));
  const end = place < 0 ? -1 : lines.findIndex((line, index) => index > place + 1 && isRule(line));
  const telling = end < 0 ? lines : lines.toSpliced(place, end - place + 1);
  return telling.slice(-MOST_LINES);
}

function isRule(line: string | undefined): boolean {
  return line !== undefined && /^-{20}$/.test(line);
}

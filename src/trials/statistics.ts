import { formatDuration } from "../domain/quantities.ts";
import type { DecidingFigure } from "../domain/report.ts";
import { median, MINIMUM_RUNS, range } from "../domain/statistics.ts";

export type Judged = Pick<DecidingFigure, "judgement" | "why"> & {
  current: number | null;
  proposed: number | null;
};

/**
 * Compares two series of durations in milliseconds by their medians; less is better. `no change` unless the
 * ranges are apart and the medians differ by more than both `ratio` of the current one and `absoluteMs`.
 */
export function judge(
  currentMs: readonly number[],
  proposedMs: readonly number[],
  threshold: { ratio: number; absoluteMs: number },
): Judged {
  const medians = { current: median(currentMs), proposed: median(proposedMs) };
  const ranges = { current: range(currentMs), proposed: range(proposedMs) };
  if (medians.current === null || medians.proposed === null || !ranges.current || !ranges.proposed)
    return { ...medians, judgement: "does not decide", why: "not timed on both sides" };
  const runs = Math.min(currentMs.length, proposedMs.length);
  if (runs < MINIMUM_RUNS)
    return {
      ...medians,
      judgement: "does not decide",
      why: `${runs} timed ${runs === 1 ? "run" : "runs"} a side, ${MINIMUM_RUNS} are needed`,
    };
  const apart =
    ranges.proposed.least > ranges.current.greatest || ranges.proposed.greatest < ranges.current.least;
  if (!apart) return { ...medians, judgement: "no change", why: "the ranges overlap" };
  const limitMs = Math.max(threshold.ratio * medians.current, threshold.absoluteMs);
  const judged = judgeDifference(medians.current, medians.proposed, limitMs);
  const why =
    judged === "no change"
      ? `the difference is within ${formatDuration(limitMs)}`
      : `the ranges are apart, the medians by more than ${formatDuration(limitMs)}`;
  return { ...medians, judgement: judged, why };
}

/** Compares two exact figures: only a difference above the limit counts; less is better. */
export function judgeDifference(
  current: number,
  proposed: number,
  limit: number,
): "better" | "worse" | "no change" {
  if (Math.abs(proposed - current) <= limit) return "no change";
  return proposed < current ? "better" : "worse";
}

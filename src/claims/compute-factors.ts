import type { ComputeFactor } from "./facts.ts";

/**
 * Minutes that GitLab charges for a minute of a job, on the runner that a trial's limits are taken from. Sources: GitLab's
 * documentation, ci/pipelines/compute_minutes.md (cost factors: hosted small Linux runners 1, half of it for public projects of
 * the Open Source program; runners of one's own are not charged).
 */
export const GITLAB_COMPUTE_FACTORS: ComputeFactor[] = [
  { runner: "GitLab's small hosted runner", factor: 1 },
  { runner: "a runner of one's own", factor: 0 },
];

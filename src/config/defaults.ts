import { THRESHOLDS } from "../domain/comparison.ts";
import { DEFAULT_LIMITS } from "../domain/job.ts";

/** What holds where neither a file nor the command says otherwise. */
export const DEFAULTS = {
  repeats: 3,
  /** Repeats where a link is set, so that times can decide: five give a range that means something. */
  timedRepeats: 5,
  /** No budget: one image with all its repeats. */
  budgetMs: Number.POSITIVE_INFINITY,
  edits: ["first", "last"] as ("first" | "last" | number)[],
  /** Edits that are replayed from the Dockerfile's history. */
  replay: 4,
  thresholds: THRESHOLDS,
  limits: DEFAULT_LIMITS,
  ledger: "namespace",
  privileges: "auto",
} as const;

/** The most that a project's file gets where the operator has written neither a value nor a ceiling. */
export const UNWRITTEN = { repeats: 5, replay: 10, budgetMs: 3_600_000, images: 5 } as const;

import { DEFAULTS } from "./defaults.ts";
import {
  described,
  duration,
  edits,
  ledger,
  repeats,
  replay,
  strategies,
  thresholds,
} from "./value-schemas.ts";

/** Keys that the operator's file and the project's share. */
export const wishes = {
  strategies: described(strategies, "strategies to compare beside the change's own", []),
  edits: described(
    edits,
    "RUN instructions that are edited instead of what the history has, one scenario each",
    DEFAULTS.edits,
  ),
  replay: described(
    replay,
    "edits of the Dockerfile that are replayed from its history; 0 for synthetic ones, and so where `edits` is written",
    DEFAULTS.replay,
  ),
  repeats: described(repeats, "timed repeats; fewer than 3 decide nothing about time", DEFAULTS.repeats),
  budget: described(duration, "time for one change; images are sampled to fit it; none: one image"),
  thresholds: described(thresholds, "what a difference must pass to decide"),
  ledger: described(ledger, "rule by which the project's registry is charged", "namespace"),
};

import { builders } from "./builders/index.ts";
import { gatedLimits } from "./domain/job.ts";
import { BUILDERS } from "./domain/recipe.ts";
import type { Testbed } from "./images/testbed.ts";
import type { MissingBuilder } from "./images/types.ts";
import type { PreparedTrial, TrialRequest } from "./prepare-trial.ts";
import { buildersOf, withoutMissing } from "./trial-builders.ts";

/** Builders that ask for more than a gated job may have. */
const UNHELD: readonly MissingBuilder[] = BUILDERS.filter(
  (builder) => builders[builder].privileges !== "none",
).map((builder) => ({
  builder,
  why: `it needs ${builders[builder].needs ?? "privileges"}, and a job of code that is not trusted gets none`,
  remedy: "Have somebody read the change and run it as trusted.",
}));

/**
 * The trial as it can be run behind a gate: without strategies beside the change's own whose builder needs privileges.
 * Problem gate-impossible, before anything of it is pulled or run, where the change's own do, or where this machine
 * cannot hold a job.
 */
export async function behindGate(
  prepared: PreparedTrial,
  request: Pick<TrialRequest, "limits">,
  { executor }: Pick<Testbed, "executor">,
): Promise<PreparedTrial> {
  const held = withoutMissing(prepared, UNHELD);
  const { needed, others } = buildersOf(held);
  const limits = gatedLimits(request.limits);
  await executor.refuseUnheld(
    [...needed, ...others].map((builder) => ({ privileges: builders[builder].privileges, limits })),
  );
  return held;
}

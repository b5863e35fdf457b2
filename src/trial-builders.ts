import { labelOf } from "./domain/comparison.ts";
import { BUILDERS, type BuilderId } from "./domain/recipe.ts";
import type { MissingBuilder } from "./images/types.ts";
import type { PreparedTrial } from "./prepare-trial.ts";
import type { ImageSource } from "./trials/image-source.ts";
import type { NotBuilt } from "./trials/plan.ts";

/** Builders that a trial needs, and those that only strategies beside the change's own use. */
export function buildersOf(prepared: PreparedTrial): { needed: BuilderId[]; others: BuilderId[] } {
  const builders = (sources: readonly ImageSource[]) =>
    new Set(sources.flatMap((source) => [source, ...source.startsFrom]).map(({ recipe }) => recipe.builder));
  const needed = builders(prepared.trials.flatMap(({ current, proposed }) => [current, proposed]));
  const others = builders(prepared.trials.flatMap((trial) => trial.others.map(({ source }) => source)));
  return {
    needed: BUILDERS.filter((builder) => needed.has(builder)),
    others: BUILDERS.filter((builder) => others.has(builder) && !needed.has(builder)),
  };
}

/** The trial without strategies whose builder cannot be had here; each is named. */
export function withoutMissing(prepared: PreparedTrial, missing: readonly MissingBuilder[]): PreparedTrial {
  const refused: NotBuilt[] = [];
  const trials = prepared.trials.map((trial) => {
    const others = trial.others.filter(({ variant, source: { recipe } }) => {
      const found = missing.find(({ builder }) => builder === recipe.builder);
      if (found === undefined) return true;
      const label = labelOf({ strategy: recipe.strategy, variant });
      refused.push({ what: `${trial.pair.image} with ${label}`, why: found.why });
      return false;
    });
    return { ...trial, others };
  });
  const notBuilt = [...prepared.selection.notBuilt, ...refused];
  return { ...prepared, trials, selection: { ...prepared.selection, notBuilt } };
}

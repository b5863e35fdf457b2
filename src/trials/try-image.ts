import { pairOf } from "../domain/comparison.ts";
import { conductImage, type ConductDoors, type ConductOptions, type ImageTrial } from "./conduct.ts";

/** Tries an image; where the current side cannot build an old Dockerfile any more, once more with synthetic edits. */
export async function tryImage(
  trial: ImageTrial,
  options: ConductOptions,
  doors: ConductDoors,
  signal: AbortSignal,
): ReturnType<typeof conductImage> {
  const tried = await conductImage(trial, options, doors, signal);
  const { current } = pairOf(tried.image.strategies);
  const failed = current?.runs.find(({ outcome }) => outcome === "failed");
  if (trial.synthetic === null || failed === undefined) return tried;
  const again = await conductImage(await trial.synthetic(), options, doors, signal);
  const note = `${trial.pair.image}: an earlier Dockerfile does not build any more (${failed.scenario}), so the edits are synthetic.`;
  return {
    ...again,
    notes: [note, ...again.notes],
    machineMs: tried.machineMs + again.machineMs,
  };
}

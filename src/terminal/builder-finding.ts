import type { BuilderId } from "../domain/recipe.ts";
import type { Engine } from "../executors/engine-connection.ts";
import { madeVersion } from "../images/import-image.ts";
import { pinOf } from "../images/official.ts";
import { makeObstacle, MAKERS } from "../images/packages.ts";
import { PINS, pulledBy, type PinName } from "../images/pins.ts";

/** One thing that `tare doctor` looked at. `remedy` is set where it is not usable and something else does not say it. */
export type Finding = {
  what: string;
  state: "usable" | "will be made" | "on first use" | "not usable";
  detail: string;
  remedy?: string;
};

/**
 * The engine that builders would run on: one that answers, one of Tare's own that runs only while a command needs it
 * (`hadBefore`: an earlier command may have left images on it), or none.
 */
export type EngineSeen =
  | { kind: "running"; engine: Engine }
  | { kind: "own"; hadBefore: boolean }
  | { kind: "none" };

/** Where a builder's image is or comes from. The engine is not asked to pull: that would change it. */
export async function builderFinding(
  builder: BuilderId,
  seen: EngineSeen,
  settings: { named: string | undefined; source: string | undefined },
): Promise<Finding> {
  if (seen.kind === "none")
    return { what: builder, state: "not usable", detail: "there is no engine that it could run on" };
  const there = seen.kind === "running" ? await imageThere(builder, seen.engine, settings) : null;
  if (there !== null) return { what: builder, state: "usable", detail: there };
  if (settings.named !== undefined) {
    const detail = `the operator's ${settings.named}, where the engine can pull it`;
    return { what: builder, state: "on first use", detail };
  }
  return seen.kind === "running"
    ? sourceFinding(builder, settings.source)
    : madeFinding(builder, seen.hadBefore);
}

/** What of a builder's the engine has already; null where it has none that would be taken. */
async function imageThere(
  builder: BuilderId,
  { docker }: Engine,
  { named, source }: { named: string | undefined; source: string | undefined },
): Promise<string | null> {
  const has = async (name: string) => (await madeVersion(docker, name)) !== null;
  if (named !== undefined) return (await has(named)) ? `the operator's ${named}` : null;
  const pins = source === "packages" ? [] : [pinOf(builder, false), pinOf(builder, true)];
  for (const pin of pins)
    if (pin !== null && (await has(pulledBy(pin)))) return `official image ${PINS[pin].version}, pulled`;
  const { image } = MAKERS[builder];
  return source !== "official" && (await has(image)) ? `made from packages: ${image}` : null;
}

/** Where the engine that runs would have a builder's image from. */
async function sourceFinding(builder: BuilderId, source: string | undefined): Promise<Finding> {
  const pin: PinName | null = source === "packages" ? null : pinOf(builder, false);
  if (source === "official") {
    if (pin !== null)
      return { what: builder, state: "on first use", detail: `official image ${PINS[pin].version}` };
    const detail = "no digest of its official image is known, and TARE_IMAGES allows no other";
    return { what: builder, state: "not usable", detail, remedy: "Unset TARE_IMAGES." };
  }
  if (pin === null) return madeFinding(builder, false);
  const obstacle = await makeObstacle(builder);
  const otherwise = obstacle === null ? "or else made from packages" : `not without it: ${obstacle.why}`;
  const detail = `official image ${PINS[pin].version} where the engine can pull it, ${otherwise}`;
  return { what: builder, state: "on first use", detail };
}

/** Whether it can be made here. What Tare's own engine holds cannot be seen while that does not run. */
async function madeFinding(builder: BuilderId, perhapsThere: boolean): Promise<Finding> {
  const { madeOf } = MAKERS[builder];
  const obstacle = await makeObstacle(builder);
  if (obstacle !== null) {
    const detail = perhapsThere ? `unless it was made before: ${obstacle.why}` : obstacle.why;
    return { what: builder, state: "not usable", detail, remedy: obstacle.remedy };
  }
  return perhapsThere
    ? { what: builder, state: "on first use", detail: `made then, or already there: from ${madeOf}` }
    : { what: builder, state: "will be made", detail: `from ${madeOf}` };
}

/** Who says a value, from the strongest on. `default` is Tare itself. */
export type Origin = "command" | ".tare.yml" | "tare.yml" | "default";

/** One setting with a maximum, as each side has it; undefined where it says nothing. */
export type Capped = {
  command: number | undefined;
  project: number | undefined;
  operator: number | undefined;
  ceiling: number | undefined;
  fallback: number;
  /** The most that a project gets where the operator has written neither a value nor a ceiling. */
  unwritten: number;
};

/** What holds, who said it, and what had to give way: `allowed` is below `asked`. */
export type Settled = { value: number; from: Origin | "ceiling of tare.yml"; lowered: Lowered | null };
export type Lowered = { asked: number; by: Origin; allowed: number; why: string };

/**
 * The command's wish over the project's over the operator's, under the operator's ceiling. Where no ceiling is written, a
 * project may ask for no more than the operator's own value: a watched repository never raises what a machine spends.
 */
export function withinCeiling(values: Capped): Settled {
  const { command, project, operator, ceiling, fallback, unwritten } = values;
  const own = Math.min(operator ?? fallback, ceiling ?? Number.POSITIVE_INFINITY);
  if (command !== undefined) return settle(command, "command", ceiling, "tare.yml");
  if (project !== undefined) {
    const why = ceiling === undefined ? "tare.yml, which has no ceiling for it" : "tare.yml";
    return settle(project, ".tare.yml", ceiling ?? operator ?? unwritten, why);
  }
  if (ceiling !== undefined && (operator ?? fallback) > ceiling) {
    return { value: ceiling, from: "ceiling of tare.yml", lowered: null };
  }
  return { value: own, from: operator === undefined ? "default" : "tare.yml", lowered: null };
}

function settle(asked: number, by: Origin, most: number | undefined, why: string): Settled {
  if (most === undefined || asked <= most) return { value: asked, from: by, lowered: null };
  return { value: most, from: "ceiling of tare.yml", lowered: { asked, by, allowed: most, why } };
}

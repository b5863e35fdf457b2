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

/** Who holds a wish back: `default ceiling` is what a project gets where the operator has written nothing. */
export type Ceiling = "ceiling of tare.yml" | "default ceiling";

/** What holds, who said it, and what had to give way: `allowed` is below `asked`. */
export type Settled = { value: number; from: Origin | Ceiling; lowered: Lowered | null };
export type Lowered = { asked: number; by: Origin; allowed: number; why: string };

/**
 * The command's wish over the project's over the operator's, under the operator's ceiling. Where no ceiling is written, a
 * project may ask for no more than the operator's own value: a watched repository never raises what a machine spends.
 */
export function withinCeiling(values: Capped): Settled {
  const { command, project, operator, ceiling, fallback, unwritten } = values;
  const own = operator ?? fallback;
  if (command !== undefined) return settle(command, "command", ceiling, "ceiling of tare.yml");
  if (project !== undefined) {
    const written = ceiling ?? operator;
    const from = written === undefined ? "default ceiling" : "ceiling of tare.yml";
    return settle(project, ".tare.yml", written ?? unwritten, from);
  }
  if (ceiling !== undefined && own > ceiling) {
    return { value: ceiling, from: "ceiling of tare.yml", lowered: null };
  }
  return { value: own, from: operator === undefined ? "default" : "tare.yml", lowered: null };
}

function settle(asked: number, by: Origin, most: number | undefined, from: Ceiling): Settled {
  if (most === undefined || asked <= most) return { value: asked, from: by, lowered: null };
  const why = from === "default ceiling" ? "default, as no ceiling is written" : "tare.yml";
  return { value: most, from, lowered: { asked, by, allowed: most, why } };
}

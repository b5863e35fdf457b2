import type { JobResult, Phase, Phases } from "../domain/job.ts";

type Command = JobResult["commands"][number];

const spent = (commands: readonly Command[]) =>
  commands.reduce((total, command) => total + command.endMs - command.startMs, 0);

/** Phases of a job whose commands are one phase each. Pulls count in the total alone. Milliseconds. */
export function commandPhases({ commands }: JobResult): Phases {
  const of = (phase: Phase) => {
    const those = commands.filter((command) => command.phase === phase);
    return those.length === 0 ? ("unknown" as const) : spent(those);
  };
  return { buildMs: of("build"), pushMs: of("push"), totalMs: spent(commands) };
}

/**
 * What BuildKit's plain log says first of all that leaves the builder: an export of the cache counts as a push. Newer
 * ones export image and cache at once and print one behind the other: compression of layers counts as build.
 */
const LEAVING = /^#\d+ (?:pushing layers|exporting cache to registry)/;

/**
 * Phases of a job whose one command builds and pushes with BuildKit, told apart by its plain log. Unknown where the log
 * does not get that far.
 */
export function buildkitPhases({ commands, log }: JobResult): Phases {
  const totalMs = spent(commands);
  const whole = commands.find((command) => command.phase === "build and push");
  const leaving = log.find((entry) => LEAVING.test(entry.line));
  if (whole === undefined || leaving === undefined) return { buildMs: "unknown", pushMs: "unknown", totalMs };
  return { buildMs: leaving.atMs - whole.startMs, pushMs: whole.endMs - leaving.atMs, totalMs };
}

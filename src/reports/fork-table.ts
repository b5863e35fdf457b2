import { formatBytes, formatDuration } from "../domain/quantities.ts";
import type { Outcome } from "../domain/job.ts";
import type { ForkCachePush, ForkReport, ForkRun, ImageReport, UpstreamAccess } from "../domain/report.ts";
import { nameOf } from "./main-table.ts";
import type { Grid } from "./plain-table.ts";

/** What a contributor's pipelines did: a table, and sentences about strategies. */

/** `moved`: the table has bytes over the link beside times. */
export function forkTitle({ moved }: { moved: boolean }): string {
  const figures = moved ? "time and bytes moved (pulled and pushed)" : "time";
  return `two pipelines of a contributor's fork with the last edit: ${figures}, layers reused, push to the cache`;
}

type Row = { name: string; fork: ForkReport };

function rowsOf(image: ImageReport): Row[] {
  return image.strategies.flatMap((strategy) =>
    strategy.forks.map((fork) => ({ name: nameOf(strategy, image), fork })),
  );
}

/** A row for each strategy and each access to upstream; null where no fork was tried. `moved`: with bytes over the link. */
export function forkGrid(image: ImageReport, { moved }: { moved: boolean }): Grid | null {
  const rows = rowsOf(image);
  if (rows.length === 0) return null;
  return {
    head: ["strategy", "upstream", "first", "second", "reused", "cache push"],
    align: ["left", "left", "right", "right", "right", "left"],
    rows: rows.map(({ name, fork: { upstream, runs, cachePush } }) => [
      name,
      upstream,
      runCell(runs[0], moved),
      runCell(runs[1], moved),
      reusedCell(runs),
      PUSHES[cachePush],
    ]),
  };
}

const PUSHES: Record<ForkCachePush, string> = {
  allowed: "allowed",
  "denied: the job goes on": "denied, goes on",
  "denied: the job fails": "denied, fails",
  none: "none",
};

function runCell(run: ForkRun | undefined, moved: boolean): string {
  if (run === undefined) return "-";
  if (run.outcome !== "succeeded") return endOf(run);
  const time = formatDuration(run.totalMs);
  return moved ? `${time}, ${formatBytes(run.pulledBytes + run.pushedBytes)}` : time;
}

const ENDS: Record<Exclude<Outcome, "succeeded">, string> = {
  failed: "fails",
  "out-of-memory": "is killed",
  "timed-out": "times out",
  canceled: "canceled",
};

/** `exit 125`; a word where the exit code says nothing or claims a success. */
function endOf({ outcome, exitCode }: ForkRun): string {
  if (outcome === "failed" && exitCode !== null && exitCode > 0) return `exit ${exitCode}`;
  return outcome === "succeeded" ? "succeeds" : ENDS[outcome];
}

/** `1, 2 of 2`: layers reused by the first and by the second pipeline. */
function reusedCell(runs: readonly ForkRun[]): string {
  const parts = runs.map(reused);
  const [first, second] = parts;
  if (first === undefined || second === undefined || first === null || second === null)
    return parts.map((part) => (part === null ? "-" : `${part.hits} of ${part.of}`)).join(", ");
  if (first.of === second.of) return `${first.hits}, ${second.hits} of ${first.of}`;
  return `${first.hits} of ${first.of}, ${second.hits} of ${second.of}`;
}

function reused({ hits, misses }: ForkRun): { hits: number; of: number } | null {
  return hits === "unknown" || misses === "unknown" ? null : { hits, of: hits + misses };
}

const FORKS: Record<UpstreamAccess, string> = {
  readable: "in a fork",
  unreadable: "in a fork that cannot read upstream's registry",
};

/** One sentence for each strategy and access, and one for each whose job does not run in forks. */
export function forkSentences(image: ImageReport): string[] {
  const rows = rowsOf(image);
  return rows.length === 0 ? [] : [...rows.map(sentence), ...notInForks(image)];
}

/** What the table alone would leave to be overlooked: jobs that fail, pushes that are refused, jobs that do not run. */
export function forkRemarks(image: ImageReport): string[] {
  const rows = rowsOf(image);
  return rows.length === 0 ? [] : [...rows.flatMap(remark), ...notInForks(image)];
}

function notInForks(image: ImageReport): string[] {
  return image.strategies
    .filter(({ recipe }) => recipe.condition === "upstream")
    .map((strategy) => `The job of ${nameOf(strategy, image)} does not run in forks.`);
}

function remark(row: Row): string[] {
  const { name, fork } = row;
  if (fork.runs.some(({ outcome }) => outcome !== "succeeded")) return [sentence(row)];
  if (fork.cachePush === "allowed" || fork.cachePush === "none") return [];
  return [`${name} ${FORKS[fork.upstream]}: ${pushOf(fork.cachePush)}.`];
}

function sentence({ name, fork }: Row): string {
  const subject = `${name} ${FORKS[fork.upstream]}`;
  const failed = fork.runs.find(({ outcome }) => outcome !== "succeeded");
  if (failed !== undefined) return `${subject} ${failureOf(fork, failed)}.`;
  const parts = ["succeeds", reuseOf(fork.runs)].filter((part) => part !== null).join(" and ");
  const push = pushOf(fork.cachePush);
  return `${subject} ${push === null ? parts : `${parts}; ${push}`}.`;
}

function failureOf({ runs, cachePush }: ForkReport, failed: ForkRun): string {
  const place =
    runs.length > 1 && runs.every(({ outcome }) => outcome !== "succeeded")
      ? "in both pipelines"
      : `in the ${runs.indexOf(failed) === 0 ? "first" : "second"} pipeline`;
  const code = failed.exitCode !== null && failed.exitCode > 0 ? ` with exit code ${failed.exitCode}` : "";
  const word = failed.outcome === "failed" ? `fails${code}` : endOf(failed);
  const why = cachePush === "denied: the job fails" ? ": its push to the cache is refused" : "";
  return `${word} ${place}${why}`;
}

/** `reuses 1 of 2 layers both times` */
function reuseOf(runs: readonly ForkRun[]): string | null {
  const [first = null, second = null] = runs.map(reused);
  if (first === null || second === null) return null;
  const layers = ({ hits, of }: { hits: number; of: number }) => `${hits} of ${of}`;
  return layers(first) === layers(second)
    ? `reuses ${layers(first)} layers both times`
    : `reuses ${layers(first)} layers, then ${layers(second)}`;
}

function pushOf(cachePush: ForkCachePush): string | null {
  switch (cachePush) {
    case "allowed":
      return "its cache is the fork's own";
    case "denied: the job goes on":
      return "its push to the cache is refused, and the job goes on";
    case "denied: the job fails":
      return "its push to the cache is refused";
    case "none":
      return null;
    default:
      return cachePush satisfies never;
  }
}

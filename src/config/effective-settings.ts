import type { LedgerId, Thresholds } from "../domain/comparison.ts";
import type { Limits } from "../domain/job.ts";
import { formatCount, formatDuration, formatMemory } from "../domain/quantities.ts";
import { parseLink } from "../network/link-rate.ts";
import { DEFAULTS, UNWRITTEN } from "./defaults.ts";
import type { OperatorSettings } from "./operator-file.ts";
import type { ProjectSettings } from "./project-file.ts";
import { withinCeiling, type Capped, type Origin, type Settled } from "./within-ceiling.ts";

/** What whoever asks for a trial says himself; undefined where he says nothing. */
export type Wishes = {
  images?: readonly string[] | undefined;
  strategies?: readonly string[] | undefined;
  edits?: readonly Edit[] | undefined;
  /** Edits to replay from the history. */
  replay?: number | undefined;
  repeats?: number | undefined;
  budgetMs?: number | undefined;
  cpus?: number | undefined;
  memoryBytes?: number | undefined;
  /** Longest time of one run. */
  durationMs?: number | undefined;
  link?: string | undefined;
  /** `group/project`, where it is known. */
  projectPath?: string | null | undefined;
};

export type Edit = "first" | "last" | number;

/** The settings of one trial. */
export type EffectiveSettings = {
  images: {
    /** Images named by the command, at most `atMost` of them; empty where they are to be sampled. */
    named: string[];
    /** Patterns of the project's file, for `imageFilter`; they do not bind a command that names images. */
    include: string[];
    ignore: string[];
    /** Most images of one change; null where only the budget says. */
    atMost: number | null;
  };
  /** Tried beside the change's own. */
  strategies: string[];
  edits: Edit[];
  /** Edits of the history that are replayed at most; `edits` where there are none, or for 0. */
  replay: number;
  repeats: number;
  /** Time that images are chosen for; null for one image with all its repeats. */
  budgetMs: number | null;
  thresholds: Thresholds;
  ledger: { id: LedgerId; why: string };
  limits: Limits;
  /** Rate of the link to the registry, `100mbit`; null where none is set. */
  link: string | null;
};

export type Effective = {
  settings: EffectiveSettings;
  /** Who said each setting, by its key in the files. */
  origins: Record<string, string>;
  /** What was asked for and not given, as sentences for the report. */
  notes: string[];
};

/**
 * The settings of a trial: the command's wishes over the project's over the operator's over the defaults, all under the
 * operator's ceilings. Whatever was lowered is in `notes`. `project` is null where the target branch has no file.
 */
export function effectiveSettings(
  operator: OperatorSettings,
  project: ProjectSettings | null,
  command: Wishes,
): Effective {
  const origins: Record<string, string> = {};
  const notes: string[] = [];
  const capped = (key: string, values: Capped, show: (value: number) => string): number => {
    const settled = withinCeiling(values);
    origins[key] = settled.from;
    if (settled.lowered !== null) notes.push(loweredNote(key, settled.lowered, show));
    return settled.value;
  };
  const first = <T>(key: string, ...said: [Origin, T | undefined][]): T | undefined => {
    const [origin, value] = said.find(([, each]) => each !== undefined) ?? ["default", undefined];
    origins[key] = origin;
    return value;
  };
  const from = { operator, project: project ?? {}, command };
  const link = first("link", ["command", command.link], ["tare.yml", operator.link]) ?? null;
  const timed = link !== null && parseLink(link).bytesPerSecond !== null;
  const said = <K extends "strategies" | "edits">(key: K): [Origin, Wishes[K] | ProjectSettings[K]][] => [
    ["command", command[key]],
    [".tare.yml", from.project[key]],
    ["tare.yml", operator[key]],
  ];
  const settings: EffectiveSettings = {
    images: imagesOf(from, capped, notes),
    strategies: [...(first("strategies", ...said("strategies")) ?? [])],
    edits: [...(first("edits", ...said("edits")) ?? DEFAULTS.edits)],
    replay: replayOf(from, capped, origins),
    repeats: capped("repeats", { ...saidOf(from, "repeats", timed), command: command.repeats }, String),
    budgetMs: finite(
      capped("budget", { ...saidOf(from, "budget", timed), command: command.budgetMs }, formatDuration),
    ),
    thresholds: thresholdsOf(from, first),
    ledger: ledgerOf(from, origins),
    limits: limitsOf(from, capped, origins),
    link,
  };
  return { settings, origins, notes };
}

/** Whoever names RUNs to edit wants those edited, unless he says as well how much of the history to replay. */
function replayOf(
  { operator, project, command }: Sides,
  capped: TakeCapped,
  origins: Record<string, string>,
): number {
  const saidBy = (side: Sides["project"] | Wishes) =>
    side.replay ?? (side.edits === undefined ? undefined : 0);
  const values: Capped = {
    command: saidBy(command),
    project: saidBy(project),
    operator: operator.replay,
    ceiling: operator.ceilings?.replay,
    fallback: DEFAULTS.replay,
    unwritten: UNWRITTEN.replay,
  };
  const silent = [values.command, values.project, values.operator].every((value) => value === undefined);
  const settled = capped("replay", values, String);
  if (!silent || operator.edits === undefined) return settled;
  origins["replay"] = "tare.yml";
  return 0;
}

type Sides = { operator: OperatorSettings; project: ProjectSettings; command: Wishes };
type TakeCapped = (key: string, values: Capped, show: (value: number) => string) => number;
type TakeFirst = <T>(key: string, ...said: [Origin, T | undefined][]) => T | undefined;

/** `repeats 20 asked for by .tare.yml, 5 allowed by tare.yml`. */
function loweredNote(
  key: string,
  lowered: NonNullable<Settled["lowered"]>,
  show: (value: number) => string,
): string {
  const { asked, by, allowed, why } = lowered;
  const who = by === "command" ? "the command" : by;
  return `${key} ${show(asked)} asked for by ${who}, ${show(allowed)} allowed by ${why}`;
}

function saidOf(
  { operator, project }: Sides,
  key: "repeats" | "budget",
  timed: boolean,
): Omit<Capped, "command"> {
  const repeats = timed ? DEFAULTS.timedRepeats : DEFAULTS.repeats;
  return {
    project: project[key],
    operator: operator[key],
    ceiling: operator.ceilings?.[key],
    fallback: key === "repeats" ? repeats : DEFAULTS.budgetMs,
    unwritten: key === "repeats" ? UNWRITTEN.repeats : UNWRITTEN.budgetMs,
  };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function imagesOf({ operator, project, command }: Sides, capped: TakeCapped, notes: string[]) {
  const ceiling = operator.ceilings?.images;
  const named = command.images ?? [];
  const most = capped(
    "images.atMost",
    {
      command: named.length === 0 ? undefined : named.length,
      project: project.images?.atMost,
      operator: undefined,
      ceiling,
      fallback: Number.POSITIVE_INFINITY,
      unwritten: UNWRITTEN.images,
    },
    (count) => formatCount(count, "image"),
  );
  const left = named.slice(most);
  if (left.length > 0) notes.push(`images left out for it: ${left.join(", ")}`);
  return {
    named: named.slice(0, most),
    include: [...(project.images?.include ?? [])],
    ignore: [...(project.images?.ignore ?? [])],
    atMost: finite(most),
  };
}

function thresholdsOf({ operator, project }: Sides, first: TakeFirst): Thresholds {
  const said = (key: "bytes" | "percent" | "seconds") =>
    first(
      `thresholds.${key}`,
      [".tare.yml", project.thresholds?.[key]],
      ["tare.yml", operator.thresholds?.[key]],
    );
  const [bytes, percent, seconds] = [said("bytes"), said("percent"), said("seconds")];
  return {
    ratio: percent === undefined ? DEFAULTS.thresholds.ratio : percent / 100,
    bytes: bytes ?? DEFAULTS.thresholds.bytes,
    durationMs: seconds === undefined ? DEFAULTS.thresholds.durationMs : seconds * 1000,
  };
}

/** The project knows its registry; the operator may know it by the project's path; GitLab's rule holds otherwise. */
function ledgerOf(
  { operator, project, command }: Sides,
  origins: Record<string, string>,
): EffectiveSettings["ledger"] {
  const path = command.projectPath ?? null;
  const projects = operator.projects ?? {};
  const byPath = path !== null && Object.hasOwn(projects, path) ? projects[path]?.ledger : undefined;
  origins["ledger"] = project.ledger ? ".tare.yml" : byPath ? "tare.yml" : "default";
  if (project.ledger) return { id: project.ledger, why: "the project's .tare.yml says so" };
  if (byPath) return { id: byPath, why: `the operator's tare.yml says so of ${path}` };
  return { id: DEFAULTS.ledger, why: "GitLab charges by it, and no settings file says otherwise" };
}

function limitsOf({ operator, command }: Sides, capped: TakeCapped, origins: Record<string, string>): Limits {
  const { limits: own = {}, ceilings: top = {} } = operator;
  const { limits } = DEFAULTS;
  // A project's file sets no limits: they spend the machine of somebody else.
  const one = (
    key: "cpus" | "memory" | "timeout",
    wish: number | undefined,
    fallback: number,
    show: (value: number) => string,
  ) =>
    capped(
      `limits.${key}`,
      { command: wish, project: undefined, operator: own[key], ceiling: top[key], fallback, unwritten: 0 },
      show,
    );
  for (const key of ["processes", "logBytes", "disk"] as const) {
    origins[`limits.${key}`] = own[key] === undefined ? "default" : "tare.yml";
  }
  return {
    cpus: one("cpus", command.cpus, limits.cpus, String),
    memoryBytes: one("memory", command.memoryBytes, limits.memoryBytes, formatMemory),
    durationMs: one("timeout", command.durationMs, limits.durationMs, formatDuration),
    processes: own.processes ?? limits.processes,
    logBytes: own.logBytes ?? limits.logBytes,
    diskBytes: own.disk ?? limits.diskBytes,
  };
}

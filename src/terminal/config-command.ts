import { readFileSync } from "node:fs";
import { effectiveSettings, type Effective } from "../config/effective-settings.ts";
import { defaultPaths, openOperatorFile, type OperatorFile } from "../config/open-operator-file.ts";
import { fillEnvironment, type EnvironmentOrigins } from "../config/operator-environment.ts";
import { outboxSettings } from "../config/outbox.ts";
import { mirrorsOf, type OperatorSettings } from "../config/operator-file.ts";
import { PROJECT_FILE, projectSettingsOf, type ProjectSettings } from "../config/project-file.ts";
import { formatDuration, formatExactBytes, formatMemory } from "../domain/quantities.ts";
import { checkEngineSettings } from "../images/testbed.ts";
import { openRepository, resolveTree } from "../git/repository.ts";
import { createTreeReader } from "../git/tree-reader.ts";
import type { ExitCode } from "./exit-code.ts";

/** Keys that are variables of the environment, too. */
const DOORS = ["privileges", "builderImages", "mail", "github", "gitlab", "web"];

export type ConfigFlags = { repo: string | null; rev: string; project: string | null };

/** `tare config`: the settings that a trial would have, and who said each. Secrets are named, never shown. */
export async function configCommand(flags: ConfigFlags): Promise<ExitCode> {
  const operator = await openOperatorFile(process.env);
  const project = flags.repo === null ? null : await projectSettings(flags.repo, flags.rev);
  const effective = effectiveSettings(operator.settings, project, { projectPath: flags.project });
  const read = (path: string) => readFileSync(path, "utf8");
  const { environment, origins, faults } = fillEnvironment(operator.settings, process.env, DOORS, read);
  checkEngineSettings(environment);
  const files = [fileLine(operator), projectLine(flags, project)];
  const settings = table(["setting", "value", "from"], rowsOf(effective, operator.settings));
  const doors = Object.entries(origins).map(([variable, { key, from }]) => [
    key,
    "set",
    placeOf(variable, from),
  ]);
  const parts = [files, settings, doors.length === 0 ? [] : table(["door", "value", "from"], doors)];
  const notes = [...effective.notes, ...faults].map((note) => `Note: ${note}`);
  const text = [...parts, notes].filter((part) => part.length > 0).map((part) => part.join("\n"));
  process.stdout.write(`${text.join("\n\n")}\n`);
  return 0;
}

async function projectSettings(directory: string, revision: string): Promise<ProjectSettings | null> {
  await using repository = await openRepository(directory);
  const tree = await resolveTree(repository, revision);
  return projectSettingsOf(await createTreeReader(repository, tree));
}

function fileLine({ path }: OperatorFile): string {
  const looked = defaultPaths(process.env).join(" and ");
  return `operator's file  ${path ?? `none: looked for ${looked}`}`;
}

function projectLine({ repo, rev }: ConfigFlags, project: ProjectSettings | null): string {
  if (repo === null) return "project's file   not read: name a repository with --repo";
  return `project's file   ${project === null ? `none at ${rev}` : `${PROJECT_FILE} at ${rev}`}`;
}

/** The place of a door's setting: a variable that is set wins over the file. */
function placeOf(variable: string, from: EnvironmentOrigins[string]["from"]): string {
  return from.startsWith(variable) ? `the environment (${from})` : from;
}

function rowsOf({ settings, origins }: Effective, operator: OperatorSettings): string[][] {
  const { images, thresholds, limits } = settings;
  const list = (values: readonly (string | number)[], none: string) => values.join(", ") || none;
  const said = (key: string, value: string, origin = origins[key] ?? "default") => [key, value, origin];
  const patterns = (globs: readonly string[]) => (globs.length === 0 ? "default" : PROJECT_FILE);
  return [
    said("images.include", list(images.include, "all"), patterns(images.include)),
    said("images.ignore", list(images.ignore, "none"), patterns(images.ignore)),
    said("images.atMost", images.atMost === null ? "no limit" : String(images.atMost)),
    said("strategies", list(settings.strategies, "the change's own")),
    said("edits", list(settings.edits, "none")),
    said("replay", settings.replay === 0 ? "0: edits are synthetic" : String(settings.replay)),
    said("repeats", String(settings.repeats)),
    said("budget", settings.budgetMs === null ? "none: one image" : formatDuration(settings.budgetMs)),
    said("thresholds.bytes", formatExactBytes(thresholds.bytes)),
    said("thresholds.percent", `${Number((thresholds.ratio * 100).toFixed(6))} %`),
    said("thresholds.seconds", formatDuration(thresholds.durationMs)),
    said("ledger", settings.ledger.id),
    said("limits.cpus", String(limits.cpus)),
    said("limits.memory", formatMemory(limits.memoryBytes)),
    said("limits.timeout", formatDuration(limits.durationMs)),
    said("limits.processes", String(limits.processes)),
    said("limits.logBytes", formatExactBytes(limits.logBytes)),
    said(
      "limits.disk",
      limits.diskBytes === null ? "none; 10g behind a gate" : formatMemory(limits.diskBytes),
    ),
    said("link", settings.link ?? "unlimited"),
    said("egress", list(operator.egress ?? [], "nothing"), operator.egress ? "tare.yml" : "default"),
    ...Object.entries(outboxSettings(operator.outbox)).map(([key, value]) =>
      said(
        `outbox.${key}`,
        String(value),
        Object.hasOwn(operator.outbox ?? {}, key) ? "tare.yml" : "default",
      ),
    ),
    ...Object.entries(operator.builders ?? {}).map(([key, image]) =>
      said(`builders.${key}`, image ?? "none", "tare.yml"),
    ),
    ...mirrorsOf(operator).map(({ registry, host, insecure }) =>
      said(`mirrors.${registry}`, `${insecure ? "http" : "https"}://${host}`, "tare.yml"),
    ),
    ...Object.entries(operator.ceilings ?? {}).map(([key, value]) =>
      said(`ceilings.${key}`, ceilingText(key, value), "tare.yml"),
    ),
  ];
}

function ceilingText(key: string, value: number | undefined): string {
  if (value === undefined) return "none";
  if (key === "memory") return formatMemory(value);
  return key === "budget" || key === "timeout" ? formatDuration(value) : String(value);
}

function table(head: string[], rows: readonly string[][]): string[] {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => Math.min(row[column]?.length ?? 0, 40))),
  );
  const lines = [head, ...rows];
  return lines.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

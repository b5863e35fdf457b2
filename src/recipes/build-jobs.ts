import { readCommand } from "./build-commands.ts";
import type { GitlabJob } from "./gitlab-ci.ts";
import { holdsInput } from "./gitlab-inputs.ts";
import { note, noteAt, blankReading } from "./job-reading.ts";
import type { JobReading } from "./job-reading.ts";
import { BUILDERS } from "./other-builders.ts";
import { unresolve } from "./recipe-draft.ts";
import type { Draft, JobFrame } from "./recipe-draft.ts";
import { mayCallBuilder } from "./script-callees.ts";
import { followScript } from "./shell.ts";
import { startSession } from "./shell-session.ts";
import type { ShellJob } from "./shell-session.ts";
import { parseItems } from "./shell-source.ts";
import type { ScriptCache } from "./shell-source.ts";
import { startState } from "./shell-state.ts";
import type { Recipe } from "../domain/recipe.ts";
import type { TreeFiles, Unread } from "./types.ts";
import { reasons, render } from "./value.ts";
import { lineAt } from "./yaml-source.ts";
import type { YamlScalar } from "./yaml-source.ts";

/** Most commands that are followed in all jobs of a tree. */
const MOST_COMMANDS = 200_000;

/** Reads what one job builds. */
export function readJob(
  job: GitlabJob,
  tree: TreeFiles,
  cache: ScriptCache,
): { recipes: Recipe[]; unread: Unread[] } {
  const items = [...job.script, ...job.afterScript, ...job.hooks];
  const said = items.some((item) => BUILDERS.test(item.text));
  const named = job.variables.some((name) => BUILDERS.test(render(job.scope(name))));
  const called = () => mayCallBuilder({ tree, cache }, items.map((item) => item.text).join("\n"));
  if (!said && !named && !called()) return { recipes: [], unread: [] };
  const reading = blankReading(frameOf(job), tree);
  followJob(reading, job, cache);
  return { recipes: reading.drafts.map((draft) => finishDraft(reading, draft)), unread: reading.unread };
}

function followJob(reading: JobReading, job: GitlabJob, cache: ScriptCache): void {
  const counter = { commands: 0, exhausted: cache.commands > MOST_COMMANDS };
  const shell: ShellJob = {
    outer: { scope: job.scope, names: new Set(job.variables) },
    files: { tree: reading.tree, cache },
    counter,
    written: reading.written,
    run: (command) => readCommand(reading, command),
    refuse: (command, why) => note(reading, command, why),
  };
  for (const item of job.hooks) {
    if (BUILDERS.test(item.text)) noteItem(reading, item, "hooks:pre_get_sources_script is not read");
  }
  // after_script runs in a shell of its own.
  for (const items of [job.script, job.afterScript]) followItems(reading, items, shell, cache);
  cache.commands += counter.commands;
  const [first] = job.script;
  const mentions = job.script.some((item) => BUILDERS.test(item.text)) || reading.drafts.length > 0;
  if (counter.exhausted && first !== undefined && mentions) {
    const line = lineAt(first.source, first.start);
    noteAt(reading, first.source.path, line, job.name, "the script has too many commands");
  }
}

function followItems(
  reading: JobReading,
  items: readonly YamlScalar[],
  shell: ShellJob,
  cache: ScriptCache,
): void {
  const told = items.filter((item) => !holdsInput(item.text));
  for (const item of items) {
    if (told.includes(item) || !BUILDERS.test(item.text)) continue;
    noteItem(reading, item, "it holds inputs that are given where the file is included");
  }
  const { sources, faults } = parseItems(told, cache);
  for (const { item, message } of faults) {
    if (BUILDERS.test(item.text)) noteItem(reading, item, `the shell line cannot be read: ${message}`);
  }
  const state = startState();
  for (const source of sources) followScript(startSession(source, shell), source.script, state);
}

function noteItem(reading: JobReading, item: YamlScalar, why: string): void {
  noteAt(reading, item.source.path, lineAt(item.source, item.start), item.text, why);
}

function frameOf(job: GitlabJob): JobFrame {
  const unresolved = [
    ...(job.image === null ? [] : reasons(job.image).map((why) => ({ part: "runs-in", why }))),
    ...job.services.flatMap((service) => reasons(service).map((why) => ({ part: "services", why }))),
  ];
  return {
    job: job.name,
    runsIn: job.image === null ? null : render(job.image),
    services: job.services.map(render),
    variables: job.variables,
    logins: [],
    condition: job.condition,
    unresolved,
  };
}

/** A draft as a recipe, when all of its job is read. */
export function finishDraft(reading: JobReading, { recipe, names, store }: Draft): Recipe {
  const { job } = reading.frame;
  if (recipe.strategy.endsWith("/inline")) {
    recipe.cacheTo = [...recipe.images];
    recipe.cacheToOptions = recipe.images.map(() => ({}));
  }
  if (store !== "none" && recipe.images.length === 0) {
    const why =
      names.length === 0
        ? `the image has no name in job ${job}`
        : `job ${job} does not push ${names.join(", ")}`;
    unresolve(recipe, "push", why);
  }
  return recipe;
}

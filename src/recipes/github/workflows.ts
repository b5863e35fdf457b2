import type { Recipe } from "../../domain/recipe.ts";
import { Problem } from "../../domain/problem.ts";
import { mapDatum, truthOf } from "../datum.ts";
import type { Datum } from "../datum.ts";
import type { ScriptCache } from "../shell-source.ts";
import { joinTreePath } from "../tree-path.ts";
import type { TreeFiles, Unread } from "../types.ts";
import { lineAt, readYaml12 } from "../yaml-source.ts";
import type { YamlMap, YamlNode } from "../yaml-source.ts";
import { contextsOf, environmentOf, startContexts } from "./contexts.ts";
import { evaluateCondition, evaluateTemplate } from "./expression.ts";
import { inputsOf } from "./inputs.ts";
import { collect, startCollection } from "./collect.ts";
import type { Collection } from "./collect.ts";
import { readWorkflowJob } from "./jobs.ts";
import type { JobAround } from "./jobs.ts";
import { rowsOf } from "./matrix.ts";
import { scalarText } from "./step.ts";
import { conditionText } from "./steps.ts";
import { worldsOf } from "./worlds.ts";
import type { World } from "./worlds.ts";

/** What the workflows of a tree say. */
export type WorkflowRecipes = { recipes: Recipe[]; unread: Unread[]; files: string[]; jobs: string[] };

const DIRECTORY = ".github/workflows";

/** GitHub's limit of workflows that call each other, most workflows of a tree, and most jobs that are followed. */
const DEEPEST = 10;
const MOST_FILES = 500;
const MOST_JOBS = 3000;

/** Whether a path is a workflow's. */
export function isWorkflow(path: string): boolean {
  return /^\.github\/workflows\/[^/]+\.ya?ml$/.test(path);
}

/** Reads every workflow of a tree. A file that is no workflow is named; it does not stop the others. */
export function readWorkflows(tree: TreeFiles, cache: ScriptCache): WorkflowRecipes {
  const all = (tree.below?.(DIRECTORY) ?? tree.list()).filter(isWorkflow).toSorted();
  const reading: Reading = {
    tree,
    cache,
    files: [],
    unread: [],
    collection: startCollection(),
    followed: 0,
    parsed: new Map(),
    called: new Set(),
  };
  for (const path of all.slice(0, MOST_FILES)) load(reading, path);
  const [left] = all.slice(MOST_FILES);
  if (left !== undefined)
    note(reading, left, 1, left, `more than ${MOST_FILES} workflows: the others are not read`);
  for (const path of reading.files) readFile(reading, path);
  const { recipes, unread, jobs } = collect(reading.collection);
  return { recipes, unread: [...reading.unread, ...unread], files: reading.files, jobs };
}

type Reading = {
  tree: TreeFiles;
  cache: ScriptCache;
  files: string[];
  unread: Unread[];
  collection: Collection;
  followed: number;
  parsed: Map<string, YamlMap>;
  called: Set<string>;
};

function note(reading: Reading, file: string, line: number, command: string, why: string): void {
  const known = reading.unread.some((old) => old.file === file && old.line === line && old.why === why);
  if (!known) reading.unread.push({ job: null, file, line, command, why });
}

function load(reading: Reading, path: string): void {
  const text = reading.tree.read(path);
  if (text === null)
    return note(
      reading,
      path,
      1,
      path,
      `the workflow cannot be read: ${reading.tree.whyNot?.(path) ?? "unknown"}`,
    );
  try {
    const root = readYaml12({ path, text });
    reading.files.push(path);
    if (root?.kind !== "map")
      return note(reading, path, 1, path, "it is no workflow: its top level is not a mapping");
    reading.parsed.set(path, root);
    for (const [, job] of entriesOf(root.entries.get("jobs"))) {
      const uses = job.kind === "map" ? scalarText(job, "uses") : null;
      const local = uses === null ? null : joinTreePath(".", uses);
      if (uses?.startsWith("./") === true && local !== null) reading.called.add(local);
    }
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const line = Number(/:(\d+) /.exec(error.message)?.[1] ?? 1);
    reading.files.push(path);
    note(reading, path, line, path, error.message);
  }
}

function entriesOf(node: YamlNode | undefined): Iterable<[string, YamlNode]> {
  return node?.kind === "map" ? node.entries : [];
}

function readFile(reading: Reading, path: string): void {
  const root = reading.parsed.get(path);
  if (root === undefined) return;
  const on = root.entries.get("on") ?? root.entries.get("true");
  const worlds = worldsOf(on);
  const form = formOf(on, "workflow_dispatch");
  // A workflow that others of this tree call is read where it is called.
  const own = worlds.filter(
    ({ event }) => event !== "workflow_call" || (worlds.length === 1 && !reading.called.has(path)),
  );
  if (worlds.length === 0)
    return note(reading, path, 1, path, "the workflow has no events: its key on is missing or empty");
  for (const world of own) {
    const start = startContexts(world, mapDatum([]), path);
    const declared = world.event === "workflow_call" ? formOf(on, "workflow_call") : form;
    const isGiven = world.event === "workflow_call" || world.event === "workflow_dispatch";
    const inputs = isGiven
      ? inputsOf(declared, null, contextsOf(start), world.event === "workflow_call" ? "workflow" : "form")
      : mapDatum([], () => "");
    const prefix = `${path.slice(DIRECTORY.length + 1)} / `;
    followWorkflow(reading, root, { world, inputs, prefix, conditions: [], trail: [path] });
  }
}

function formOf(on: YamlNode | undefined, event: string): YamlNode | undefined {
  const form = on?.kind === "map" ? on.entries.get(event) : undefined;
  return form?.kind === "map" ? form.entries.get("inputs") : undefined;
}

type Called = {
  world: World;
  inputs: Datum;
  prefix: string;
  conditions: readonly string[];
  trail: readonly string[];
};

function followWorkflow(reading: Reading, root: YamlMap, called: Called): Map<string, Datum> {
  const outputs = new Map<string, Datum>();
  const start = startContexts(called.world, called.inputs, called.prefix);
  const env = environmentOf(root.entries.get("env"), start, new Map());
  for (const [id, job] of inOrder(root.entries.get("jobs"))) {
    if (job.kind !== "map") continue;
    if (reading.followed >= MOST_JOBS) {
      note(
        reading,
        root.source.path,
        1,
        root.source.path,
        `more than ${MOST_JOBS} jobs: the others are not read`,
      );
      return outputs;
    }
    const base = { ...start, env, job: id, needs: needsOf(start.needs, outputs) };
    const contexts = contextsOf(base);
    const conditions = [...called.conditions];
    const written = scalarText(job, "if");
    if (written !== null) {
      // `matrix` is not there yet: a condition that names it is asked again for each step.
      const datum = evaluateCondition(written, contexts);
      const holds = truthOf(datum);
      if (holds === false) continue;
      if (holds === null) conditions.push(conditionText(written, datum));
    }
    const rows = rowsOf(job.entries.get("strategy"), contexts);
    if (typeof rows === "string") {
      note(reading, root.source.path, lineAt(root.source, job.start), `${called.prefix}${id}`, rows);
      continue;
    }
    const uses = scalarText(job, "uses");
    for (const row of rows) {
      reading.followed += 1;
      const name = `${called.prefix}${id}${row.label === "" ? "" : ` (${row.label})`}`;
      const inside = { ...base, matrix: row.matrix, job: name, steps: new Map<string, Datum>() };
      const around: JobAround = { root, job, name, contexts: inside, env, conditions };
      if (uses !== null) outputs.set(id, callWorkflow(reading, uses, around, called));
      else {
        const result = readWorkflowJob(around, reading.tree, reading.cache, reading.collection);
        if (!outputs.has(id)) outputs.set(id, result);
      }
    }
  }
  return outputs;
}

/** Jobs with those that they need before them. */
function inOrder(jobs: YamlNode | undefined): [string, YamlNode][] {
  const all = new Map(entriesOf(jobs));
  const done = new Map<string, YamlNode>();
  const open = new Set<string>();
  const visit = (id: string, depth: number): void => {
    const job = all.get(id);
    if (job === undefined || done.has(id) || open.has(id) || depth > 200) return;
    open.add(id);
    const needs = job.kind === "map" ? job.entries.get("needs") : undefined;
    for (const need of needs?.kind === "list" ? needs.items : needs === undefined ? [] : [needs])
      if (need.kind === "scalar") visit(need.text, depth + 1);
    done.set(id, job);
  };
  for (const id of all.keys()) visit(id, 0);
  return [...done];
}

function needsOf(unknown: Datum, outputs: ReadonlyMap<string, Datum>): Datum {
  const other =
    typeof unknown === "object" && unknown !== null && unknown.kind === "map" ? unknown.other : null;
  const entries = [...outputs].map(([id, datum]): [string, Datum] => [
    id,
    mapDatum([
      ["result", "success"],
      ["outputs", datum],
    ]),
  ]);
  return mapDatum(entries, other);
}

/** A job that is a workflow of its own: read where its file is of the tree. */
function callWorkflow(reading: Reading, uses: string, around: JobAround, called: Called): Datum {
  const { job, name, contexts } = around;
  const stated = job.entries.get("uses") ?? job;
  const refuse = (why: string): Datum => {
    const known = reading.unread.some((old) => old.job === name && old.why === why);
    if (!known)
      reading.unread.push({
        job: name,
        file: job.source.path,
        line: lineAt(job.source, stated.start),
        command: uses,
        why,
      });
    return mapDatum([], null);
  };
  const path = uses.startsWith("./") ? joinTreePath(".", uses) : null;
  if (path === null)
    return refuse(`the reusable workflow ${uses} is of another repository: it is not in the tree`);
  const root = reading.parsed.get(path);
  if (root === undefined)
    return refuse(`the reusable workflow ${path} is not in the tree, or is not readable`);
  if (called.trail.includes(path)) return refuse(`${path} is a workflow that calls itself`);
  if (called.trail.length >= DEEPEST) return refuse(`${path} is called more than ${DEEPEST} workflows deep`);
  const on = root.entries.get("on") ?? root.entries.get("true");
  const given = job.entries.get("with");
  const inputs = inputsOf(formOf(on, "workflow_call"), given, contextsOf(contexts), "workflow");
  const inner = followWorkflow(reading, root, {
    world: called.world,
    inputs,
    prefix: `${name} / `,
    conditions: around.conditions,
    trail: [...called.trail, path],
  });
  return outputsOf(on, inner, called.world, inputs);
}

function outputsOf(
  on: YamlNode | undefined,
  inner: ReadonlyMap<string, Datum>,
  world: World,
  inputs: Datum,
): Datum {
  const call = on?.kind === "map" ? on.entries.get("workflow_call") : undefined;
  const declared = call?.kind === "map" ? call.entries.get("outputs") : undefined;
  const contexts = contextsOf(startContexts(world, inputs, ""));
  const jobs = mapDatum(
    [...inner].map(([id, outputs]): [string, Datum] => [id, mapDatum([["outputs", outputs]])]),
  );
  const own = { ...contexts, context: (name: string) => (name === "jobs" ? jobs : contexts.context(name)) };
  return mapDatum(
    [...entriesOf(declared)].flatMap(([name, node]): [string, Datum][] => {
      const value = node.kind === "map" ? scalarText(node, "value") : null;
      return value === null ? [] : [[name, evaluateTemplate(value, own)]];
    }),
  );
}

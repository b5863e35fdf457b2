import { finishDraft } from "../build-jobs.ts";
import { mapDatum } from "../datum.ts";
import type { Datum } from "../datum.ts";
import { blankReading, type JobReading } from "../job-reading.ts";
import type { ScriptCache } from "../shell-source.ts";
import type { TreeFiles } from "../types.ts";
import { unresolve, type JobFrame } from "../recipe-draft.ts";
import { reasons, render } from "../value.ts";
import type { Value } from "../value.ts";
import type { YamlMap, YamlNode } from "../yaml-source.ts";
import { takeJob } from "./collect.ts";
import type { Collection } from "./collect.ts";
import { contextsOf, environmentOf, nodeValue } from "./contexts.ts";
import type { JobContexts } from "./contexts.ts";
import type { Contexts } from "./expression.ts";
import { datumOf } from "./matrix.ts";
import type { JobRun } from "./step.ts";
import { followSteps } from "./steps.ts";

/** One job of a workflow, and what stands around it. */
export type JobAround = {
  root: YamlMap;
  job: YamlMap;
  name: string;
  contexts: JobContexts;
  env: ReadonlyMap<string, Value>;
  conditions: readonly string[];
};

/** Reads what one job builds, and gives its outputs. */
export function readWorkflowJob(
  around: JobAround,
  tree: TreeFiles,
  cache: ScriptCache,
  collection: Collection,
): Datum {
  const { job, root, name } = around;
  const env = environmentOf(job.entries.get("env"), around.contexts, around.env);
  const contexts = contextsOf({ ...around.contexts, env });
  const reading = startReading(around, tree, contexts, env);
  const setting = (key: string) => runDefault(job, key) ?? runDefault(root, key);
  const directory = setting("working-directory");
  const shell = setting("shell");
  const run: JobRun = {
    reading,
    cache,
    contexts: around.contexts,
    env,
    conditions: around.conditions,
    shell: (shell === null ? null : render(nodeValue(shell, contexts) ?? [])) ?? shellOf(job, contexts),
    directory: directory === null ? [] : (nodeValue(directory, contexts) ?? []),
    bakeFiles: new Map(),
    actions: [],
    elsewhere: new Map(),
    instance: { conditions: [] },
    counter: { commands: 0, steps: 0, exhausted: false },
  };
  followSteps(run, job.entries.get("steps"));
  cache.commands += run.counter.commands;
  const recipes = reading.drafts.map((draft) => {
    const recipe = finishDraft(reading, draft);
    for (const [place, why] of run.elsewhere) namePlace(recipe, place, why);
    return recipe;
  });
  takeJob(collection, { name, world: around.contexts.world, recipes, unread: reading.unread });
  return outputsOf(job, { ...around.contexts, env: run.env });
}

/** A Dockerfile or context below a checkout that is none of this tree, or that is this tree under another name. */
function namePlace(recipe: ReturnType<typeof finishDraft>, place: string, why: string | null): void {
  const inPlace = (path: string | null) =>
    path !== null && (place === "." || path === place || path.startsWith(`${place}/`));
  if (!inPlace(recipe.context) && !inPlace(recipe.dockerfile)) return;
  if (why !== null) {
    unresolve(recipe, "context", why);
    [recipe.context, recipe.dockerfile] = [null, null];
    return;
  }
  const moved = (path: string | null) =>
    inPlace(path) && path !== null ? path.slice(place.length + 1) || "." : path;
  recipe.context = moved(recipe.context);
  recipe.dockerfile = moved(recipe.dockerfile);
}

function startReading(
  around: JobAround,
  tree: TreeFiles,
  contexts: Contexts,
  env: ReadonlyMap<string, Value>,
): JobReading {
  const { job, name } = around;
  const image = containerImage(job.entries.get("container"), contexts);
  const services = job.entries.get("services");
  const beside = [...(services?.kind === "map" ? services.entries.values() : [])].map((service) =>
    render(containerImage(service, contexts) ?? []),
  );
  const unresolved = reasons(image ?? []).map((why) => ({ part: "runs-in", why }));
  const frame: JobFrame = {
    job: name,
    runsIn: image === null || image.length === 0 ? null : render(image),
    services: beside.filter((text) => text !== ""),
    variables: [...env.keys()],
    logins: [],
    condition: () => "both",
    unresolved,
  };
  return blankReading(frame, tree);
}

function containerImage(node: YamlNode | undefined, contexts: Contexts): Value | null {
  const image = node?.kind === "map" ? node.entries.get("image") : node;
  return nodeValue(image, contexts);
}

function runDefault(node: YamlMap, key: string): YamlNode | null {
  const defaults = node.entries.get("defaults");
  const run = defaults?.kind === "map" ? defaults.entries.get("run") : undefined;
  return (run?.kind === "map" ? run.entries.get(key) : undefined) ?? null;
}

/** On Windows a script is PowerShell's where nothing else is said. */
function shellOf(job: YamlMap, contexts: Contexts): string | null {
  const on = job.entries.get("runs-on");
  const datum = datumOf(on, contexts);
  return typeof datum === "string" && /^windows/i.test(datum) ? "pwsh" : null;
}

function outputsOf(job: YamlMap, contexts: JobContexts): Datum {
  const declared = job.entries.get("outputs");
  const inner = contextsOf(contexts);
  if (declared?.kind !== "map") return mapDatum([]);
  return mapDatum([...declared.entries].map(([name, node]): [string, Datum] => [name, datumOf(node, inner)]));
}

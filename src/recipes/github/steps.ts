import { mapDatum, ofValue, toValue, truthOf, whyUnknown } from "../datum.ts";
import type { Datum } from "../datum.ts";
import { note } from "../job-reading.ts";
import { Problem } from "../../domain/problem.ts";
import { joinTreePath } from "../tree-path.ts";
import { known } from "../value.ts";
import { readYaml12 } from "../yaml-source.ts";
import type { YamlMap, YamlNode } from "../yaml-source.ts";
import { readAction } from "./actions.ts";
import { contextsOf, environmentOf } from "./contexts.ts";
import { evaluateCondition, evaluateTemplate } from "./expression.ts";
import { inputsOf } from "./inputs.ts";
import { readRunStep } from "./run-step.ts";
import { commandOf, scalarText, stepContexts } from "./step.ts";
import type { JobRun, Step } from "./step.ts";

/** GitHub's own limit of composite actions within each other. */
const DEEPEST = 10;
/** Most steps of one job that are followed, those of its actions included. */
const MOST_STEPS = 1000;

/** Follows the steps of a job or of a composite action in their order. */
export function followSteps(run: JobRun, steps: YamlNode | undefined): void {
  for (const node of steps?.kind === "list" ? steps.items : []) {
    if (node.kind !== "map") continue;
    run.counter.steps += 1;
    if (run.counter.steps > MOST_STEPS) return;
    followStep(run, node);
  }
}

function followStep(run: JobRun, node: YamlMap): void {
  const env = environmentOf(node.entries.get("env"), { ...run.contexts, env: run.env }, run.env);
  const contexts = stepContexts(run, env);
  const step: Step = { node, id: scalarText(node, "id"), env, contexts, conditions: run.conditions };
  const written = scalarText(node, "if");
  if (written !== null) {
    const datum = evaluateCondition(written, contexts);
    const holds = truthOf(datum);
    if (holds === false) {
      if (step.id !== null)
        run.contexts.steps.set(
          step.id,
          mapDatum([], () => ""),
        );
      return;
    }
    if (holds === null) step.conditions = [...run.conditions, conditionText(written, datum)];
  }
  doubtInstance(run, step);
  const script = node.entries.get("run");
  const uses = scalarText(node, "uses");
  if (script?.kind === "scalar") readRunStep(run, step, script);
  else if (uses !== null) readUses(run, step, uses);
  if (step.id !== null && !run.contexts.steps.has(step.id)) run.contexts.steps.set(step.id, null);
}

/** A build under the conditions of its builder has no doubt about it. */
function doubtInstance({ reading, instance }: JobRun, step: Step): void {
  if (instance.conditions.length === 0) return;
  const further = instance.conditions.filter((condition) => !step.conditions.includes(condition));
  reading.buildx.doubt =
    further.length === 0 ? null : `the builder depends on a condition: ${further.join(", ")}`;
}

/** A condition that could not be decided, as recipes say it. */
export function conditionText(written: string, datum: Datum): string {
  const plain = written
    .trim()
    .replace(/^\$\{\{([\s\S]*)\}\}$/, "$1")
    .trim()
    .replaceAll(/\s+/g, " ");
  const why = whyUnknown(datum);
  return why === null ? plain : `${plain} (${why})`;
}

function readUses(run: JobRun, step: Step, uses: string): void {
  if (uses.startsWith("./") || uses === ".") return readLocal(run, step, uses);
  if (uses.startsWith("docker://")) return readContainerAction(run, step, uses);
  const [name = "", version = ""] = uses.split("@");
  if (name === "actions/checkout") return checkout(run, step);
  readAction(run, step, name, version);
}

/** A checkout of another project, or below a directory, moves what later paths mean. */
function checkout(run: JobRun, step: Step): void {
  const given = step.node.entries.get("with");
  const path = given?.kind === "map" ? scalarText(given, "path") : null;
  const repository = given?.kind === "map" ? scalarText(given, "repository") : null;
  const isOwn = repository === null || /github\.repository\s*\}\}|head\.repo\.full_name/.test(repository);
  if (path === null || path === "." || path === "./") {
    if (!isOwn) run.elsewhere.set(".", `the tree is that of ${repository}, which is checked out there`);
    return;
  }
  const below = joinTreePath(".", path);
  if (below === null) return;
  run.elsewhere.set(
    below,
    isOwn ? null : `${below} is a checkout of ${repository}, which is not in the tree`,
  );
}

function readContainerAction(run: JobRun, step: Step, uses: string): void {
  if (/kaniko|buildah|buildkit/.test(uses)) {
    note(run.reading, commandOf(run, step, []), `${uses} is run as an action: what it builds is not read`);
  }
}

function readLocal(run: JobRun, step: Step, uses: string): void {
  const { reading } = run;
  const say = (why: string) => note(reading, commandOf(run, step, []), why);
  const written = joinTreePath(".", uses);
  if (written === null) return say(`${uses} leads out of the tree`);
  const [place, why] =
    [...run.elsewhere].find(([each]) => written === each || written.startsWith(`${each}/`)) ?? [];
  if (typeof why === "string") return say(why);
  // A checkout of this very project below a directory: the tree under another name.
  const directory = place === undefined ? written : written.slice(place.length + 1) || ".";
  const path = ["action.yml", "action.yaml"]
    .map((name) => joinTreePath(directory, name) ?? name)
    .find((each) => reading.tree.read(each) !== null);
  if (path === undefined) return say(`${uses} has no action.yml in the tree`);
  if (run.actions.includes(path)) return say(`${path} is an action that uses itself`);
  if (run.actions.length >= DEEPEST) return say(`${path} is used more than ${DEEPEST} actions deep`);
  try {
    const action = readYaml12({ path, text: reading.tree.read(path) ?? "" });
    if (action?.kind === "map") followAction(run, step, { action, path, directory });
    else say(`${path} is no action: its top level is not a mapping`);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    say(error.message);
  }
}

type LocalAction = { action: YamlMap; path: string; directory: string };

function followAction(run: JobRun, step: Step, { action, path, directory }: LocalAction): void {
  const runs = action.entries.get("runs");
  const using = runs?.kind === "map" ? (scalarText(runs, "using") ?? "") : "";
  if (runs?.kind !== "map" || using !== "composite") {
    const image = runs?.kind === "map" ? (scalarText(runs, "image") ?? "") : "";
    if (using === "docker" && !image.startsWith("docker://"))
      note(
        run.reading,
        commandOf(run, step, []),
        `${path} is a container action: GitHub's runner builds its image by itself, without a cache`,
      );
    return;
  }
  const given = step.node.entries.get("with");
  const inputs = inputsOf(action.entries.get("inputs"), given, step.contexts, "action");
  const own = new Map<string, Datum>();
  const github =
    typeof run.contexts.github === "object" &&
    run.contexts.github !== null &&
    run.contexts.github.kind === "map"
      ? {
          ...run.contexts.github,
          entries: new Map([...run.contexts.github.entries, ["action_path", directory] as const]),
        }
      : run.contexts.github;
  const inner: JobRun = {
    ...run,
    contexts: { ...run.contexts, inputs, steps: own, github },
    env: new Map([...step.env, ["GITHUB_ACTION_PATH", known(directory)]]),
    conditions: step.conditions,
    shell: null,
    actions: [...run.actions, path],
    directory: [],
  };
  followSteps(inner, runs.entries.get("steps"));
  takeBack(run, step, inner);
  takeOutputs(run, step, inner, action.entries.get("outputs"));
}

/** What steps of the action wrote to `GITHUB_ENV` is there for the job's later steps. */
function takeBack(run: JobRun, step: Step, inner: JobRun): void {
  for (const [name, value] of inner.env) {
    if (name !== "GITHUB_ACTION_PATH" && step.env.get(name) !== value) run.env.set(name, value);
  }
}

function takeOutputs(run: JobRun, step: Step, inner: JobRun, outputs: YamlNode | undefined): void {
  if (step.id === null || outputs?.kind !== "map") return;
  const contexts = contextsOf({ ...inner.contexts, env: inner.env });
  const entries = [...outputs.entries].flatMap(([name, node]): [string, Datum][] => {
    const value = node.kind === "map" ? scalarText(node, "value") : null;
    return value === null ? [] : [[name, ofValue(toValue(evaluateTemplate(value, contexts)))]];
  });
  run.contexts.steps.set(step.id, mapDatum(entries));
}

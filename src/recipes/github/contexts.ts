import { entryOf, isPrimitive, mapDatum, ofValue, toValue, unknownDatum } from "../datum.ts";
import type { Datum } from "../datum.ts";
import type { Scope } from "../gitlab-variables.ts";
import { known, unknown, variable } from "../value.ts";
import type { Value } from "../value.ts";
import type { YamlNode } from "../yaml-source.ts";
import { evaluateTemplate } from "./expression.ts";
import type { Contexts } from "./expression.ts";
import { decideFor, githubContext, refName, refOf, runTime } from "./worlds.ts";
import type { World } from "./worlds.ts";

/** What the expressions of one job may name. */
export type JobContexts = {
  world: World;
  github: Datum;
  inputs: Datum;
  matrix: Datum;
  needs: Datum;
  /** Outputs of the steps so far, by the step's id. */
  steps: Map<string, Datum>;
  /** Environment of the workflow, the job and the step, the last one first; `GITHUB_ENV` is the job's own. */
  env: ReadonlyMap<string, Value>;
  job: string;
};

/** Contexts for the parser of expressions. */
export function contextsOf(job: JobContexts): Contexts {
  const context = (name: string): Datum => {
    switch (name) {
      case "github":
        return job.github;
      case "inputs":
        return job.inputs;
      case "matrix":
        return job.matrix;
      case "needs":
        return job.needs;
      case "env":
        return mapDatum(
          [...job.env].map(([key, value]): [string, Datum] => [key, ofValue(value)]),
          (key) => unknownDatum(`env.${key}`, `env.${key} is not defined in the workflow (job ${job.job})`),
        );
      case "steps":
        return mapDatum(
          [...job.steps].map(([id, outputs]): [string, Datum] => [id, stepDatum(id, outputs)]),
          // GitHub gives an empty text for a step that there is not, or that comes later.
          () => mapDatum([["outputs", mapDatum([], () => "")]], () => ""),
        );
      case "runner":
        return mapDatum(
          [
            ["os", "Linux"],
            ["arch", "X64"],
            ["temp", ofValue(variable("RUNNER_TEMP"))],
          ],
          (key) => unknownDatum(`runner.${key}`, runTime(`runner.${key}`)),
        );
      case "secrets":
        return mapDatum(
          [["github_token", unknownDatum("${{ secrets.GITHUB_TOKEN }}", "a token is never read")]],
          (key) => unknownDatum(`secrets.${key}`, `secrets.${key} is set in the settings of the repository`),
        );
      case "vars":
        return mapDatum([], (key) =>
          unknownDatum(`vars.${key}`, `vars.${key} is set in the settings of the repository`),
        );
      case "strategy":
        return mapDatum([], (key) => unknownDatum(`strategy.${key}`, runTime(`strategy.${key}`)));
      default:
        return mapDatum([], (key) => unknownDatum(`${name}.${key}`, runTime(`${name}.${key}`)));
    }
  };
  return { context, decide: decideFor(job.world) };
}

function stepDatum(id: string, outputs: Datum): Datum {
  const other = (name: string) =>
    unknownDatum(`steps.${id}.outputs.${name}`, `step ${id} sets ${name} when it runs`);
  const known =
    outputs === null || isPrimitive(outputs) || outputs.kind !== "map"
      ? mapDatum([], other)
      : { ...outputs, other: outputs.other ?? other };
  return mapDatum([
    ["outputs", known],
    ["outcome", "success"],
    ["conclusion", "success"],
  ]);
}

/** Text of a node with its expressions evaluated; null where it is no scalar. */
export function nodeValue(node: YamlNode | null | undefined, contexts: Contexts): Value | null {
  if (node?.kind !== "scalar" || node.type === "null") return null;
  return toValue(evaluateTemplate(node.text, contexts));
}

/** Environment of a mapping, each entry evaluated with what stands around it. */
export function environmentOf(
  node: YamlNode | undefined,
  job: JobContexts,
  outer: ReadonlyMap<string, Value>,
): Map<string, Value> {
  const env = new Map(outer);
  const contexts = contextsOf(job);
  if (node?.kind === "scalar" && node.text.includes("${{")) {
    const datum = evaluateTemplate(node.text, contexts);
    if (!isPrimitive(datum) && datum.kind === "map")
      for (const [name] of datum.entries) env.set(name, toValue(entryOf(datum, name)));
  }
  for (const [name, value] of node?.kind === "map" ? node.entries : []) {
    if (value.kind === "scalar") env.set(name, nodeValue(value, contexts) ?? []);
  }
  return env;
}

/** Variables that GitHub's runner sets for every step. */
export const RUNNER_VARIABLES: readonly string[] = [
  "CI",
  "RUNNER_OS",
  "RUNNER_ARCH",
  "RUNNER_TEMP",
  ...[
    ..."ACTIONS ACTOR API_URL BASE_REF EVENT_NAME HEAD_REF JOB REF REF_NAME REF_TYPE REPOSITORY".split(" "),
    ..."REPOSITORY_OWNER RUN_ATTEMPT RUN_ID RUN_NUMBER SERVER_URL SHA WORKFLOW WORKSPACE".split(" "),
  ].map((name) => `GITHUB_${name}`),
];

/** Variables of a step's shell: its environment, and what GitHub's runner sets. */
export function scopeOf(env: ReadonlyMap<string, Value>, world: World, job: string): Scope {
  return (name) => {
    const value = env.get(name);
    if (value !== undefined) return value;
    if (name === "GITHUB_EVENT_NAME") return known(world.event);
    if (name === "GITHUB_REF_NAME") return refName(world);
    if (name === "GITHUB_REF") return refOf(world);
    if (name === "GITHUB_REF_TYPE") return known(world.ref === "tag" ? "tag" : "branch");
    if (name === "CI" || name === "GITHUB_ACTIONS") return known("true");
    if (name === "GITHUB_HEAD_REF" || name === "GITHUB_BASE_REF")
      return world.ref === "pull request" ? variable(name) : [];
    if (/^(?:GITHUB|RUNNER)_[A-Z0-9_]+$/.test(name)) return variable(name);
    return unknown(`$${name}`, `$${name} is not defined in the workflow (job ${job})`);
  };
}

/** Inputs as `github.event.inputs` has them: texts, whatever their type. */
function asTexts(inputs: Datum): Datum {
  if (isPrimitive(inputs) || inputs.kind !== "map") return inputs;
  const entries = [...inputs.entries].map(([name, datum]): [string, Datum] => [
    name,
    isPrimitive(datum) ? String(datum ?? "") : datum,
  ]);
  return mapDatum(entries, inputs.other);
}

/** Contexts of a workflow before any job. */
export function startContexts(world: World, inputs: Datum, job: string): JobContexts {
  const isDispatch = world.event === "workflow_dispatch";
  return {
    world,
    github: githubContext(world, isDispatch ? asTexts(inputs) : mapDatum([], () => "")),
    inputs,
    matrix: mapDatum([]),
    needs: mapDatum([], (name) =>
      mapDatum([
        ["result", "success"],
        [
          "outputs",
          mapDatum([], (output) =>
            unknownDatum(`needs.${name}.outputs.${output}`, `job ${name} sets ${output} when it runs`),
          ),
        ],
      ]),
    ),
    steps: new Map(),
    env: new Map(),
    job,
  };
}

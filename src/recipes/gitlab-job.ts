import type { Recipe } from "../domain/recipe.ts";
import { conditionOf } from "./gitlab-condition.ts";
import type { JobRules } from "./gitlab-condition.ts";
import type { Resolver } from "./gitlab-extends.ts";
import { matrixOf } from "./gitlab-matrix.ts";
import { ruleVariables } from "./gitlab-rule-variables.ts";
import { createScope, expandGitlab } from "./gitlab-variables.ts";
import type { GitlabVariable, Scope } from "./gitlab-variables.ts";
import type { Value } from "./value.ts";
import type { YamlMap, YamlNode, YamlScalar } from "./yaml-source.ts";

/** One job as a runner would get it. */
export type GitlabJob = {
  name: string;
  /** Image and services with GitLab's variables expanded. */
  image: Value | null;
  services: Value[];
  /** Names of the variables that the templates define for this job. */
  variables: string[];
  scope: Scope;
  /** Items of before_script and script in order. */
  script: YamlScalar[];
  /** Items of after_script: they run in a shell of their own. */
  afterScript: YamlScalar[];
  /** Items of hooks:pre_get_sources_script, which run before there is a tree. */
  hooks: YamlScalar[];
  /** Pipelines that it runs in; asked only of jobs that build. */
  condition: () => Recipe["condition"];
};

/** A job of the configuration before it is known what it does: its keys, and one row of variables for each job of a matrix. */
export type JobFrame = {
  own: (key: string) => YamlNode | null;
  inherited: (key: string) => YamlNode | null;
  rows: { name: string; variables: ReadonlyMap<string, GitlabVariable>; scope: Scope }[];
  rules: JobRules;
};

/** Reads what all kinds of jobs have. `passed` are the variables of a parent pipeline: they win. */
export function frameJob(
  name: string,
  config: YamlMap,
  resolver: Resolver,
  passed: ReadonlyMap<string, GitlabVariable>,
): JobFrame | null {
  const job = resolver.job(name);
  if (job === null) return null;
  const own = (key: string) => present(job.entries.get(key), resolver);
  const top = (key: string) => present(config.entries.get(key), resolver);
  const inherit = own("inherit");
  const inherited = (key: string) =>
    own(key) ?? (inherits(inherit, "default", key) ? fallback(config, resolver, key) : null);
  const workflow = top("workflow");
  const global = variablesOf(top("variables"));
  const flow = workflow?.kind === "map" ? (workflow.entries.get("rules") ?? null) : null;
  const globals = [...global, ...ruleVariables(flow, global, variablesOf, "the pipeline (workflow)")];
  const variables = new Map([
    ...globals.filter(([key]) => inherits(inherit, "variables", key)),
    ...variablesOf(own("variables")),
  ]);
  const rules = own("rules");
  const conditional = ruleVariables(rules, variables, variablesOf, `job ${name}`);
  const rows = matrixOf(name, own("parallel")).map((row) => {
    const all = new Map([...variables, ...conditional, ...row.variables, ...passed]);
    return { name: row.job, variables: all, scope: createScope(all, row.job) };
  });
  return { own, inherited, rows, rules: { workflow, rules, only: own("only"), except: own("except") } };
}

/** Jobs that run a script: one for each row of a matrix; none where the job has no script. */
export function scriptJobs({ own, inherited, rows, rules }: JobFrame): GitlabJob[] {
  const script = own("script");
  if (script === null) return [];
  const services = inherited("services");
  const hooks = inherited("hooks");
  const hook = hooks?.kind === "map" ? (hooks.entries.get("pre_get_sources_script") ?? null) : null;
  const items = [...scriptItems(inherited("before_script")), ...scriptItems(script)];
  return rows.map(({ name, variables, scope }) => ({
    name,
    image: imageName(inherited("image"), scope),
    services: (services?.kind === "list" ? services.items : [])
      .map((item) => imageName(item, scope))
      .filter((image) => image !== null),
    variables: [...variables.keys()],
    scope,
    script: items,
    afterScript: scriptItems(inherited("after_script")),
    hooks: scriptItems(hook),
    condition: () => conditionOf(rules, scope, new Set(variables.keys())),
  }));
}

/** A node with its references replaced; null where it is missing or empty. */
function present(node: YamlNode | undefined, resolver: Resolver): YamlNode | null {
  if (node === undefined) return null;
  const found = resolver.deref(node);
  return found.kind === "scalar" && found.type === "null" ? null : found;
}

/** Value of `default:`, or of the same key at the top level, which is its older spelling. */
function fallback(config: YamlMap, resolver: Resolver, key: string): YamlNode | null {
  const defaults = config.entries.get("default");
  const stated = defaults?.kind === "map" ? defaults.entries.get(key) : undefined;
  return present(stated ?? config.entries.get(key), resolver);
}

/** Whether `inherit:` lets the key of `default` or `variables` through. */
function inherits(inherit: YamlNode | null, kind: "default" | "variables", key: string): boolean {
  const rule = inherit?.kind === "map" ? inherit.entries.get(kind) : undefined;
  if (rule?.kind === "scalar") return rule.text !== "false";
  if (rule?.kind !== "list") return true;
  return rule.items.some((item) => item.kind === "scalar" && item.text === key);
}

function variablesOf(node: YamlNode | null): Map<string, GitlabVariable> {
  const variables = new Map<string, GitlabVariable>();
  if (node?.kind !== "map") return variables;
  for (const [name, stated] of node.entries) {
    const value = stated.kind === "map" ? stated.entries.get("value") : stated;
    const expand = stated.kind === "map" ? stated.entries.get("expand") : undefined;
    const raw = expand?.kind === "scalar" && expand.text === "false";
    if (value === undefined || value.kind === "scalar")
      variables.set(name, { text: value?.text ?? "", expand: !raw });
  }
  return variables;
}

/** A script is a text or a list; lists within lists are flattened. */
function scriptItems(node: YamlNode | null): YamlScalar[] {
  if (node === null) return [];
  if (node.kind === "scalar") return node.type === "null" ? [] : [node];
  return node.kind === "list" ? node.items.flatMap((item) => scriptItems(item)) : [];
}

function imageName(node: YamlNode | null, scope: Scope): Value | null {
  const name = node?.kind === "map" ? node.entries.get("name") : node;
  return name?.kind === "scalar" && name.text !== "" ? expandGitlab(name.text, scope) : null;
}

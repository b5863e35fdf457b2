import { createResolver } from "./gitlab-extends.ts";
import type { Resolver } from "./gitlab-extends.ts";
import { loadGitlabCi } from "./gitlab-include.ts";
import { matrixOf } from "./gitlab-matrix.ts";
import { createScope, expandGitlab } from "./gitlab-variables.ts";
import type { GitlabVariable, Scope } from "./gitlab-variables.ts";
import { Problem } from "../domain/problem.ts";
import type { TreeFiles, Unread } from "./types.ts";
import type { Value } from "./value.ts";
import { lineAt } from "./yaml-source.ts";
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
};

/** Jobs of a tree, in the order of their files. */
export type GitlabJobs = { jobs: GitlabJob[]; files: string[]; unread: Unread[] };

/** Keys at the top level that are no jobs. */
const NO_JOBS = new Set([
  ..."default include stages types variables workflow spec cache".split(" "),
  ..."image services before_script after_script".split(" "),
]);

/** Reads the GitLab CI configuration of a tree into jobs; none where the tree has no entry file. */
export function readGitlabCi(tree: TreeFiles, entry = ".gitlab-ci.yml"): GitlabJobs {
  const { config, files, unread } = loadGitlabCi(tree, entry);
  if (config === null) return { jobs: [], files, unread };
  const resolver = createResolver(config);
  const jobs: GitlabJob[] = [];
  for (const [name, node] of config.entries) {
    if (name.startsWith(".") || NO_JOBS.has(name) || node.kind !== "map") continue;
    try {
      jobs.push(...readJob(name, config, resolver));
    } catch (error) {
      // What is missing may stand in an include that is not of the tree: then it is no fault of the template.
      if (!(error instanceof Problem) || unread.length === 0) throw error;
      const line = lineAt(node.source, node.start);
      unread.push({ job: name, file: node.source.path, line, command: name, why: error.message });
    }
  }
  return { jobs, files, unread };
}

function readJob(name: string, config: YamlMap, resolver: Resolver): GitlabJob[] {
  const job = resolver.job(name);
  if (job === null) return [];
  const own = (key: string) => present(job.entries.get(key), resolver);
  const script = own("script");
  if (script === null) return [];
  const inherit = own("inherit");
  const inherited = (key: string) =>
    own(key) ?? (inherits(inherit, "default", key) ? fallback(config, resolver, key) : null);
  const global = present(config.entries.get("variables"), resolver);
  const variables = new Map([
    ...[...variablesOf(global)].filter(([key]) => inherits(inherit, "variables", key)),
    ...variablesOf(own("variables")),
  ]);
  const beforeScript = inherited("before_script");
  const items = [...scriptItems(beforeScript), ...scriptItems(script)];
  const services = inherited("services");
  return matrixOf(name, own("parallel")).map((row) => {
    const all = new Map([...variables, ...row.variables]);
    const scope = createScope(all, row.job);
    return {
      name: row.job,
      image: imageName(inherited("image"), scope),
      services: (services?.kind === "list" ? services.items : [])
        .map((item) => imageName(item, scope))
        .filter((image) => image !== null),
      variables: [...all.keys()],
      scope,
      script: items,
    };
  });
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

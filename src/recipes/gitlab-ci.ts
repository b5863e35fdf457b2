import type { Recipe } from "../domain/recipe.ts";
import { Problem } from "../domain/problem.ts";
import { buildingTemplate, isCiTemplates, whyNoRecipe, withCiTemplates } from "./ci-templates.ts";
import { conditionOf } from "./gitlab-condition.ts";
import { createResolver } from "./gitlab-extends.ts";
import { loadGitlabCi, loadIncludes } from "./gitlab-include.ts";
import type { Loaded } from "./gitlab-include.ts";
import { frameJob, scriptJobs } from "./gitlab-job.ts";
import type { GitlabJob, JobFrame } from "./gitlab-job.ts";
import type { GitlabVariable, Scope } from "./gitlab-variables.ts";
import type { TreeFiles, Unread } from "./types.ts";
import { reasons, render } from "./value.ts";
import type { Value } from "./value.ts";
import { lineAt } from "./yaml-source.ts";
import type { YamlNode } from "./yaml-source.ts";

export type { GitlabJob } from "./gitlab-job.ts";

/** Jobs of a tree, in the order of their files. */
export type GitlabJobs = { jobs: GitlabJob[]; files: string[]; unread: Unread[] };

/** Keys at the top level that are no jobs. */
const NO_JOBS = new Set([
  ..."default include stages types variables workflow spec cache".split(" "),
  ..."image services before_script after_script".split(" "),
]);

/** GitLab's limit of pipelines below each other, and the most child pipelines that are read. */
const DEEPEST = 2;
const MOST_CHILDREN = 50;

/** A pipeline within another one: how its jobs are called, and what it is given. */
type Parent = {
  prefix: string;
  variables: ReadonlyMap<string, GitlabVariable>;
  condition: Recipe["condition"];
  depth: number;
};

type Reading = GitlabJobs & { tree: TreeFiles; children: number; bytes: number };

/** Reads the GitLab CI configuration of a tree into jobs; none where the tree has no entry file. */
export function readGitlabCi(tree: TreeFiles, entry = ".gitlab-ci.yml"): GitlabJobs {
  const reading: Reading = { tree, jobs: [], files: [], unread: [], children: 0, bytes: 0 };
  const top: Parent = { prefix: "", variables: new Map(), condition: "both", depth: 0 };
  readPipeline(reading, loadGitlabCi(tree, entry), top);
  const { jobs, files, unread } = reading;
  return { jobs, files, unread };
}

function readPipeline(reading: Reading, loaded: Loaded, parent: Parent): void {
  reading.files.push(...loaded.files.filter((file) => !reading.files.includes(file)));
  reading.unread.push(...loaded.unread);
  reading.bytes = loaded.bytes;
  if (loaded.config === null) return;
  const isTemplated = loaded.unread.some(isCiTemplates);
  const config = isTemplated ? withCiTemplates(loaded.config) : loaded.config;
  const isPartial = loaded.unread.some((unread) => !isCiTemplates(unread));
  const resolver = createResolver(config);
  for (const [name, node] of config.entries) {
    if (name.startsWith(".") || NO_JOBS.has(name) || node.kind !== "map") continue;
    try {
      const frame = frameJob(name, config, resolver, parent.variables);
      if (frame !== null)
        readJobs(reading, frame, parent, {
          name,
          node,
          isPartial,
          template: isTemplated ? buildingTemplate(config, name) : null,
        });
    } catch (error) {
      // What is missing may stand in an include that is not of the tree: then it is no fault of the template.
      if (!(error instanceof Problem) || (loaded.unread.length === 0 && parent.depth === 0)) throw error;
      record(reading, parent.prefix + name, node, name, error.message);
    }
  }
}

/** The condition of a job, else that of the pipeline around it. */
function narrower(own: Recipe["condition"], outer: Recipe["condition"]): Recipe["condition"] {
  return own === "both" ? outer : own;
}

/** `template`: that of ci-templates which builds the job's image. */
type Named = { name: string; node: YamlNode; isPartial: boolean; template: string | null };

function readJobs(reading: Reading, frame: JobFrame, parent: Parent, named: Named): void {
  const trigger = frame.own("trigger");
  if (trigger !== null) return readTrigger(reading, frame, parent, trigger);
  const jobs = scriptJobs(frame);
  for (const job of jobs) {
    const condition = () => narrower(job.condition(), parent.condition);
    reading.jobs.push({ ...job, name: parent.prefix + job.name, condition });
  }
  if (jobs.length > 0) return;
  noteScriptless(reading, frame, parent, named);
}

/** A job without a script in the tree: what is known of its template, or where its script may be. */
function noteScriptless(
  reading: Reading,
  frame: JobFrame,
  parent: Parent,
  { name, node, isPartial, template }: Named,
): void {
  const job = parent.prefix + name;
  if (template !== null) {
    for (const row of frame.rows) {
      const why = whyNoRecipe(template, row.scope, (key) => row.variables.has(key));
      record(reading, parent.prefix + row.name, node, template, why);
    }
    return;
  }
  const run = frame.own("run");
  if (run !== null) record(reading, job, run, "run", "steps are not read");
  else if (isPartial && BUILDS.test(`${name} ${node.source.text.slice(node.start, node.end)}`)) {
    record(
      reading,
      job,
      node,
      name,
      "its script is in none of the files of the tree: an include that is not read may have it",
    );
  }
}

/** Words of jobs that may build an image. */
const BUILDS = /docker|image|build|kaniko|container|buildah|podman/i;

/** A job that starts a pipeline: read where its files are of the tree. */
function readTrigger(reading: Reading, frame: JobFrame, parent: Parent, trigger: YamlNode): void {
  const include = trigger.kind === "map" ? trigger.entries.get("include") : undefined;
  // A pipeline of another project has a tree of its own.
  if (include === undefined) return;
  for (const row of frame.rows) {
    const job = parent.prefix + row.name;
    if (parent.depth >= DEEPEST || reading.children >= MOST_CHILDREN) {
      const most = `at most ${MOST_CHILDREN} child pipelines, ${DEEPEST} deep, are read`;
      record(reading, job, include, "trigger: include", most);
      return;
    }
    reading.children += 1;
    const own = conditionOf(frame.rules, row.scope, new Set(row.variables.keys()));
    const child: Parent = {
      prefix: `${job} / `,
      variables: new Map([...row.variables].map(([key]) => [key, passedVariable(row.scope(key))])),
      condition: narrower(own, parent.condition),
      depth: parent.depth + 1,
    };
    try {
      readPipeline(
        reading,
        loadIncludes(reading.tree, expandPaths(include, row.scope), reading.bytes),
        child,
      );
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      record(reading, job, include, "trigger: include", error.message);
    }
  }
}

/** A variable as a child pipeline is given it: expanded already, as far as it is known. */
function passedVariable(value: Value): GitlabVariable {
  const [why] = reasons(value);
  return why === undefined
    ? { text: render(value), expand: true }
    : { text: render(value), expand: false, why };
}

/** The include of a trigger with the variables of its job written in. */
function expandPaths(node: YamlNode, scope: Scope): YamlNode {
  if (node.kind === "list") return { ...node, items: node.items.map((item) => expandPaths(item, scope)) };
  if (node.kind === "map") {
    const entries = [...node.entries].map(([key, value]): [string, YamlNode] => [
      key,
      expandPaths(value, scope),
    ]);
    return { ...node, entries: new Map(entries) };
  }
  if (node.kind !== "scalar" || !node.text.includes("$")) return node;
  const value = expandInclude(node.text, scope);
  return { ...node, text: value };
}

function expandInclude(text: string, scope: Scope): string {
  return text.replaceAll(/\$\{(\w+)\}|\$(\w+)/g, (written, braced?: string, bare?: string) => {
    const value = scope(braced ?? bare ?? "");
    return reasons(value).length === 0 ? render(value) : written;
  });
}

function record(reading: Reading, job: string, node: YamlNode, command: string, why: string): void {
  const line = lineAt(node.source, node.start);
  reading.unread.push({ job, file: node.source.path, line, command, why });
}

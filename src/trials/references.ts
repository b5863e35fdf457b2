import { Problem } from "../domain/problem.ts";
import type { Recipe } from "../domain/recipe.ts";
import { hostOf, splitReference } from "../domain/image-reference.ts";

/** Where the pipeline of a trial would run. `projectPath` is `group/project`. */
export type PipelineContext = { projectPath: string; branch: string };

/** Root namespace of a contributor's fork in a trial, other than upstream's. */
export function forkNamespace(upstream: PipelineContext): string {
  const root = upstream.projectPath.split("/")[0]?.toLowerCase();
  return root === "contributor" ? "forker" : "contributor";
}

/** The pipeline of a contributor's fork: its project has the name of upstream's, in the contributor's namespace. */
export function forkContext(upstream: PipelineContext): PipelineContext {
  const project = upstream.projectPath.split("/").at(-1) ?? "project";
  return { ...upstream, projectPath: `${forkNamespace(upstream)}/${project}` };
}

/** Values of GitLab's predefined variables in a trial; `host` is the trial's registry. */
function predefined(context: PipelineContext, host: string): Record<string, string> {
  const { projectPath, branch } = context;
  // As GitLab makes CI_COMMIT_REF_SLUG: cut first, then without hyphens at the ends.
  const slug = branch
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, "-")
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, "");
  return {
    CI_REGISTRY: host,
    CI_REGISTRY_IMAGE: `${host}/${projectPath.toLowerCase()}`,
    CI_PROJECT_PATH: projectPath,
    CI_PROJECT_NAMESPACE: projectPath.split("/").slice(0, -1).join("/"),
    CI_PROJECT_ROOT_NAMESPACE: projectPath.split("/")[0] ?? "",
    CI_PROJECT_NAME: projectPath.split("/").at(-1) ?? "",
    CI_COMMIT_BRANCH: branch,
    CI_COMMIT_REF_NAME: branch,
    CI_COMMIT_REF_SLUG: slug,
    CI_DEFAULT_BRANCH: branch,
    ...ofGithub(context, host),
  };
}

/** A commit that no trial has: its digits only have to be there where a template puts them into a tag. */
const COMMIT = "0".repeat(40);

/** Values of what GitHub's runner sets. `GITHUB_REPOSITORY` keeps its case; references are lower case anyway. */
function ofGithub({ projectPath, branch }: PipelineContext, host: string): Record<string, string> {
  const [owner = ""] = projectPath.split("/");
  return {
    GITHUB_REPOSITORY: projectPath.toLowerCase(),
    GITHUB_REPOSITORY_OWNER: owner.toLowerCase(),
    GITHUB_REPOSITORY_NAME: projectPath.split("/").at(-1)?.toLowerCase() ?? "",
    GITHUB_REF_NAME: branch,
    GITHUB_REF: `refs/heads/${branch}`,
    GITHUB_SHA: COMMIT,
    GITHUB_SHORT_SHA: COMMIT.slice(0, 7),
    GITHUB_RUN_ID: "1",
    GITHUB_RUN_NUMBER: "1",
    GITHUB_RUN_ATTEMPT: "1",
    GITHUB_ACTOR: owner.toLowerCase(),
    GITHUB_SERVER_URL: `https://${host}`,
  };
}

/**
 * An image reference of a template as it is in a trial: on the trial's registry, the rest of the path kept.
 * Throws Problem strategy-unsupported where a variable has no value outside a pipeline.
 */
export function trialReference(
  reference: string,
  context: PipelineContext,
  host: string,
  recipe: Recipe,
): string {
  const text = expandPredefined(reference, context, host);
  const [left] = /\$(?:\{\w+\}|\w+)/.exec(text) ?? [];
  if (left !== undefined) {
    throw new Problem(
      "strategy-unsupported",
      `${recipe.file}:${recipe.line} (job ${recipe.job}): ${left} in ${reference} has a value in a pipeline only.`,
      "Leave this image out with --images.",
    );
  }
  if (text === host || text.startsWith(`${host}/`)) return text;
  const named = hostOf(text);
  return `${host}/${named === null ? text : text.slice(named.length + 1)}`;
}

/** Text with the pipeline's variables that a trial knows replaced; others stay as written. */
export function expandPredefined(text: string, context: PipelineContext, host: string): string {
  const values = predefined(context, host);
  return text.replaceAll(
    /\$(?:\{(\w+)\}|(\w+))/g,
    (whole, braced?: string, plain?: string) => values[braced ?? plain ?? ""] ?? whole,
  );
}

/** Where the tree lies in a job of the pipeline, as GitLab's runner has it. */
export function projectDirectoryOf({ projectPath }: PipelineContext): string {
  return `/builds/${projectPath}`;
}

/** A path of the tree inside the job; `.` is the tree's root. */
export function inProject(directory: string, path: string): string {
  return path === "." ? directory : `${directory}/${path}`;
}

/** Whether two references, as templates and Dockerfiles write them, name one image of the pipeline's registry. */
export function sameReference(a: string, b: string, context: PipelineContext): boolean {
  const host = "registry.invalid";
  const [first, second] = [a, b].map((reference) => {
    const full = expandPredefined(reference, context, host);
    return full.startsWith(`${host}/`) ? `${repositoryOf(full, host)}:${tagOf(full)}` : null;
  });
  return first !== null && first === second;
}

/** The repository of a reference without host, tag and digest. */
export function repositoryOf(reference: string, host: string): string {
  return splitReference(reference).repository.replace(`${host}/`, "");
}

/** Tag of a reference; `latest` where it names none. */
export function tagOf(reference: string): string {
  return splitReference(reference).tag ?? "latest";
}

/**
 * `group/project` as templates spell it out after `$CI_REGISTRY/`: a shared cache names the upstream project.
 * null where none is named, or more than one.
 */
export function namedProject(recipes: readonly Recipe[]): string | null {
  const named = new Set<string>();
  for (const recipe of recipes) {
    for (const reference of [...recipe.cacheFrom, ...recipe.cacheTo, ...recipe.images]) {
      const path = /^\$(?:CI_REGISTRY|\{CI_REGISTRY\})\/([^$/:]+\/[^$/:]+)\//.exec(reference)?.[1];
      if (path !== undefined) named.add(path);
    }
  }
  return named.size === 1 ? ([...named][0] ?? null) : null;
}

import { createHash } from "node:crypto";
import { join } from "node:path";
import { readBothTrees, type ReadingOfChange } from "./bot.ts";
import type { Answer, AnswerChange, ForgeChange } from "./channels/types.ts";
import type { Change } from "./domain/change.ts";
import { concernsOperator, Outage, Problem } from "./domain/problem.ts";
import type { Report } from "./domain/report.ts";
import { diffTrees } from "./git/diff-trees.ts";
import { fetchCommits } from "./git/fetch-commits.ts";
import { openRepository, resolveTree, type Repository } from "./git/repository.ts";
import { renderMarkdown } from "./reports/markdown.ts";
import { renderProblem } from "./reports/problem.ts";
import { renderRefusal } from "./reports/refusal.ts";

/** Runs a trial of a trusted change. */
export type TryChange = (
  repository: Repository,
  change: Change,
  reading: ReadingOfChange,
  projectPath: string,
  signal: AbortSignal,
) => Promise<Report>;

/** The line behind the forges' doors: fetch, read both trees, then build what is trusted and refuse the rest. */
export function createAnswerForge(options: { cacheDirectory: string; tryChange: TryChange }): AnswerChange {
  return async (forge, signal) => {
    const directory = join(options.cacheDirectory, "clones", cloneName(forge.cloneUrl));
    try {
      await fetchCommits({
        cacheDir: directory,
        url: forge.cloneUrl,
        refs: [forge.head.ref],
        shas: [forge.base.commit, forge.head.commit],
        ...(forge.authorization === null ? {} : { header: `Authorization: ${forge.authorization}` }),
        signal,
      });
      await using repository = await openRepository(directory);
      return await answer(repository, forge, options.tryChange, signal);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (concernsOperator(error)) throw new Outage(error.message, error.remedy, { cause: error });
      return { kind: "problem", body: renderProblem(error, "markdown") };
    }
  };
}

async function answer(
  repository: Repository,
  forge: ForgeChange,
  tryChange: TryChange,
  signal: AbortSignal,
): Promise<Answer> {
  const change = await readForgeChange(repository, forge);
  const reading = await readBothTrees(repository, change);
  if (reading.comparison.changed.length === 0) {
    return { kind: "silence", body: "", why: "no recipe changes" };
  }
  if (change.trust === "stranger") {
    const body = renderRefusal(
      {
        sentence: reading.comparison.sentence,
        comparison: reading.comparison,
        recipes: { base: reading.base.recipes, head: reading.head.recipes },
        change,
        findings: reading.findings,
        why: `${forge.author.login} may not write to ${forge.projectPath}`,
      },
      "markdown",
    );
    return { kind: "refusal", body };
  }
  const report = await tryChange(repository, change, reading, forge.projectPath, signal);
  return { kind: "report", body: renderMarkdown(report, { marker: false }), report };
}

async function readForgeChange(repository: Repository, forge: ForgeChange): Promise<Change> {
  const [base, head] = await Promise.all([
    resolveTree(repository, forge.base.commit),
    resolveTree(repository, forge.head.commit),
  ]);
  return {
    id: forge.id,
    title: forge.title,
    author: { name: forge.author.name, address: forge.author.address },
    message: forge.message,
    trust: forge.trust,
    base,
    baseChosenBy: `merge base with ${forge.base.ref}`,
    head,
    files: await diffTrees(repository, base.tree, head.tree),
  };
}

function cloneName(url: string): string {
  return `${createHash("sha256").update(url).digest("hex").slice(0, 24)}.git`;
}

/**
 * Whether a change may touch a template: a YAML file (GitLab's entry file and what it may include, a workflow, an action,
 * a compose file), anything below `.github`, or a bake file.
 */
export function touchesTemplate(paths: readonly string[]): boolean {
  return paths.some((path) => /\.(?:ya?ml|hcl)$|^\.github\/|(?:^|\/)[\w.-]*bake[\w.-]*\.json$/i.test(path));
}

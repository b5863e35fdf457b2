import type { Change } from "./domain/change.ts";
import type { JobFile } from "./domain/job.ts";
import { Problem } from "./domain/problem.ts";
import type { Recipe } from "./domain/recipe.ts";
import { fileHistory, type FileVersion } from "./git/file-history.ts";
import type { Repository } from "./git/repository.ts";
import { readAsBuilt, type DockerfileVersion } from "./trials/image-source.ts";

export type HistoryOptions = {
  repository: Repository;
  change: Change;
  /** Edits that are replayed at most; 0 for none. */
  most: number;
  /** Why a base image cannot be had; null where it can. */
  obstacle: (base: string) => string | null;
  contextOf(tree: { commit: string; tree: string }, path: string): Promise<JobFile[]>;
};

export type History = {
  versions: DockerfileVersion[];
  /** How a report calls the edit that led to the tree's own text. */
  ownName: string;
  notes: string[];
};

export type LoadHistory = (recipe: Recipe, own: string) => Promise<History>;

/**
 * Versions of a recipe's Dockerfile before `own`, its text in the tree that is built, oldest first, as far back as they
 * can be built here. None for a base that is no commit, or a Dockerfile that was never edited.
 */
export function createLoadHistory(options: HistoryOptions): LoadHistory {
  const read = new Map<string, Promise<FileVersion[]>>();
  return async (recipe, own) => {
    const { commit } = options.change.base;
    const path = recipe.dockerfile;
    if (commit === null || path === null || options.most === 0)
      return { versions: [], ownName: "", notes: [] };
    const reading = read.get(path) ?? fileHistory(options.repository, commit, path, options.most + 1);
    read.set(path, reading);
    const known = await reading;
    const last = known.at(-1);
    const unchanged = last?.text === own;
    const earlier = (unchanged ? known.slice(0, -1) : known).slice(-options.most);
    const { kept, why } = buildable(earlier, recipe, options);
    const versions = kept.map((version) => ({
      text: version.text,
      name: nameOf(version),
      context: async () => (recipe.context === null ? [] : options.contextOf(version, recipe.context)),
    }));
    const left = earlier.length - kept.length;
    const notes =
      why === null ? [] : [`${path}: ${left} of ${earlier.length} earlier versions left out, ${why}.`];
    return { versions, ownName: unchanged && last ? nameOf(last) : "the change itself", notes };
  };
}

/** The newest versions in a row that can be built here, and why the one before them cannot. */
function buildable(
  versions: readonly FileVersion[],
  recipe: Recipe,
  { obstacle }: HistoryOptions,
): { kept: FileVersion[]; why: string | null } {
  const kept: FileVersion[] = [];
  for (const version of versions.toReversed()) {
    const why = whyNot(version, recipe, obstacle);
    if (why !== null) return { kept, why };
    kept.unshift(version);
  }
  return { kept, why: null };
}

function whyNot(version: FileVersion, recipe: Recipe, obstacle: HistoryOptions["obstacle"]): string | null {
  try {
    const { bases, usesContext } = readAsBuilt(recipe, version.text);
    const said = `that of ${short(version)}`;
    if (usesContext && recipe.context === null)
      return `${said} copies files, and the recipe names no context`;
    const found = bases.map(obstacle).find((why) => why !== null);
    return found === undefined ? null : `${said}: ${found}`;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return `that of ${short(version)} cannot be read: ${error.message}`;
  }
}

const LONGEST_SUBJECT = 50;

/** `1a2b3c4d of 2026-05-04, "Add the compilers"` */
export function nameOf(version: FileVersion): string {
  const { subject } = version;
  const cut = subject.length > LONGEST_SUBJECT ? `${subject.slice(0, LONGEST_SUBJECT - 1)}…` : subject;
  return `${short(version)}, "${cut}"`;
}

function short({ commit, committedAt }: FileVersion): string {
  return `${commit.slice(0, 8)} of ${committedAt.slice(0, 10)}`;
}

import type { Tree } from "../domain/change.ts";
import { Problem } from "../domain/problem.ts";
import { applyPatch } from "./apply-patch.ts";
import { matchBlobs } from "./match-blobs.ts";
import { preimages } from "./preimages.ts";
import { resolveTree, type Repository } from "./repository.ts";

/** What a series says of the tree that it was made on. */
export type BaseHints = {
  /** `base-commit:` */
  baseCommit: string | null;
  /** `Based-on:` and `Depends-on:`, as written: Message-IDs or commits. */
  basedOn: readonly string[];
  dependsOn: readonly string[];
  /** `prerequisite-patch-id:`, in order. */
  prerequisites: readonly string[];
  /** Words in the subject's brackets, `for-9.0`. */
  subjectTags: readonly string[];
};

/** What else is known where bases are chosen. */
export type BaseSources = {
  /** The patches of another series, by the Message-ID of any of its mails; null where it is not known. */
  series(reference: string): Promise<readonly Buffer[] | null>;
  /** A patch by git's patch id; null where it is not known. */
  patch(patchId: string): Promise<Buffer | null>;
  /** The tree that a word of the subject stands for; null where it stands for none. */
  treeOf(subjectTag: string): string | null;
  /** Makes a commit readable that the repository lacks; false where it cannot be had. */
  fetch(commit: string): Promise<boolean>;
  defaultRevision: string;
  /** When the series was sent. */
  at: Date;
};

/** A base that was tried. `said` are git's own words where it did not fit. */
export type TriedBase = { base: Tree; chosenBy: string; said: readonly string[] };

export type SeriesBase = {
  base: Tree;
  chosenBy: string;
  /** The tree after each part. */
  heads: string[];
  notes: string[];
  tried: TriedBase[];
};

/** `merged`: all of it is in the tree already. */
export type BaseChoice =
  | ({ kind: "applied" } & SeriesBase)
  | { kind: "merged"; base: Tree; chosenBy: string };

type Candidate = { revision: string; before: readonly Buffer[]; chosenBy: string };

/**
 * Finds the tree that a series was made on and applies it there: `base-commit`, `Based-on`, prerequisites, `Depends-on`,
 * tags of the subject, blob ids of the last 14 days, the default branch, in this order. The first that fits is taken. Problem
 * `patch-does-not-apply` with git's words for every base tried; others are those of `applyPatch`.
 */
export async function chooseSeriesBase(
  repository: Repository,
  patches: readonly Buffer[],
  hints: BaseHints,
  sources: BaseSources,
): Promise<BaseChoice> {
  const notes: string[] = [];
  const tried: TriedBase[] = [];
  const seen = new Set<string>();
  for await (const candidate of candidates(repository, patches, hints, sources, notes)) {
    const outcome = await attempt(repository, candidate, patches, seen);
    if (outcome === null) continue;
    if ("merged" in outcome) return { kind: "merged", base: outcome.merged, chosenBy: candidate.chosenBy };
    if ("said" in outcome) {
      tried.push({ base: outcome.base, chosenBy: candidate.chosenBy, said: outcome.said });
      continue;
    }
    const { base, heads } = outcome;
    return {
      kind: "applied",
      base,
      chosenBy: candidate.chosenBy,
      heads,
      notes: [...notes, ...outcome.notes],
      tried,
    };
  }
  throw fitsNowhere(tried, notes);
}

async function* candidates(
  repository: Repository,
  patches: readonly Buffer[],
  hints: BaseHints,
  sources: BaseSources,
  notes: string[],
): AsyncGenerator<Candidate> {
  const { defaultRevision } = sources;
  const baseCommit = await reachable(repository, hints.baseCommit, sources, notes);
  const prerequisites = await prerequisitePatches(hints.prerequisites, sources, notes);
  if (baseCommit !== null) {
    if (prerequisites.length > 0) yield withPrerequisites(baseCommit, `base-commit ${short(baseCommit)}`);
    yield { revision: baseCommit, before: [], chosenBy: `base-commit ${short(baseCommit)}` };
  }
  const root = baseCommit ?? defaultRevision;
  yield* referenced("Based-on", hints.basedOn, root, sources, notes);
  if (baseCommit === null && prerequisites.length > 0) yield withPrerequisites(root, root);
  yield* referenced("Depends-on", hints.dependsOn, root, sources, notes);
  for (const tag of hints.subjectTags) {
    const revision = sources.treeOf(tag);
    if (revision !== null) yield { revision, before: [], chosenBy: `${revision}, by the subject's ${tag}` };
  }
  const match = await matchBlobs(repository, defaultRevision, preimages(patches), sources.at);
  if (match !== null) {
    const { commit, matched, of } = match;
    const chosenBy = `${short(commit)} of ${defaultRevision}, which has ${matched} of the ${of} blobs`;
    yield { revision: commit, before: [], chosenBy };
  }
  yield { revision: defaultRevision, before: [], chosenBy: defaultRevision };

  function withPrerequisites(revision: string, name: string): Candidate {
    const before = prerequisites;
    return { revision, before, chosenBy: `${name} with ${before.length} prerequisite patches` };
  }
}

async function* referenced(
  trailer: string,
  references: readonly string[],
  root: string,
  sources: BaseSources,
  notes: string[],
): AsyncGenerator<Candidate> {
  const before: Buffer[] = [];
  for (const reference of references) {
    if (isCommit(reference)) {
      if (await sources.fetch(reference))
        yield { revision: reference, before: [], chosenBy: `${trailer} ${short(reference)}` };
      else notes.push(`${trailer} names ${short(reference)}, which cannot be had.`);
      continue;
    }
    const found = await sources.series(reference);
    if (found === null) notes.push(`${trailer} names ${reference}, which is not in the archive.`);
    else before.push(...found);
  }
  if (before.length === 0) return;
  yield {
    revision: root,
    before,
    chosenBy: `${isCommit(root) ? short(root) : root} with ${before.length} patches of ${trailer}`,
  };
}

async function reachable(
  repository: Repository,
  commit: string | null,
  sources: BaseSources,
  notes: string[],
): Promise<string | null> {
  if (commit === null || !isCommit(commit)) return null;
  if ((await has(repository, commit)) || ((await sources.fetch(commit)) && (await has(repository, commit))))
    return commit;
  notes.push(`The base-commit ${short(commit)} cannot be had; the base was chosen another way.`);
  return null;
}

async function has(repository: Repository, commit: string): Promise<boolean> {
  try {
    return (await resolveTree(repository, commit)).commit !== null;
  } catch (error) {
    if (error instanceof Problem && error.code === "revision-missing") return false;
    throw error;
  }
}

/** All of them or none: with a gap between them nothing can be told. */
async function prerequisitePatches(
  ids: readonly string[],
  sources: BaseSources,
  notes: string[],
): Promise<readonly Buffer[]> {
  const found = await Promise.all(ids.map(async (id) => sources.patch(id)));
  const missing = found.filter((patch) => patch === null).length;
  if (missing === 0) return found.filter((patch) => patch !== null);
  notes.push(`${missing} of the ${ids.length} prerequisite patches are not in the archive.`);
  return [];
}

type Outcome =
  | { base: Tree; heads: string[]; notes: string[] }
  | { base: Tree; said: readonly string[] }
  | { merged: Tree };

/** Null where the same tree was tried before. */
async function attempt(
  repository: Repository,
  { revision, before }: Candidate,
  patches: readonly Buffer[],
  seen: Set<string>,
): Promise<Outcome | null> {
  let root: Tree;
  try {
    root = await resolveTree(repository, revision);
  } catch (error) {
    if (error instanceof Problem && error.code === "revision-missing") return null;
    throw error;
  }
  const earlier = await applyAll(repository, root, before);
  if ("said" in earlier) return { base: root, said: earlier.said };
  const base = earlier.heads.at(-1) === undefined ? root : { commit: null, tree: earlier.heads.at(-1) ?? "" };
  if (seen.has(base.tree)) return null;
  seen.add(base.tree);
  const applied = await applyAll(repository, base, patches);
  if ("said" in applied) return { base, said: applied.said };
  if (patches.length > 0 && applied.there === patches.length) return { merged: base };
  const notes = [...applied.notes];
  if (applied.there > 0)
    notes.push(`${applied.there} of the ${patches.length} patches are in this tree already.`);
  return { base, heads: applied.heads, notes };
}

type Applied = { heads: string[]; notes: string[]; there: number };

async function applyAll(
  repository: Repository,
  base: Tree,
  patches: readonly Buffer[],
): Promise<Applied | { said: readonly string[] }> {
  const result: Applied = { heads: [], notes: [], there: 0 };
  let tree = base;
  for (const [index, patch] of patches.entries()) {
    try {
      const applied = await applyPatch(repository, tree, patch);
      tree = { commit: null, tree: applied.tree };
      result.notes.push(...applied.notes.filter((note) => !result.notes.includes(note)));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.code === "already-applied") result.there += 1;
      else if (error.code === "patch-does-not-apply")
        return { said: patches.length === 1 ? error.details : [`patch ${index + 1}:`, ...error.details] };
      else throw error;
    }
    result.heads.push(tree.tree);
  }
  return result;
}

function fitsNowhere(tried: readonly TriedBase[], notes: readonly string[]): Problem {
  const bases = tried.map(({ chosenBy }) => chosenBy).join(", nor to ");
  return new Problem(
    "patch-does-not-apply",
    `The series does not apply to ${bases}, not even with a three-way merge.`,
    "Name the commit that it was made on with --base, or check that --repo is its repository.",
    [
      ...notes,
      ...tried.flatMap(({ chosenBy, said }) => [`${chosenBy}:`, ...said.map((line) => `  ${line}`)]),
    ],
    "Rebase it, or send it with `git format-patch --base`.",
  );
}

function isCommit(reference: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/u.test(reference);
}

function short(commit: string): string {
  return commit.slice(0, 12);
}

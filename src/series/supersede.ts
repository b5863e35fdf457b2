import { isSamePerson, timeOf, type Draft } from "./draft.ts";
import type { Message } from "./types.ts";

const SAME_VERSION_MS = 90 * 24 * 60 * 60_000;

/**
 * For each series version the newest one that replaces it. One replaces another where it says so (`Supersedes:`, the same
 * `change-id:`), answers it with a higher version, or has its sender, its title and a higher version or a later date.
 */
export function supersededBy(
  drafts: readonly Draft[],
  said: ReadonlyMap<Draft, readonly string[]>,
): Map<Draft, Draft> {
  const owner = new Map(drafts.flatMap((draft) => draft.members.map(({ id }) => [id, draft] as const)));
  const newer = new Map<Draft, Set<Draft>>();
  const add = (older: Draft | undefined, draft: Draft) => {
    if (!older || older === draft) return;
    const set = newer.get(older) ?? new Set();
    newer.set(older, set.add(draft));
  };
  for (const draft of drafts) {
    for (const id of said.get(draft) ?? []) add(owner.get(id), draft);
    for (const id of draft.references) {
      const older = owner.get(id);
      if (
        older &&
        older.version < draft.version &&
        (isAlike(older, draft) || isSamePerson(older.sender, draft.sender))
      )
        add(older, draft);
    }
  }
  for (const group of groups(drafts)) linkGroup(group, add);
  return new Map([...newer.keys()].map((older) => [older, newest(older, newer)]));
}

/** Drafts that may be versions of one series: by change-id, and by title. */
function groups(drafts: readonly Draft[]): Draft[][] {
  const found = new Map<string, Draft[]>();
  for (const draft of drafts) {
    for (const key of new Set(keysOf(draft))) {
      const list = found.get(key);
      if (list) list.push(draft);
      else found.set(key, [draft]);
    }
  }
  return [...found.values()].filter((list) => list.length > 1);
}

function keysOf(draft: Draft): string[] {
  const changeIds = draft.members.flatMap(({ base }) =>
    base.changeId === null ? [] : [`id ${base.changeId}`],
  );
  return [...changeIds, ...draft.members.slice(0, 50).map(({ title }) => `title ${plainTitle(title)}`)];
}

function linkGroup(group: readonly Draft[], add: (older: Draft, draft: Draft) => void): void {
  const sorted = group.toSorted((a, b) => a.version - b.version || startOf(a) - startOf(b));
  for (const [at, older] of sorted.entries()) {
    // A long row of versions needs no pair of all: each leads on to the last.
    for (const draft of sorted.slice(at + 1, at + 20)) {
      if (isNear(older, draft) && isSamePerson(older.sender, draft.sender) && isAlike(older, draft))
        add(older, draft);
    }
  }
}

/** Some send a patch of the same title each year: without a version, that is not the one before again. */
function isNear(older: Draft, draft: Draft): boolean {
  return draft.version > older.version || !(startOf(draft) - startOf(older) > SAME_VERSION_MS);
}

/** The same title, the same change-id, or half of the parts' titles in common. */
function isAlike(a: Draft, b: Draft): boolean {
  if (a.isPullRequest !== b.isPullRequest) return false;
  const ids = new Set(a.members.flatMap(({ base }) => base.changeId ?? []));
  if (b.members.some(({ base }) => base.changeId !== null && ids.has(base.changeId))) return true;
  if (a.cover && b.cover && plainTitle(a.cover.title) === plainTitle(b.cover.title)) return true;
  const titles = new Set(patchTitles(a));
  const common = patchTitles(b).filter((title) => titles.has(title)).length;
  return common > 0 && common * 2 >= Math.max(titles.size, b.slots.size);
}

function patchTitles(draft: Draft): string[] {
  return [...draft.slots.values()].map(({ message }) => plainTitle(message.title));
}

function plainTitle(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/\(v\d+\)/gu, "")
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

function newest(older: Draft, newer: ReadonlyMap<Draft, ReadonlySet<Draft>>): Draft {
  const seen = new Set<Draft>([older]);
  const open = [older];
  let best = older;
  for (let draft = open.pop(); draft !== undefined; draft = open.pop()) {
    for (const next of newer.get(draft) ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(next);
      if (isNewer(next, best) || best === older) best = next;
    }
  }
  return best;
}

function isNewer(a: Draft, b: Draft): boolean {
  return a.version === b.version ? startOf(a) > startOf(b) : a.version > b.version;
}

/** When the first mail of a draft was sent. */
export function startOf(draft: Draft): number {
  return Math.min(
    ...draft.members.slice(0, 1000).flatMap((message: Message) => timeOf(message) ?? []),
    Infinity,
  );
}

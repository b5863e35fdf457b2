import {
  distanceMs,
  isFree,
  isSamePerson,
  newDraft,
  place,
  refersTo,
  timeOf,
  TOGETHER_MS,
  type Draft,
} from "./draft.ts";
import type { Message } from "./types.ts";

const DAY_MS = 24 * 60 * 60_000;

/** Drafts by what leads to them. */
type Index = {
  drafts: Draft[];
  owner: Map<string, Draft>;
  byReference: Map<string, Draft[]>;
  byKey: Map<string, Draft[]>;
  byBatch: Map<string, Draft[]>;
  known: ReadonlyMap<string, Message>;
  /** How many mails each sending has. */
  batches: Map<string, number>;
};

/** Puts patches and covers together into series versions. Versions are never mixed; what fits nowhere is a series of its own. */
export function collectDrafts(messages: readonly Message[], known: ReadonlyMap<string, Message>): Draft[] {
  const index: Index = {
    drafts: [],
    owner: new Map(),
    byReference: new Map(),
    byKey: new Map(),
    byBatch: new Map(),
    known,
    batches: new Map(),
  };
  const parts = messages.filter(({ type }) => type === "patch" || type === "cover");
  for (const { batch } of parts)
    if (batch !== null) index.batches.set(batch, (index.batches.get(batch) ?? 0) + 1);
  for (const message of inOrder(parts)) {
    const draft = message.part === null ? null : find(index, message);
    if (draft) place(draft, message);
    const taken = draft ?? newDraft(message);
    if (!draft) index.drafts.push(taken);
    enter(index, taken, message, draft === null);
  }
  index.drafts = adoptUnlabelled(index);
  linkRerolls(index);
  return foldStrays(index);
}

/**
 * Some put the version on the cover alone, or on the parts alone. A cover without parts and parts without a cover are one
 * series where the parts answer that cover, were sent with it, and only one of them says a version.
 */
function adoptUnlabelled(index: Index): Draft[] {
  const gone = new Set<Draft>();
  for (const parts of index.drafts) {
    if (parts.cover !== null) continue;
    const [first] = parts.members;
    const home = [...parts.references]
      .flatMap((id) => index.owner.get(id) ?? [])
      .find((draft) => draft.slots.size === 0);
    const { cover } = home ?? {};
    if (!first || !home || !cover || gone.has(home) || home.total !== parts.total) continue;
    if (cover.hasVersion === first.hasVersion || !isSamePerson(home.sender, parts.sender)) continue;
    if ((distanceMs(home, first) ?? 0) > TOGETHER_MS) continue;
    home.version = Math.max(home.version, parts.version);
    home.isMixed = true;
    for (const member of parts.members) {
      place(home, member);
      index.owner.set(member.id, home);
    }
    gone.add(parts);
  }
  return index.drafts.filter((draft) => !gone.has(draft));
}

/** As they were sent: covers before parts of the same second, undated mails last. */
function inOrder(messages: readonly Message[]): Message[] {
  const rank = (message: Message) => timeOf(message) ?? Number.MAX_SAFE_INTEGER;
  return messages.toSorted((a, b) => rank(a) - rank(b) || (a.part ?? 1) - (b.part ?? 1));
}

function keyOf({
  version,
  total,
  isPullRequest,
}: Pick<Draft, "version" | "total" | "isPullRequest">): string {
  return `${version} ${total} ${isPullRequest}`;
}

/** `[PATCH 3/n]` fits any total of its version. */
function isSameKey(draft: Draft, message: Message): boolean {
  if (message.total !== null || message.part === null || draft.total === null)
    return keyOf(draft) === keyOf(message);
  return draft.version === message.version && draft.isPullRequest === message.isPullRequest;
}

function enter(index: Index, draft: Draft, message: Message, isNew: boolean): void {
  if (!index.owner.has(message.id)) index.owner.set(message.id, draft);
  if (isNew) push(index.byKey, keyOf(draft), draft);
  for (const id of refersTo(message)) push(index.byReference, id, draft);
  if (message.batch !== null) push(index.byBatch, message.batch, draft);
}

function push(map: Map<string, Draft[]>, key: string, draft: Draft): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [draft]);
  else if (list.at(-1) !== draft && !list.includes(draft)) list.push(draft);
}

/** The draft that a numbered mail belongs to: by its sending, its thread, then by sender and time. */
function find(index: Index, message: Message): Draft | null {
  const fits = (draft: Draft) =>
    isSameKey(draft, message) && isSamePerson(draft.sender, message.sender) && isFree(draft, message);
  const ofBatch = message.batch === null ? [] : (index.byBatch.get(message.batch) ?? []);
  return (
    ofBatch.find(fits) ??
    (index.byReference.get(message.id) ?? []).find(fits) ??
    byThread(index, message, fits) ??
    byTime(index, message, fits)
  );
}

function byThread(index: Index, message: Message, fits: (draft: Draft) => boolean): Draft | null {
  for (const id of refersTo(message)) {
    const owner = index.owner.get(id);
    if (owner && fits(owner)) return owner;
    const isCoverOfNone = !index.known.has(id);
    const limitMs = isCoverOfNone ? DAY_MS : TOGETHER_MS;
    // Parts that answer the same mail: their cover was lost, they answer an older version, or they are in somebody's thread.
    const siblings = (index.byReference.get(id) ?? []).filter(fits).filter((draft) => {
      if (owner && owner.version < message.version && message.type !== "cover" && !draft.cover) return true;
      return differs(index, draft, message) ? false : (distanceMs(draft, message) ?? 0) <= limitMs;
    });
    const nearest = nearestOf(siblings, message);
    if (nearest) return nearest;
  }
  return null;
}

function byTime(index: Index, message: Message, fits: (draft: Draft) => boolean): Draft | null {
  const near = (index.byKey.get(keyOf(message)) ?? []).filter((draft) => {
    if (differs(index, draft, message) || !fits(draft) || !hasSameTree(draft, message)) return false;
    const distance = distanceMs(draft, message);
    return distance !== null && distance <= TOGETHER_MS;
  });
  return nearestOf(near, message);
}

/** Two sendings of several mails are two series, however close they are. Some send each part by a command of its own. */
function differs(index: Index, draft: Draft, message: Message): boolean {
  if (draft.batch === null || message.batch === null || draft.batch === message.batch) return false;
  return [draft.batch, message.batch].some((batch) => (index.batches.get(batch) ?? 0) > 1);
}

/** Who sends to several trees within minutes says in the brackets which is meant. */
function hasSameTree(draft: Draft, message: Message): boolean {
  const [ours, theirs] = [draft.members[0], message].map((one) => treeTags(one?.base.subjectTags ?? []));
  return ours === "" || theirs === "" || ours === theirs;
}

function treeTags(tags: readonly string[]): string {
  const trees = tags.filter((tag) => !/^(?:rfc|rft|wip|re-?sen[dt]|repost(?:ed)?)\d*$/iu.test(tag));
  return trees
    .map((tag) => tag.toLowerCase())
    .toSorted()
    .join(" ");
}

function nearestOf(drafts: readonly Draft[], message: Message): Draft | null {
  const ranked = drafts.map((draft) => ({ draft, distance: distanceMs(draft, message) ?? DAY_MS }));
  return ranked.toSorted((a, b) => a.distance - b.distance)[0]?.draft ?? null;
}

/** `[PATCH v3 2/5]` alone, sent in answer to version 2: the other parts are those of version 2. */
function linkRerolls(index: Index): void {
  for (const draft of index.drafts) {
    const isWhole = draft.total === null || draft.slots.size >= draft.total;
    if (draft.cover !== null || isWhole || draft.version === 1) continue;
    const older = [...draft.references]
      .flatMap((id) => index.owner.get(id) ?? [])
      .filter(
        (other) =>
          other !== draft &&
          other.version < draft.version &&
          other.total === draft.total &&
          isSamePerson(other.sender, draft.sender),
      );
    draft.rerollOf = older.toSorted((a, b) => b.version - a.version)[0] ?? null;
  }
}

/** A lone part that answers a series of the same version and total is a part of it, or one of its parts again. */
function foldStrays(index: Index): Draft[] {
  const kept = new Set(index.drafts);
  for (const stray of index.drafts) {
    const [message] = stray.members;
    if (!message || stray.total === null || stray.total < 2 || stray.cover || stray.members.length > 1)
      continue;
    const home = [...stray.references]
      .flatMap((id) => index.owner.get(id) ?? [])
      .find((draft) => draft !== stray && kept.has(draft) && keyOf(draft) === keyOf(stray));
    if (!home) continue;
    const slot = home.slots.get(message.part ?? 1);
    if (!slot) place(home, message);
    else if (isSamePerson(home.sender, stray.sender)) addAgain(slot, message);
    else continue;
    kept.delete(stray);
  }
  return index.drafts.filter((draft) => kept.has(draft));
}

function addAgain(slot: Draft["slots"] extends Map<number, infer S> ? S : never, message: Message): void {
  const isSame = slot.message.patch?.id != null && slot.message.patch.id === message.patch?.id;
  (isSame ? slot.again : slot.others).push(message);
}

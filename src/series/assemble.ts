import type { Person } from "../domain/change.ts";
import { collectDrafts } from "./collect-drafts.ts";
import { distanceMs, isSamePerson, refersTo, timeOf, TOGETHER_MS, type Draft } from "./draft.ts";
import { createTargets, type Target } from "./reply-target.ts";
import { startOf, supersededBy } from "./supersede.ts";
import type { BaseHints, Flaw, Message, MessageType, Trailer } from "./types.ts";

/** A mail as it was understood among others. Copies of one mail are listed, each. */
export type Listed = {
  message: Message;
  /** As the other mails show it: a mail that its patches answer is their cover, whatever its subject says. */
  type: MessageType;
  series: string | null;
  part: number | null;
  flaws: Flaw[];
};

/** A tag that a reply gave, and the parts that it is for: all of them where it answers the cover. */
export type GivenTag = Trailer & { messageId: string; toCover: boolean; parts: number[] };

export type SeriesPart = { index: number; message: Message; again: string[]; others: string[] };

/**
 * `ready`: whole, or nothing more came for the settle time. `waiting`: parts are missing that may still come. `superseded`: a
 * newer version is there. `empty`: no patch of it came.
 */
export type SeriesState = "ready" | "waiting" | "superseded" | "empty";

export type Series = {
  /** Message-ID of the cover, else of the first part. */
  id: string;
  title: string;
  version: number;
  total: number;
  isRfc: boolean;
  isResend: boolean;
  isPullRequest: boolean;
  subjectTags: string[];
  sender: Person;
  date: Date | null;
  cover: Message | null;
  parts: SeriesPart[];
  missing: number[];
  /** Parts of an older version that stand in for those that were not sent again. */
  inherited: { from: string; parts: number[] } | null;
  isComplete: boolean;
  tags: GivenTag[];
  files: string[];
  base: BaseHints;
  state: SeriesState;
  supersededBy: string | null;
  optOut: string | null;
  replies: string[];
  flaws: Flaw[];
};

export type Assembled = { messages: Listed[]; series: Series[] };

export const SETTLE_MS = 10 * 60_000;

/** Puts mails together into series versions. Pure: `now` decides alone whether a series with missing parts is waited for. */
export function assemble(messages: readonly Message[], options: { now: Date; settleMs?: number }): Assembled {
  const listed = messages.map((message): Listed => ({
    message,
    type: message.type,
    series: null,
    part: null,
    flaws: [...message.flaws],
  }));
  const { unique, known } = withoutCopies(listed);
  const drafts = collectDrafts(
    unique.map(({ message }) => message),
    known,
  );
  adoptCovers(drafts, known, listed);
  const targetOf = createTargets(drafts, known);
  const answers = new Map<Draft, { message: Message; target: Target }[]>(drafts.map((draft) => [draft, []]));
  const counted = new Set(unique);
  const members = new Set(drafts.flatMap((draft) => draft.members));
  for (const entry of listed) {
    const target = targetOf(entry.message);
    if (target === null) continue;
    entry.series = idOf(target.draft);
    entry.part = target.part;
    if (!members.has(entry.message) && counted.has(entry))
      answers.get(target.draft)?.push({ message: entry.message, target });
  }
  noteTimes(listed, options.now);
  const said = new Map(drafts.map((draft) => [draft, supersedesOf(draft, answers.get(draft) ?? [])]));
  const newer = supersededBy(drafts, said);
  const series = drafts
    .toSorted((a, b) => startOf(a) - startOf(b))
    .map((draft) => seriesOf(draft, answers.get(draft) ?? [], newer.get(draft) ?? null, options));
  return { messages: listed, series };
}

/** The first of each id is known by it. A copy is told; another mail with the id of one is kept apart, and told. */
function withoutCopies(listed: readonly Listed[]): { unique: Listed[]; known: Map<string, Message> } {
  const known = new Map<string, Message>();
  const prints = new Map<string, Set<string>>();
  const unique: Listed[] = [];
  for (const entry of listed) {
    const { id, fingerprint } = entry.message;
    const seen = prints.get(id);
    if (seen === undefined) {
      known.set(id, entry.message);
      prints.set(id, new Set([fingerprint]));
    } else if (seen.has(fingerprint)) {
      entry.flaws.push({ code: "duplicate", message: "it came before: this is a copy" });
      continue;
    } else {
      seen.add(fingerprint);
      entry.flaws.push({
        code: "message-id-reused",
        message: "another mail has its Message-ID and says something else",
      });
    }
    unique.push(entry);
  }
  return { unique, known };
}

/**
 * Patches that all answer one mail of their sender, which starts the thread, was sent just before and holds none: that is their
 * cover, whatever its subject says.
 */
function adoptCovers(
  drafts: readonly Draft[],
  known: ReadonlyMap<string, Message>,
  listed: readonly Listed[],
): void {
  for (const draft of drafts) {
    const candidate = draft.cover === null ? rootOf(draft, known) : undefined;
    if (candidate?.type !== "other" || !isSamePerson(candidate.sender, draft.sender)) continue;
    if (refersTo(candidate).length > 0 || candidate.isPullRequest || candidate.robot !== null) continue;
    const limitMs = draft.total === null ? TOGETHER_MS : 24 * 60 * 60_000;
    if ((distanceMs(draft, candidate) ?? limitMs + 1) > limitMs) continue;
    draft.cover = candidate;
    draft.members.unshift(candidate);
    for (const entry of listed) if (entry.message === candidate) entry.type = "cover";
  }
}

/** The one mail that all of a series answer. */
function rootOf(draft: Draft, known: ReadonlyMap<string, Message>): Message | undefined {
  const roots = new Set(draft.members.map((member) => refersTo(member).at(-1)));
  const inside = new Set(draft.members.map(({ id }) => id));
  const [root, ...others] = [...roots].filter((id) => id === undefined || !inside.has(id));
  return root === undefined || others.length > 0 ? undefined : known.get(root);
}

function noteTimes(listed: readonly Listed[], now: Date): void {
  const tomorrow = now.getTime() + 2 * 24 * 60 * 60_000;
  for (const { message, flaws } of listed) {
    if (message.date !== null && message.date.getTime() > tomorrow)
      flaws.push({
        code: "date-implausible",
        message: `its date is ${message.date.toISOString().slice(0, 10)}`,
      });
  }
}

function idOf(draft: Draft): string {
  const first = [...draft.slots.keys()].toSorted((a, b) => a - b)[0];
  return draft.cover?.id ?? draft.slots.get(first ?? 1)?.message.id ?? "";
}

type Answer = { message: Message; target: Target };

/** What the mails of a series, and its sender's answers to it, say that it replaces. */
function supersedesOf(draft: Draft, answers: readonly Answer[]): string[] {
  const own = answers
    .map(({ message }) => message)
    .filter(({ sender }) => isSamePerson(sender, draft.sender));
  return [...draft.members, ...own].flatMap(({ supersedes }) => supersedes);
}

function seriesOf(
  draft: Draft,
  answers: readonly Answer[],
  newer: Draft | null,
  { now, settleMs = SETTLE_MS }: { now: Date; settleMs?: number },
): Series {
  const parts = [...draft.slots.entries()]
    .toSorted(([a], [b]) => a - b)
    .map(([index, { message, again, others }]) => ({
      index,
      message,
      again: again.map(({ id }) => id),
      others: others.map(({ id }) => id),
    }));
  const total = draft.total ?? 1;
  const missing = missingOf(draft, total);
  const inherited = inheritedOf(draft, missing);
  const isComplete = parts.length > 0 && missing.every((index) => inherited?.parts.includes(index));
  const { cover } = draft;
  const members = cover
    ? [cover, ...parts.map(({ message }) => message)]
    : parts.map(({ message }) => message);
  const files = parts
    .flatMap(({ message }) => message.patch?.files ?? [])
    .flatMap(({ oldPath, newPath }) => newPath ?? oldPath ?? []);
  const newest = Math.max(...draft.members.map((message) => timeOf(message) ?? 0), 0);
  const isSettled = newest === 0 || now.getTime() - newest >= settleMs;
  const start = startOf(draft);
  const own = answers
    .map(({ message }) => message)
    .filter(({ sender }) => isSamePerson(sender, draft.sender));
  return {
    id: idOf(draft),
    title: cover?.title ?? parts[0]?.message.title ?? "",
    version: draft.version,
    total,
    isRfc: members.some(({ isRfc }) => isRfc),
    isResend: members.some(({ isResend }) => isResend),
    isPullRequest: draft.isPullRequest,
    subjectTags: [...new Set(members.flatMap(({ base }) => base.subjectTags))],
    sender: draft.sender,
    date: Number.isFinite(start) ? new Date(start) : null,
    cover,
    parts,
    missing,
    inherited,
    isComplete,
    tags: answers.flatMap((answer) => tagsOf(answer, parts)),
    files: [...new Set(files)].toSorted(),
    base: baseOf(members),
    state: stateOf({ newer, isComplete, isSettled, isEmpty: parts.length === 0 }),
    supersededBy: newer === null ? null : idOf(newer),
    optOut: [...members, ...own].find(({ optOut }) => optOut !== null)?.optOut ?? null,
    replies: answers.filter(({ message }) => message.type === "reply").map(({ message }) => message.id),
    flaws: flawsOf(draft, total, answers),
  };
}

function stateOf(told: {
  newer: Draft | null;
  isComplete: boolean;
  isSettled: boolean;
  isEmpty: boolean;
}): SeriesState {
  if (told.newer) return "superseded";
  if (told.isComplete) return "ready";
  if (!told.isSettled) return "waiting";
  return told.isEmpty ? "empty" : "ready";
}

/** No series has a million parts: a total that nobody means is not listed number by number. */
function missingOf(draft: Draft, total: number): number[] {
  const numbers = Array.from({ length: Math.min(total, 5000) }, (_, at) => at + 1);
  return numbers.filter((index) => !draft.slots.has(index));
}

function inheritedOf(draft: Draft, missing: readonly number[]): Series["inherited"] {
  const { rerollOf } = draft;
  if (rerollOf === null) return null;
  return { from: idOf(rerollOf), parts: missing.filter((index) => rerollOf.slots.has(index)) };
}

function tagsOf({ message, target }: Answer, parts: readonly SeriesPart[]): GivenTag[] {
  const toCover = target.part === 0;
  const indexes = toCover ? parts.map(({ index }) => index) : [target.part];
  return message.tags.map((tag) => ({ ...tag, messageId: message.id, toCover, parts: indexes }));
}

function baseOf(members: readonly Message[]): BaseHints {
  const all = members.map(({ base }) => base);
  const unique = (values: readonly string[]) => [...new Set(values)];
  return {
    baseCommit: all.find(({ baseCommit }) => baseCommit !== null)?.baseCommit ?? null,
    basedOn: unique(all.flatMap((base) => base.basedOn)),
    dependsOn: unique(all.flatMap((base) => base.dependsOn)),
    prerequisites: unique(all.flatMap((base) => base.prerequisites)),
    prerequisiteMessageIds: unique(all.flatMap((base) => base.prerequisiteMessageIds)),
    prerequisiteChangeIds: unique(all.flatMap((base) => base.prerequisiteChangeIds)),
    changeId: all.find(({ changeId }) => changeId !== null)?.changeId ?? null,
    subjectTags: unique(all.flatMap((base) => base.subjectTags)),
  };
}

function flawsOf(draft: Draft, total: number, answers: readonly Answer[]): Flaw[] {
  const flaws: Flaw[] = [];
  if (draft.isMixed)
    flaws.push({
      code: "version-differs",
      message: `only its cover or only its parts say that it is version ${draft.version}`,
    });
  for (const [index, { again, others }] of draft.slots) {
    if (index > total)
      flaws.push({ code: "part-beyond-total", message: `part ${index} is beyond the total of ${total}` });
    for (const { id } of again)
      flaws.push({ code: "part-again", message: `part ${index} came again as ${id}` });
    for (const { id } of others)
      flaws.push({
        code: "part-again",
        message: `part ${index} came again with another patch as ${id}; the first counts`,
      });
  }
  for (const { message, target } of answers) {
    if (message.type === "other" && message.flaws.some(({ code }) => code === "no-patch"))
      flaws.push({
        code: "no-patch",
        message: `${message.id} says that it is part ${message.part ?? target.part} and holds no patch`,
      });
  }
  return flaws;
}

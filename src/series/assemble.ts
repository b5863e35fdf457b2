import { collectDrafts } from "./collect-drafts.ts";
import { distanceMs, isSamePerson, refersTo, TOGETHER_MS, type Draft } from "./draft.ts";
import { createTargets } from "./reply-target.ts";
import { idOf, seriesOf, type Answer, type Series } from "./series-of.ts";
import { startOf, supersededBy } from "./supersede.ts";
import type { Flaw, Message, MessageType } from "./types.ts";

/** A mail as it was understood among others. Copies of one mail are listed, each. */
export type Listed = {
  message: Message;
  /** As the other mails show it: a mail that its patches answer is their cover, whatever its subject says. */
  type: MessageType;
  series: string | null;
  part: number | null;
  flaws: Flaw[];
};

export type Assembled = { messages: Listed[]; series: Series[] };

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
  const answers = new Map<Draft, Answer[]>(drafts.map((draft) => [draft, []]));
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

/** What the mails of a series, and its sender's answers to it, say that it replaces. */
function supersedesOf(draft: Draft, answers: readonly Answer[]): string[] {
  const own = answers
    .map(({ message }) => message)
    .filter(({ sender }) => isSamePerson(sender, draft.sender));
  return [...draft.members, ...own].flatMap(({ supersedes }) => supersedes);
}

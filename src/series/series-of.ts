import type { Person } from "../domain/change.ts";
import { isSamePerson, timeOf, type Draft } from "./draft.ts";
import type { Target } from "./reply-target.ts";
import { startOf } from "./supersede.ts";
import type { BaseHints, Flaw, Message, Trailer } from "./types.ts";

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

export const SETTLE_MS = 10 * 60_000;

/** Message-ID of the cover, else of the first part. */
export function idOf(draft: Draft): string {
  const first = [...draft.slots.keys()].toSorted((a, b) => a - b)[0];
  return draft.cover?.id ?? draft.slots.get(first ?? 1)?.message.id ?? "";
}

/** A mail that answers a series, and which part. */
export type Answer = { message: Message; target: Target };

/** All that is told of one series version. `newer` is the one that replaces it. */
export function seriesOf(
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

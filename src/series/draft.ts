import type { Person } from "../domain/change.ts";
import type { Message } from "./types.ts";

/** Mails without a thread that are this near are of one sending. */
export const TOGETHER_MS = 20 * 60_000;

/** A numbered place of a series: the mail that fills it, and others that would. */
export type Slot = { message: Message; again: Message[]; others: Message[] };

/** A series version while it is put together. */
export type Draft = {
  version: number;
  /** Null for a single patch without a number. */
  total: number | null;
  sender: Person;
  batch: string | null;
  isPullRequest: boolean;
  cover: Message | null;
  slots: Map<number, Slot>;
  /** Cover and parts in the order that they were placed. */
  members: Message[];
  /** Ids that its members refer to, in any way. */
  references: Set<string>;
  /** Series of lower versions that members reply to. */
  rerollOf: Draft | null;
  /** Its cover says a version that its parts do not say, or the other way round. */
  isMixed: boolean;
};

export function newDraft(message: Message): Draft {
  const draft: Draft = {
    version: message.version,
    total: message.total,
    sender: message.sender,
    batch: message.batch,
    isPullRequest: message.isPullRequest,
    cover: null,
    slots: new Map(),
    members: [],
    references: new Set(),
    rerollOf: null,
    isMixed: false,
  };
  place(draft, message);
  return draft;
}

/** Puts a mail into its place, which must be free. */
export function place(draft: Draft, message: Message): void {
  if (message.type === "cover") draft.cover = message;
  else draft.slots.set(message.part ?? 1, { message, again: [], others: [] });
  draft.members.push(message);
  draft.batch ??= message.batch;
  for (const id of refersTo(message)) draft.references.add(id);
}

export function isFree(draft: Draft, message: Message): boolean {
  return message.type === "cover" ? draft.cover === null : !draft.slots.has(message.part ?? 1);
}

/** Ids that a mail refers to, the nearest first. */
export function refersTo({ inReplyTo, references }: Pick<Message, "inReplyTo" | "references">): string[] {
  return [...new Set([...(inReplyTo === null ? [] : [inReplyTo]), ...references.toReversed()])];
}

/** When a mail was sent, or taken by a server; null where neither can be told. */
export function timeOf(message: Pick<Message, "date" | "receivedAt">): number | null {
  return (message.date ?? message.receivedAt)?.getTime() ?? null;
}

export function isSamePerson(a: Person, b: Person): boolean {
  if (a.address !== "" && a.address.toLowerCase() === b.address.toLowerCase()) return true;
  if (a.name !== "" && a.name.toLowerCase() === b.name.toLowerCase()) return true;
  // Mails without a sender are of one thread or of one minute where this is asked.
  return a.address + a.name + b.address + b.name === "";
}

/** Milliseconds between a mail and the nearest member; null where it cannot be told. */
export function distanceMs(draft: Draft, message: Message): number | null {
  const time = timeOf(message);
  if (time === null) return null;
  let nearest: number | null = null;
  for (const member of draft.members) {
    const other = timeOf(member);
    if (other === null) continue;
    const distance = Math.abs(other - time);
    if (nearest === null || distance < nearest) nearest = distance;
  }
  return nearest;
}

import { refersTo, type Draft } from "./draft.ts";
import type { Message } from "./types.ts";

/** The series version that a mail answers, and its part; 0 for the cover. */
export type Target = { draft: Draft; part: number };

/** Finds what replies answer: by their references, the nearest first, else by the subject that they repeat. */
export function createTargets(drafts: readonly Draft[], known: ReadonlyMap<string, Message>) {
  const places = new Map<Message, Target>();
  const byTitle = new Map<string, Target>();
  for (const draft of drafts) {
    if (draft.cover) places.set(draft.cover, { draft, part: 0 });
    for (const [part, slot] of draft.slots)
      for (const message of [slot.message, ...slot.again, ...slot.others])
        places.set(message, { draft, part });
    for (const message of draft.members) {
      const place = places.get(message);
      if (place) byTitle.set(titleKey(message), place);
    }
  }

  const follow = (message: Message): Target | null => {
    const seen = new Set<Message>([message]);
    let open = [message];
    // Nearest first: all that a mail refers to, then what those refer to.
    while (open.length > 0 && seen.size < 5000) {
      const next: Message[] = [];
      for (const one of open) {
        for (const id of refersTo(one)) {
          const other = known.get(id);
          if (!other || seen.has(other)) continue;
          const place = places.get(other);
          if (place) return place;
          seen.add(other);
          next.push(other);
        }
      }
      open = next;
    }
    return null;
  };

  return (message: Message): Target | null => {
    const own = places.get(message);
    if (own) return own;
    const found = follow(message);
    const named = message.isMarked ? (byTitle.get(titleKey(message)) ?? null) : null;
    if (found === null) return named;
    // The part itself was lost, and the cover is what is left of its references.
    if (named && named.draft === found.draft) return named;
    const isOther =
      found.part === 0 &&
      message.isMarked &&
      message.part !== null &&
      message.version === found.draft.version;
    return isOther && message.total === found.draft.total ? { ...found, part: message.part ?? 0 } : found;
  };
}

function titleKey({ title, version, part, total }: Message): string {
  return `${version} ${part} ${total} ${title.toLowerCase()}`;
}

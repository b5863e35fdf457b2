import { z } from "zod";
import type { Thread, ThreadComment } from "./types.ts";

const stampFields = z.object({
  key: z.string(),
  sha: z.string(),
  base: z.string(),
  run: z.string(),
  validAt: z.string(),
});

/** What the hidden first line of Tare's comment says. `key` is the scope: one comment per scope and change. */
export type Stamp = z.output<typeof stampFields>;

/** `newer`: a comment from a later reading stands and is left alone; `missing`: there is none, and none is made. */
export type Posted = "created" | "updated" | "unchanged" | "newer" | "missing";

/** A stamp as it was kept. */
export function parseStampFields(value: unknown): Stamp {
  return stampFields.parse(value);
}

/** The hidden first line: `<!-- tare:v1 key=… sha=… base=… run=… valid-at=… -->`. */
export function renderStamp(stamp: Stamp): string {
  const { key, sha, base, run, validAt } = stamp;
  return `<!-- tare:v1 key=${encodeURIComponent(key)} sha=${sha} base=${base} run=${run} valid-at=${validAt} -->`;
}

/** Reads the first line of a comment; null where it is not a stamp. */
export function parseStamp(body: string): Stamp | null {
  const line = body.split("\n", 1)[0]?.trimEnd() ?? "";
  const match =
    /^<!-- tare:v1 key=(\S+) sha=([0-9a-f]+) base=([0-9a-f]+) run=([0-9a-z]+) valid-at=(\S+) -->$/.exec(line);
  const [, key, sha, base, run, validAt] = match ?? [];
  if (!key || !sha || !base || !run || !validAt || Number.isNaN(Date.parse(validAt))) return null;
  try {
    return { key: decodeURIComponent(key), sha, base, run, validAt };
  } catch {
    return null;
  }
}

/**
 * Says it in the thread's one comment: finds it by stamp and own author, and creates or edits it.
 * The same text is not posted again, and a comment valid at a later time is not overwritten.
 */
export async function postSticky(
  thread: Thread,
  stamp: Stamp,
  body: string,
  { creates = true }: { creates?: boolean } = {},
): Promise<Posted> {
  const text = fit(thread.safe(body), thread.maxChars - renderStamp(stamp).length - 1);
  const whole = `${renderStamp(stamp)}\n${text}`;
  const current = newest(await thread.list(), stamp.key);
  if (!current) {
    if (!creates) return "missing";
    await thread.create(whole);
    return "created";
  }
  if (Date.parse(current.stamp.validAt) > Date.parse(stamp.validAt)) return "newer";
  if (plain(withoutStamp(current.comment.body)) === plain(text)) return "unchanged";
  await thread.update(current.comment.id, whole);
  return "updated";
}

type Stamped = { comment: ThreadComment; stamp: Stamp };

function newest(comments: readonly ThreadComment[], key: string): Stamped | null {
  let found: Stamped | null = null;
  for (const comment of comments) {
    const stamp = comment.mine ? parseStamp(comment.body) : null;
    if (stamp?.key !== key) continue;
    if (!found || Date.parse(stamp.validAt) > Date.parse(found.stamp.validAt)) found = { comment, stamp };
  }
  return found;
}

function withoutStamp(body: string): string {
  return body.slice(body.indexOf("\n") + 1);
}

// Forges change line ends and trailing space.
function plain(text: string): string {
  return text.replaceAll("\r\n", "\n").trim();
}

const cutNote = "\n\nThe rest does not fit into a comment.\n";

/** The last resort against a refused comment: cut at a blank line, so never inside a table. */
function fit(body: string, maxChars: number): string {
  if (body.length <= maxChars) return body;
  const room = body.slice(0, maxChars - cutNote.length);
  const blankLine = room.lastIndexOf("\n\n");
  return (blankLine > 0 ? room.slice(0, blankLine) : room) + cutNote;
}

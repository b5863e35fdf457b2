import { attributionAt } from "./prose.ts";
import type { ThreadText } from "./types.ts";

/** A text that stands in the thread only as a quote. */
export type QuotedText = ThreadText & { quotedIn: string | null };

/**
 * The text that a reply answers, where it is not among the texts, as far as the reply quotes it: the first level of its
 * quotes is that message. The name is that of the attribution; the date is not known.
 */
export function missingParent(text: ThreadText, known: ReadonlySet<string | null>): QuotedText | null {
  const { inReplyTo, messageId } = text;
  if (inReplyTo === null || known.has(inReplyTo)) return null;
  const quoted = firstLevel(text.body);
  if (quoted === null) return null;
  return { ...quoted, date: null, messageId: inReplyTo, inReplyTo: null, quotedIn: messageId };
}

/** What stands behind one `>`, and who is said to have written it; null where nobody, or more than one, is named. */
function firstLevel(body: string): { author: string; body: string } | null {
  const lines = body.replaceAll("\r\n", "\n").split("\n");
  const named = lines.flatMap((_, at) => {
    const attribution = attributionAt(lines, at);
    const name = attribution === null ? null : nameOf(attribution);
    return name === null ? [] : [name];
  });
  const [author] = named;
  if (author === undefined || new Set(named).size > 1) return null;
  // A line that is not quoted parts the paragraphs: a sentence that an answer interrupts is not put together again.
  const inner = lines.map((line) => (line.startsWith(">") ? line.replace(/^> ?/, "") : ""));
  return { author, body: inner.join("\n") };
}

/** The name in `On Fri, May 17, 2024 at 08:24:44AM +0200, Thomas Huth wrote:` and in Gmail's `… 9:14 AM Name <a@b> wrote:`. */
function nameOf(attribution: string): string | null {
  const name = /(?:,|[AP]M|[+-]\d{4})\s+([^,<>0-9]+?)\s*(?:<[^<>]*>)?\s+wrote:$/.exec(attribution)?.[1];
  return name?.replaceAll(/^["']|["']$/g, "") ?? null;
}

import { readMail } from "../series/read-mail.ts";
import type { ThreadText } from "../claims/types.ts";
import { Problem } from "../domain/problem.ts";
import { readInput } from "./change-input.ts";

/** Mails of a thread, each a file. Problems: `arguments`, `mail-unreadable`. */
export async function readThread(paths: readonly string[]): Promise<ThreadText[]> {
  const texts: ThreadText[] = [];
  for (const path of paths) {
    const { from, date, messageId, inReplyTo, text } = await readMail(await readInput(path));
    if (from === null || (messageId === null && date === null)) {
      throw new Problem(
        "arguments",
        `${path} is no mail: it has ${from === null ? "no From" : "neither Message-ID nor Date"}.`,
        "Name mails of the thread with --thread, each a file with its headers.",
      );
    }
    texts.push({
      author: from?.name || (from?.address ?? ""),
      date: date?.toISOString() ?? null,
      messageId,
      inReplyTo,
      body: text,
    });
  }
  return texts;
}

import { Outage } from "../domain/problem.ts";
import { mirrorEnvironment } from "../git/mirror.ts";
import { gitStream } from "../git/stream.ts";
import { isFull, messageOf, tooLarge } from "./batcher.ts";
import { parseCatFile, type StreamedBlob } from "./cat-file.ts";
import type { SourceMessage } from "./types.ts";

/** A commit of an epoch and the message that it added; null where it removed one. */
type Added = { commit: string; blob: string | null };

/** Blobs whose messages are asked for and not yet delivered, at most: git would hold their names and nobody the rest. */
const AHEAD = 4096;

/**
 * Messages of the commits behind `since` (null: all) up to `head`, oldest first, without blobs of `known`. Two gits work at
 * once: one walks the history, the other reads what it names.
 */
export async function* readHistory(
  directory: string,
  since: string | null,
  head: string,
  known: ReadonlySet<string> | null,
  signal: AbortSignal,
): AsyncGenerator<{ messages: SourceMessage[]; commit: string }> {
  const env = mirrorEnvironment(directory);
  const reader = gitStream(["cat-file", "--batch", "--buffer"], env);
  const walk = walkHistory(directory, since, head);
  const expected: Added[] = [];
  let isWalked = false;
  let wakeFeeder = (): void => {};
  const feed = async (): Promise<void> => {
    for await (const lines of walk) {
      const wanted = lines.filter(({ blob }) => blob !== null && !known?.has(blob));
      expected.push(...wanted);
      if (wanted.length > 0) reader.stdin.write(wanted.map(({ blob }) => `${blob}\n`).join(""));
      while (expected.length > AHEAD && !signal.aborted)
        await new Promise<void>((resolve) => (wakeFeeder = resolve));
      if (signal.aborted) break;
    }
    isWalked = true;
    reader.stdin.end();
  };
  const fed = feed();
  // Whoever waits for the blobs is told of it at the end.
  fed.catch(() => reader.kill());
  let messages: SourceMessage[] = [];
  let last: string | null = null;
  try {
    for await (const blobs of parseCatFile(reader.stdout)) {
      for (const blob of blobs) {
        const added = expected.shift();
        if (!added) throw new Error("git gave a blob that nobody asked for");
        messages.push(deliver(blob, added));
        last = added.commit;
        if (!isFull(messages)) continue;
        yield { messages, commit: last };
        messages = [];
      }
      wakeFeeder();
      if (signal.aborted) return;
    }
    await fed;
    await reader.ended;
    if (messages.length > 0 && last !== null) yield { messages, commit: last };
  } finally {
    if (!isWalked) wakeFeeder();
    reader.kill();
    await walk.return(undefined);
  }
}

function deliver({ bytes, raw }: StreamedBlob, { commit, blob }: Added): SourceMessage {
  const at = { commit, blob };
  if (raw) return messageOf(raw, at);
  if (bytes !== null) return tooLarge(bytes, at);
  throw new Outage(
    `The mirror lacks blob ${blob}.`,
    "Remove the mirror's directory: the next look fetches it anew.",
  );
}

/** Blobs of the messages that these commits added. */
export async function readAdded(directory: string, since: string | null, head: string): Promise<Set<string>> {
  const blobs = new Set<string>();
  for await (const lines of walkHistory(directory, since, head)) {
    for (const { blob } of lines) if (blob !== null) blobs.add(blob);
  }
  return blobs;
}

/** `:100644 100644 OLD NEW M<TAB>m` names a message, `d` in place of `m` one that is removed. */
const LINE = /^(?:([0-9a-f]{40,64})|:\d+ (\d+) [0-9a-f]+ ([0-9a-f]+) [AM]\tm)$/gm;

async function* walkHistory(
  directory: string,
  since: string | null,
  head: string,
): AsyncGenerator<Added[], undefined> {
  const range = since === null ? [head] : [head, `^${since}`];
  const argv = [
    "log",
    "--reverse",
    "--first-parent",
    "--root",
    "--raw",
    "--no-abbrev",
    "--no-renames",
    "--format=%H",
    ...range,
    "--",
  ];
  const walker = gitStream(argv, mirrorEnvironment(directory));
  let rest = "";
  let commit = "";
  try {
    for await (const chunk of walker.stdout) {
      const text = rest + chunk.toString("latin1");
      const end = text.lastIndexOf("\n") + 1;
      rest = text.slice(end);
      const added: Added[] = [];
      for (const [, id, , blob] of text.slice(0, end).matchAll(LINE)) {
        if (id !== undefined) commit = id;
        else if (blob !== undefined) added.push({ commit, blob });
      }
      if (added.length > 0) yield added;
    }
    await walker.ended;
  } finally {
    walker.kill();
  }
  return undefined;
}

import { opendir, open } from "node:fs/promises";
import { join } from "node:path";
import { MAX_MAIL_BYTES } from "../domain/mail.ts";
import { Outage } from "../domain/problem.ts";
import { codeOf, errorText } from "../lib/error-text.ts";
import { isFull, messageOf, tooLarge } from "./batcher.ts";
import { watchPaths } from "./changes.ts";
import { openSeenNames, type SeenNames } from "./seen-names.ts";
import type { MailBatch, MailSource, Position, SourceMessage } from "./types.ts";
import { waitMs, type Wait } from "./wait.ts";

export type MaildirOptions = {
  id: string;
  path: string;
  /** Where the journal of names is kept. */
  stateDirectory: string;
  follow?: boolean;
  pollMs?: number;
  wait?: Wait;
};

/** A file by the name that stays when its flags change and it moves to `cur`. */
type Entry = { name: string; path: string };

/**
 * Reads `new` and `cur` of a Maildir, in the order of delivery as the names tell it, and leaves it as it is: no message is moved
 * or flagged. A listing of a large directory takes time: it is made again after ten times as long at the earliest.
 */
export function createMaildirSource(options: MaildirOptions): MailSource {
  return { id: options.id, read: (from, signal) => readMaildir(options, from, signal) };
}

async function* readMaildir(
  options: MaildirOptions,
  from: Position,
  signal: AbortSignal,
): AsyncGenerator<MailBatch> {
  const { path, stateDirectory, follow = true, pollMs = 60_000, wait = waitMs } = options;
  const directories = [join(path, "new"), join(path, "cur")];
  const changes = watchPaths(follow ? directories : [], wait);
  let seen: SeenNames | null = null;
  try {
    while (!signal.aborted) {
      const startMs = performance.now();
      const all = await list(directories);
      seen ??= await openSeenNames(stateDirectory, from, (name) => all.has(name));
      const known = seen;
      const fresh = [...all.values()].filter(({ name }) => !known.has(name)).toSorted(byDelivery);
      all.clear();
      const listingMs = performance.now() - startMs;
      yield* deliver(fresh, known, signal);
      if (!follow) return;
      if (listingMs > 100) await wait(listingMs * 10, signal);
      await changes.next(pollMs, signal);
    }
  } finally {
    changes.close();
    await seen?.close();
  }
}

/** A message that moves to `cur` while the directories are listed is in both: its later path counts. */
async function list(directories: readonly string[]): Promise<Map<string, Entry>> {
  const found = new Map<string, Entry>();
  try {
    for (const directory of directories) {
      for await (const entry of await opendir(directory, { bufferSize: 1024 })) {
        // What starts with a dot is no message.
        if (!entry.isFile() || entry.name.startsWith(".")) continue;
        // A line break in a name would end it in the journal; no name has a NUL.
        const name = (entry.name.split(":2,", 1)[0] ?? "").replaceAll("\n", "\0");
        found.set(name, { name, path: join(directory, entry.name) });
      }
    }
  } catch (error) {
    throw new Outage(
      `The Maildir cannot be read: ${errorText(error)}`,
      "Name the directory that holds `new` and `cur`, and give Tare's user the right to read them.",
    );
  }
  return found;
}

/** Names start with the second of delivery, by convention. */
function byDelivery(a: Entry, b: Entry): number {
  const difference = (Number.parseInt(a.name, 10) || 0) - (Number.parseInt(b.name, 10) || 0);
  return difference || (a.name < b.name ? -1 : 1);
}

async function* deliver(
  entries: readonly Entry[],
  seen: SeenNames,
  signal: AbortSignal,
): AsyncGenerator<MailBatch> {
  let messages: SourceMessage[] = [];
  let names: string[] = [];
  for (const { name, path } of entries) {
    if (signal.aborted) return;
    const message = await readMessage(path, name);
    // It was moved or removed since: the next listing has it under its new path.
    if (message === null) continue;
    messages.push(message);
    names.push(name);
    if (!isFull(messages)) continue;
    await seen.add(names);
    yield { messages, position: seen.position() };
    messages = [];
    names = [];
  }
  if (messages.length === 0) return;
  await seen.add(names);
  yield { messages, position: seen.position() };
}

async function readMessage(path: string, name: string): Promise<SourceMessage | null> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      return size > MAX_MAIL_BYTES ? tooLarge(size, name) : messageOf(await file.readFile(), name);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw new Outage(
      `A message of the Maildir cannot be read: ${errorText(error)}`,
      "Give Tare's user the right to read its files.",
    );
  }
}

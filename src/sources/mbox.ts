import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { open, readdir, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { Outage } from "../domain/problem.ts";
import { codeOf, errorText } from "../lib/error-text.ts";
import { isFull, tooLarge } from "./batcher.ts";
import { watchPaths } from "./changes.ts";
import {
  createMboxSplitter,
  startsMessage,
  type MboxMessage,
  type MboxQuoting,
  type MboxSplitter,
} from "./split-mbox.ts";
import type { MailBatch, MailSource, Position, SourceMessage } from "./types.ts";
import { waitMs, type Wait } from "./wait.ts";

export type MboxOptions = {
  id: string;
  path: string;
  quoting?: MboxQuoting;
  /** False for an archive that is read once. */
  follow?: boolean;
  pollMs?: number;
  /** The last message is taken for whole when the file has not changed for so long. */
  settleMs?: number;
  wait?: Wait;
};

const CHUNK_BYTES = 2 * 1024 * 1024;
const HEAD_BYTES = 4096;

/**
 * `bytes` are read of the file that has this inode and starts with these bytes; `last` is where its last message starts, read
 * when it ended the file: what is appended without a `From ` line belongs to it, and it is delivered again, whole.
 */
const positionSchema = z.strictObject({
  inode: z.string(),
  bytes: z.int().min(0),
  head: z.string(),
  headBytes: z.int().min(0),
  last: z.int().min(0),
});
type MboxPosition = z.output<typeof positionSchema>;

/**
 * Reads an mbox from where it was left. A file that was truncated or replaced is read from its start, after what is left of the
 * old one where that is still beside it, under any name. One that is not there yet is waited for.
 */
export function createMboxSource(options: MboxOptions): MailSource {
  return { id: options.id, read: (from, signal) => readMbox(options, from, signal) };
}

async function* readMbox(options: MboxOptions, from: Position, signal: AbortSignal) {
  const { path, follow = true, pollMs = 30_000, settleMs = 2000, wait = waitMs } = options;
  let position = from === null ? null : positionSchema.parse(from);
  const changes = watchPaths(follow ? [dirname(path)] : [], wait);
  try {
    while (!signal.aborted) {
      const { file, ...place } = await openAt(path, position);
      if (file) {
        try {
          for await (const batch of readOnce(options, file, place, signal)) {
            position = batch.position;
            yield batch as MailBatch;
          }
        } finally {
          await file.close();
        }
        if (place.isOld) continue;
      } else if (!follow) throw missing(path);
      if (!follow) return;
      await changes.next((await sizeOf(path)) > (position?.bytes ?? 0) ? settleMs : pollMs, signal);
    }
  } finally {
    changes.close();
  }
}

type Place = { start: number; last: number; isOld: boolean };

/** The file that has more to read, and from where: what is left of a rotated one goes first. */
async function openAt(
  path: string,
  position: MboxPosition | null,
): Promise<Place & { file: FileHandle | null }> {
  const fresh = { start: 0, last: 0, isOld: false };
  const file = await openFile(path);
  if (!position) return { file, ...fresh };
  const goOn = { start: position.bytes, last: position.last };
  if (file && (await continues(file, position))) return { file, ...goOn, isOld: false };
  const old = await findOld(path, position);
  if (!old) return { file, ...fresh };
  await file?.close();
  return { file: old, ...goOn, isOld: true };
}

async function openFile(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw new Outage(
      `The mbox cannot be read: ${errorText(error)}`,
      "Give Tare's user the right to read it.",
    );
  }
}

/** An inode is given again, and a copy has another: the first bytes decide. */
async function continues(file: FileHandle, position: MboxPosition): Promise<boolean> {
  if ((await file.stat()).size < position.bytes) return false;
  return (await headOf(file, position.headBytes)) === position.head;
}

/** Rotation renames: the old file is beside the new one, with its inode and bytes that were not read yet. */
async function findOld(path: string, position: MboxPosition): Promise<FileHandle | null> {
  for (const name of await readdir(dirname(path))) {
    if (name === basename(path) || !name.startsWith(basename(path))) continue;
    const file = await openFile(join(dirname(path), name));
    if (!file) continue;
    const { ino, size } = await file.stat({ bigint: true });
    const isIt = String(ino) === position.inode && size > BigInt(position.bytes);
    if (isIt && (await continues(file, position))) return file;
    await file.close();
  }
  return null;
}

async function headOf(file: FileHandle, bytes: number): Promise<string> {
  const head = Buffer.alloc(bytes);
  const { bytesRead } = await file.read(head, 0, bytes, 0);
  return createHash("sha256").update(head.subarray(0, bytesRead)).digest("base64url");
}

/** Reads to the end of the file as it is now; the last message only where the file has come to rest. */
async function* readOnce(
  options: MboxOptions,
  file: FileHandle,
  place: Place,
  signal: AbortSignal,
): AsyncGenerator<{ messages: SourceMessage[]; position: MboxPosition }> {
  const { quoting, follow = true, settleMs = 2000, wait = waitMs } = options;
  const before = await file.stat({ bigint: true });
  if (before.size <= BigInt(place.start)) return;
  const start = await whereToStart(file, place);
  const splitter = createMboxSplitter(start, quoting);
  let messages: SourceMessage[] = [];
  let done: MboxMessage | null = null;
  const batch = async () => {
    const position = await positionAt(file, String(before.ino), done ?? { start, end: start });
    const given = { messages, position };
    messages = [];
    return given;
  };
  for await (const found of split(file, splitter, start, signal)) {
    for (const message of found) {
      messages.push(deliver(message));
      done = message;
      if (isFull(messages)) yield await batch();
    }
  }
  if (messages.length > 0) yield await batch();
  if (signal.aborted || (follow && !place.isOld && !(await isAtRest(file, before, settleMs, wait, signal))))
    return;
  for (const message of splitter.end()) {
    messages.push(deliver(message));
    done = message;
  }
  if (messages.length > 0) yield await batch();
}

/** Where the last message ended the file and now goes on, it is read again from its own start. */
async function whereToStart(file: FileHandle, { start, last }: Place): Promise<number> {
  const look = Buffer.alloc(2048);
  const { bytesRead } = await file.read(look, 0, look.length, start);
  return start === 0 || startsMessage(look.subarray(0, bytesRead)) ? start : last;
}

async function* split(
  file: FileHandle,
  splitter: MboxSplitter,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<MboxMessage[]> {
  for (let at = from; !signal.aborted;) {
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield splitter.push(chunk.subarray(0, bytesRead));
  }
}

function deliver({ start, bytes, raw }: MboxMessage): SourceMessage {
  return raw ? { at: start, raw, tooLargeBytes: null } : tooLarge(bytes, start);
}

async function positionAt(
  file: FileHandle,
  inode: string,
  { start, end }: { start: number; end: number },
): Promise<MboxPosition> {
  const headBytes = Math.min(end, HEAD_BYTES);
  return { inode, bytes: end, head: await headOf(file, headBytes), headBytes, last: start };
}

async function isAtRest(
  file: FileHandle,
  before: BigIntStats,
  settleMs: number,
  wait: Wait,
  signal: AbortSignal,
) {
  await wait(settleMs, signal);
  const after = await file.stat({ bigint: true });
  return !signal.aborted && before.size === after.size && before.mtimeNs === after.mtimeNs;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}

function missing(path: string): Outage {
  return new Outage(`There is no mbox ${path}.`, "Name the file that the mail is delivered to.");
}

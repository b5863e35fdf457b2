import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import { MAX_MAIL_BYTES } from "../domain/mail.ts";
import { Problem } from "../domain/problem.ts";
import { codeOf, errorText } from "../lib/error-text.ts";
import { createMboxSplitter, startsMessage, type MboxMessage } from "../sources/split-mbox.ts";

/** A mail of a file; of one above the limit only the first bytes are kept, and how many it has. */
export type MailOfFile = { source: string; number: number; raw: Buffer; bytes: number };

/** Bytes that are kept of a mail above the limit, for its headers. */
const HEAD_BYTES = 64 * 1024;
/** Bytes that a packed archive may come to. */
const MAX_UNPACKED_BYTES = 4_000_000_000;

/**
 * Reads mails of files (one each, or an mbox, packed with gzip or not), of Maildirs and other directories, and of standard
 * input for `-`. Problem `arguments` where one cannot be read.
 */
export async function* readMailFiles(paths: readonly string[]): AsyncGenerator<MailOfFile> {
  for (const path of paths) {
    if (path === "-") yield* readStream("-", process.stdin);
    else for (const file of await filesOf(path)) yield* readStream(file, createReadStream(file));
  }
}

/** Of a directory its files, of a Maildir those of `new` and `cur`, in the order of their names. */
async function filesOf(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const entries = await readdir(path, { withFileTypes: true });
    const names = entries
      .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
      .map(({ name }) => name);
    const inner = entries.filter((entry) => entry.isDirectory() && ["cur", "new"].includes(entry.name));
    if (inner.length === 0) return names.toSorted().map((name) => join(path, name));
    const lists = inner.map(async ({ name }) => filesOf(join(path, name)));
    return (await Promise.all(lists)).flat().toSorted((a, b) => orderOf(a) - orderOf(b) || (a < b ? -1 : 1));
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Names of a Maildir start with the second of delivery. */
function orderOf(path: string): number {
  return Number.parseInt(path.slice(path.lastIndexOf("/") + 1), 10) || 0;
}

async function* readStream(source: string, input: AsyncIterable<Buffer>): AsyncGenerator<MailOfFile> {
  try {
    yield* splitStream(source, input);
  } catch (error) {
    if (codeOf(error) === null) throw error;
    throw unreadable(source, error);
  }
}

async function* splitStream(source: string, input: AsyncIterable<Buffer>): AsyncGenerator<MailOfFile> {
  const chunks = input[Symbol.asyncIterator]();
  const start = await enough(chunks);
  // Blank lines above the first mail are no mail.
  const first = start.subarray(
    /^(?:\xef\xbb\xbf)?\s*/.exec(start.toString("latin1", 0, 4096))?.[0].length ?? 0,
  );
  const whole = again(first, chunks);
  const isPacked = first[0] === 0x1f && first[1] === 0x8b;
  if (isPacked) yield* splitStream(source, unpack(whole));
  else if (startsMessage(first)) yield* splitMbox(source, whole);
  else yield* oneMail(source, whole);
}

/** The first bytes: enough to tell what they start. */
async function enough(chunks: AsyncIterator<Buffer>): Promise<Buffer> {
  let bytes: Buffer = Buffer.alloc(0);
  while (bytes.length < 4096) {
    const { value, done } = await chunks.next();
    if (done === true) break;
    bytes = Buffer.concat([bytes, value]);
  }
  return bytes;
}

async function* again(first: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
}

async function* unpack(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip();
  const feed = async () => {
    for await (const chunk of input) {
      if (!gunzip.write(chunk)) await new Promise((resolve) => gunzip.once("drain", resolve));
    }
    gunzip.end();
  };
  const fed = feed().catch((error: unknown) => gunzip.destroy(error instanceof Error ? error : undefined));
  let bytes = 0;
  for await (const chunk of gunzip as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_UNPACKED_BYTES)
      throw new Problem(
        "arguments",
        "The archive comes to more than 4 GB.",
        "Unpack it, and name its parts.",
      );
    yield chunk;
  }
  await fed;
}

async function* splitMbox(source: string, input: AsyncIterable<Buffer>): AsyncGenerator<MailOfFile> {
  const splitter = createMboxSplitter();
  let number = 0;
  const mailOf = ({ raw, bytes }: MboxMessage) => ({
    source,
    number: (number += 1),
    raw: raw ?? Buffer.alloc(0),
    bytes,
  });
  for await (const chunk of input) yield* splitter.push(chunk).map(mailOf);
  yield* splitter.end().map(mailOf);
}

async function* oneMail(source: string, input: AsyncIterable<Buffer>): AsyncGenerator<MailOfFile> {
  let kept: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    const wasLarge = bytes > MAX_MAIL_BYTES;
    bytes += chunk.length;
    if (!wasLarge) kept.push(chunk);
    if (bytes > MAX_MAIL_BYTES && !wasLarge) kept = [Buffer.concat(kept).subarray(0, HEAD_BYTES)];
  }
  yield { source, number: 1, raw: Buffer.concat(kept), bytes };
}

function unreadable(path: string, error: unknown): Problem {
  return new Problem(
    "arguments",
    `${path} cannot be read.`,
    "Name files of mails, Maildirs, or - for standard input.",
    [errorText(error)],
  );
}

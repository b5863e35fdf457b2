import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import type { AnswerHead, AnswerStore } from "./answer-store.ts";

/** A body on its way from its origin to the disk. Whoever wants it reads the file as it grows. */
export type Download = {
  head: AnswerHead;
  /** Bytes that the whole body will have; null where the origin does not say. */
  expectedBytes: number | null;
  /**
   * Hands the body on from its start and waits for what has not come yet; rejects where the origin or `write` breaks
   * off. To be called in the turn of the event loop that found the download running.
   */
  pour: (write: (part: Buffer) => Promise<void> | null) => Promise<void>;
  /** True where the body has come whole and is only being stored. */
  isWhole(): boolean;
  /** Resolves when it is stored or given up. */
  settled: Promise<void>;
};

/** What a download says of itself: bytes as they come, and whether the answer is stored when it is over. */
export type DownloadEars = { received(bytes: number): void; ended(stored: boolean): void };

/** Headers of an answer that mean something to who asks later. */
const KEPT_HEADERS = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "etag",
  "expires",
  "last-modified",
  "location",
  "retry-after",
  "vary",
];

/** Answers that hold for longer than a moment. What servers say when they are tired is not stored. */
const STORED_STATUS: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 302, 303, 307, 308, 404, 410]);

/** The file of a download, what is in it, and how the download ended. It is closed with its last user. */
type Draft = {
  file: FileHandle;
  users: number;
  writtenBytes: number;
  ended: "no" | "well" | Error;
  changed: PromiseWithResolvers<void>;
};

const READ_BYTES = 65_536;

/** Begins to write an answer's body into the store. */
export async function beginDownload(
  url: string,
  answer: IncomingMessage,
  store: AnswerStore,
  ears: DownloadEars,
): Promise<Download> {
  const path = store.draftPath();
  const file = await open(path, "wx+");
  const draft: Draft = { file, users: 1, writtenBytes: 0, ended: "no", changed: Promise.withResolvers() };
  const head: AnswerHead = { url, status: answer.statusCode ?? 502, headers: keptHeaders(answer) };
  const settled = writeDown(answer, draft, ears)
    .then((sha256) => settle(sha256, path, head, draft, store))
    // A full disk must not end the process: the answer is fetched anew when it is wanted again.
    .catch(() => false)
    .then((stored) => {
      // Who has found the download running until now reads it to its end: the file is closed with the last of them.
      ears.ended(stored);
      return release(draft);
    });
  const length = answer.headers["content-length"];
  return {
    head,
    expectedBytes: length === undefined ? null : Number(length),
    pour: (write) => pour(draft, write),
    isWhole: () => draft.ended === "well",
    settled,
  };
}

/** Takes a whole answer into the store and tells whether it is there. */
async function settle(
  sha256: string | null,
  path: string,
  head: AnswerHead,
  draft: Draft,
  store: AnswerStore,
): Promise<boolean> {
  try {
    if (sha256 === null || !STORED_STATUS.has(head.status)) return false;
    await store.keep({ ...head, bytes: draft.writtenBytes, sha256 }, path);
    return true;
  } finally {
    await store.discard(path);
  }
}

/** Resolves with the digest of the body, null where it did not come whole. */
async function writeDown(answer: IncomingMessage, draft: Draft, ears: DownloadEars): Promise<string | null> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      ears.received(chunk.length);
      hash.update(chunk);
      await draft.file.appendFile(chunk);
      tell(draft, { writtenBytes: draft.writtenBytes + chunk.length });
    }
    tell(draft, { ended: "well" });
    return hash.digest("hex");
  } catch (error) {
    tell(draft, { ended: error instanceof Error ? error : new Error(String(error)) });
    return null;
  }
}

function tell(draft: Draft, part: Partial<Draft>): void {
  const { changed } = draft;
  Object.assign(draft, part, { changed: Promise.withResolvers<void>() });
  changed.resolve();
}

async function pour(draft: Draft, write: (part: Buffer) => Promise<void> | null): Promise<void> {
  draft.users += 1;
  try {
    for (let at = 0; ;) {
      const { file, writtenBytes, ended, changed } = draft;
      if (at < writtenBytes) {
        const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, writtenBytes - at));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
        at += bytesRead;
        await write(buffer.subarray(0, bytesRead));
      } else if (ended === "no") await changed.promise;
      else if (ended === "well") return;
      else throw ended;
    }
  } finally {
    await release(draft);
  }
}

async function release(draft: Draft): Promise<void> {
  draft.users -= 1;
  if (draft.users === 0) await draft.file.close();
}

function keptHeaders(answer: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    KEPT_HEADERS.flatMap((name) => {
      const value = answer.headers[name];
      return typeof value === "string" ? [[name, value]] : [];
    }),
  );
}

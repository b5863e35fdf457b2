import { mkdir, open, rename, truncate, type FileHandle } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { codeOf } from "../lib/error-text.ts";
import type { Position } from "./types.ts";

/**
 * Names of a Maildir that are read, one a line in a journal beside the store. The position in the store says which journal, and
 * how much of it counts: what was written and not stored is cut off at the next start. So a position stays small with millions
 * of names.
 */
export type SeenNames = {
  has(name: string): boolean;
  /** On disk when it resolves. */
  add(names: readonly string[]): Promise<void>;
  position(): Position;
  close(): Promise<void>;
};

const positionSchema = z.strictObject({ journal: z.uuid(), bytes: z.int().min(0) });

/**
 * Opens the journal of a position. Without one, or where the journal is gone or shorter than the position says, all starts
 * again: the store knows by Message-ID and content what it has. `isPresent` tells the names that are still in the Maildir;
 * when most are not, the journal is written anew.
 */
export async function openSeenNames(
  directory: string,
  from: Position,
  isPresent: (name: string) => boolean,
): Promise<SeenNames> {
  await mkdir(directory, { recursive: true });
  const position = from === null ? null : positionSchema.parse(from);
  const read = position && (await readNames(pathOf(directory, position.journal), position.bytes));
  if (!position || !read) return journalOf(directory, randomUUID(), new Set());
  const present = new Set([...read].filter(isPresent));
  // Too short a journal is not worth it; the old one stays until nobody's position names it.
  if (read.size > 10_000 && present.size * 2 < read.size) return journalOf(directory, randomUUID(), present);
  await truncate(pathOf(directory, position.journal), position.bytes);
  return journalOf(directory, position.journal, read);
}

async function journalOf(directory: string, id: string, names: Set<string>): Promise<SeenNames> {
  const path = pathOf(directory, id);
  const file = await openJournal(path, names);
  let bytes = (await file.stat()).size;
  return {
    has: (name) => names.has(name),
    add: async (more) => {
      const text = Buffer.from(more.map((name) => `${name}\n`).join(""));
      await file.write(text, 0, text.length, bytes);
      await file.datasync();
      bytes += text.length;
      for (const name of more) names.add(name);
    },
    position: () => ({ journal: id, bytes }),
    close: () => file.close(),
  };
}

/** A new journal appears whole or not at all. */
async function openJournal(path: string, names: Set<string>): Promise<FileHandle> {
  try {
    return await open(path, "r+");
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
  const made = await open(`${path}.new`, "w");
  await made.writeFile([...names].map((name) => `${name}\n`).join(""));
  await made.sync();
  await made.close();
  await rename(`${path}.new`, path);
  return open(path, "r+");
}

/** The names in the first bytes of a journal; null where it does not have as many. */
async function readNames(path: string, bytes: number): Promise<Set<string> | null> {
  const names = new Set<string>();
  if (bytes === 0) return names;
  let rest = "";
  let length = 0;
  try {
    const file = createReadStream(path, { end: bytes - 1, encoding: "utf8" });
    for await (const chunk of file as AsyncIterable<string>) {
      length += Buffer.byteLength(chunk);
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) names.add(line);
    }
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
  return length === bytes && rest === "" ? names : null;
}

function pathOf(directory: string, id: string): string {
  return join(directory, `${id}.names`);
}

import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What an image took when it was last built on this machine: a cold build in milliseconds, and its bytes. */
export type Took = { coldMs: number; bytes: number };

export type History = {
  find: (dockerfile: string) => Took | null;
  add: (dockerfile: string, took: Took) => void;
  save: () => Promise<void>;
};

/** Oldest entries go first. */
const MOST_ENTRIES = 500;

/** Earlier measurements of this machine by the Dockerfile's text; a file that cannot be read is an empty one. */
export async function openHistory(directory: string): Promise<History> {
  const path = join(directory, "history.json");
  const entries = new Map(Object.entries(await readEntries(path)));
  const keyOf = (dockerfile: string) => createHash("sha256").update(dockerfile).digest("hex");
  return {
    find: (dockerfile) => entries.get(keyOf(dockerfile)) ?? null,
    add(dockerfile, took) {
      entries.delete(keyOf(dockerfile));
      entries.set(keyOf(dockerfile), took);
    },
    async save() {
      const kept = Object.fromEntries([...entries].slice(-MOST_ENTRIES));
      await mkdir(directory, { recursive: true });
      // Another process may read it meanwhile: a half-written file is never seen.
      await writeFile(`${path}.${process.pid}`, JSON.stringify(kept));
      await rename(`${path}.${process.pid}`, path);
    },
  };
}

async function readEntries(path: string): Promise<Record<string, Took>> {
  try {
    const read: unknown = JSON.parse(await readFile(path, "utf8"));
    const entries = Object.entries((read ?? {}) as Record<string, Partial<Took> | null>);
    const sound = entries.filter(
      (entry): entry is [string, Took] => isAmount(entry[1]?.coldMs) && isAmount(entry[1]?.bytes),
    );
    return Object.fromEntries(sound);
  } catch {
    return {};
  }
}

function isAmount(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * What an image took when it was last built on this machine: builds with their pushes in milliseconds, and its bytes.
 * What was not measured is null, the cold build always was.
 */
export type Took = { coldMs: number; warmMs: number | null; editMs: number | null; bytes: number };

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
    const sound = entries.flatMap(([key, entry]): [string, Took][] => {
      const { coldMs, bytes, warmMs, editMs } = entry ?? {};
      if (!isAmount(coldMs) || !isAmount(bytes)) return [];
      // An earlier Tare kept the cold build alone.
      return [[key, { coldMs, warmMs: amountOf(warmMs), editMs: amountOf(editMs), bytes }]];
    });
    return Object.fromEntries(sound);
  } catch {
    return {};
  }
}

function amountOf(value: unknown): number | null {
  return isAmount(value) ? value : null;
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

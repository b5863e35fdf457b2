import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { codeOf } from "../lib/error-text.ts";

/** What an origin answered to a GET, without its body. Header names in lower case. */
export type AnswerHead = { url: string; status: number; headers: Record<string, string> };

/** An answer on disk. Its body is the file `bodies/<sha256>`. */
export type StoredAnswer = AnswerHead & { bytes: number; sha256: string };

/** Answers of origins on disk: one small JSON file by URL, one file by digest for each different body. */
export type AnswerStore = {
  bodies: string;
  /** Path for a body that is being written. */
  draftPath(): string;
  find(url: string): Promise<StoredAnswer | null>;
  /** Takes a finished draft in, in place of what was stored for the URL. */
  keep(answer: StoredAnswer, draft: string): Promise<void>;
  discard(draft: string): Promise<void>;
};

const schema = z.strictObject({
  url: z.string(),
  status: z.int(),
  headers: z.record(z.string(), z.string()),
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** What nobody refers to may belong to a download of another process, until it is this old. */
const ORPHAN_MS = 3_600_000;

/** Opens the store of a directory, and removes what was used longest ago until it holds `maximumBytes` at most. */
export async function openAnswerStore(directory: string, maximumBytes: number): Promise<AnswerStore> {
  const [answers, bodies, drafts] = ["answers", "bodies", "drafts"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [answers, bodies, drafts]) await mkdir(path, { recursive: true });
  await shrink({ answers, bodies, drafts }, maximumBytes);
  const pathOf = (url: string) => join(answers, `${createHash("sha256").update(url).digest("hex")}.json`);
  return {
    bodies,
    draftPath: () => join(drafts, randomBytes(12).toString("hex")),
    async find(url) {
      const path = pathOf(url);
      const answer = await readAnswer(path);
      if (answer === null || answer.url !== url) return null;
      if ((await sizeOf(join(bodies, answer.sha256))) !== answer.bytes) return null;
      const now = new Date();
      await utimes(path, now, now).catch(() => {});
      return answer;
    },
    async keep(answer, draft) {
      // Written beside and renamed, the body first: nobody reads half of an answer.
      const written = join(drafts, `${randomBytes(12).toString("hex")}.json`);
      await writeFile(written, JSON.stringify(answer));
      await rename(draft, join(bodies, answer.sha256));
      await rename(written, pathOf(answer.url));
    },
    discard: (draft) => rm(draft, { force: true }),
  };
}

/** Null for what is not there or no answer: it is fetched anew then. */
async function readAnswer(path: string): Promise<StoredAnswer | null> {
  try {
    return schema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    if (codeOf(error) === "ENOENT" || error instanceof SyntaxError || error instanceof z.ZodError)
      return null;
    throw error;
  }
}

async function sizeOf(path: string): Promise<number | null> {
  const found = await stat(path).catch(() => null);
  return found === null ? null : found.size;
}

async function shrink(
  places: { answers: string; bodies: string; drafts: string },
  maximumBytes: number,
): Promise<void> {
  const used: { path: string; usedMs: number; answer: StoredAnswer | null }[] = [];
  for (const name of await readdir(places.answers)) {
    const path = join(places.answers, name);
    const found = await stat(path).catch(() => null);
    if (found !== null) used.push({ path, usedMs: found.mtimeMs, answer: await readAnswer(path) });
  }
  const kept = new Set<string>();
  let keptBytes = 0;
  for (const { path, answer } of used.toSorted((one, other) => other.usedMs - one.usedMs)) {
    const bytes = answer === null || kept.has(answer.sha256) ? 0 : answer.bytes;
    if (answer === null || keptBytes + bytes > maximumBytes) {
      await rm(path, { force: true });
      continue;
    }
    kept.add(answer.sha256);
    keptBytes += bytes;
  }
  const dropped = new Set(used.flatMap(({ answer }) => (answer === null ? [] : [answer.sha256])));
  const bodies = (await readdir(places.bodies)).filter((name) => !kept.has(name));
  await removeFiles(places.bodies, bodies, (name, ageMs) => dropped.has(name) || ageMs > ORPHAN_MS);
  await removeFiles(places.drafts, await readdir(places.drafts), (_name, ageMs) => ageMs > ORPHAN_MS);
}

async function removeFiles(
  directory: string,
  names: readonly string[],
  unwanted: (name: string, ageMs: number) => boolean,
): Promise<void> {
  for (const name of names) {
    const path = join(directory, name);
    const found = await stat(path).catch(() => null);
    if (found !== null && unwanted(name, Date.now() - found.mtimeMs)) await rm(path, { force: true });
  }
}

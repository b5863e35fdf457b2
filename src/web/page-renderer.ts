import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { LRUCache } from "lru-cache";
import type { Secrets } from "../lib/secrets.ts";

/** What a page is made of: `text` is the report as JSON. */
export type PageTask = { kind: "html" | "json"; id: string; text: string; secrets: string[] };

/** A page as gzip, or why there is none. */
export type Rendered = { gzip: Uint8Array } | { refused: string };

export type PageRenderer = {
  /** A page of a request's report, by `read` where it is not kept yet; null where `read` finds none. */
  render(
    kind: PageTask["kind"],
    id: string,
    read: () => Promise<{ bytes: number; text: string | null } | null>,
  ): Promise<Rendered | null>;
};

export type PageLimits = { timeMs: number; memoryMb: number; cacheBytes: number; waiting: number };

const LIMITS: PageLimits = { timeMs: 30_000, memoryMb: 512, cacheBytes: 16_000_000, waiting: 8 };

/** dist has the same files with another ending. */
const PROGRAM = new URL(`./render-task${extname(import.meta.filename)}`, import.meta.url);

/**
 * Renders reports in a thread of their own, one after the other, so that the process answers meanwhile. The thread ends with
 * its page: charts take more memory than all else. A report does not change: what was rendered is kept, as gzip.
 */
export function createPageRenderer(
  secrets: Pick<Secrets, "values">,
  limits: Partial<PageLimits> = {},
): PageRenderer {
  const held = { ...LIMITS, ...limits };
  const cache = new LRUCache<string, Uint8Array>({
    maxSize: held.cacheBytes,
    maxEntrySize: held.cacheBytes,
    sizeCalculation: (gzip) => gzip.byteLength + 1,
  });
  const underWay = new Map<string, Promise<Rendered | null>>();
  let last: Promise<unknown> = Promise.resolve();
  const inTurn: PageRenderer["render"] = async (kind, id, read) => {
    if (underWay.size > held.waiting)
      return { refused: "Too many pages are being made: come again in a minute." };
    const before = last;
    const done = Promise.withResolvers<void>();
    last = done.promise;
    try {
      await before;
      const report = await read();
      if (report === null) return null;
      if (report.text === null)
        return { refused: `The report is too large for a page: ${report.bytes} bytes.` };
      const rendered = await inThread({ kind, id, text: report.text, secrets: secrets.values() }, held);
      if ("gzip" in rendered) cache.set(`${kind} ${id}`, rendered.gzip);
      return rendered;
    } finally {
      done.resolve();
    }
  };
  return {
    async render(kind, id, read) {
      const key = `${kind} ${id}`;
      const known = cache.get(key);
      if (known !== undefined) return { gzip: known };
      const work = underWay.get(key) ?? inTurn(kind, id, read).finally(() => underWay.delete(key));
      underWay.set(key, work);
      return work;
    },
  };
}

/** Rejects where the thread fails; a page that takes too long or too much memory is refused. */
async function inThread(task: PageTask, { timeMs, memoryMb }: PageLimits): Promise<Rendered> {
  const worker = new Worker(PROGRAM, {
    workerData: task,
    // Nothing of the process's own: secrets come with the task.
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  });
  const { promise, resolve, reject } = Promise.withResolvers<Rendered>();
  const timer = setTimeout(
    () =>
      resolve({ refused: `The page was not made within ${timeMs / 1_000} s; report.json has all of it.` }),
    timeMs,
  );
  worker.once("message", resolve);
  worker.once("error", (error: Error & { code?: string }) => {
    if (error.code === "ERR_WORKER_OUT_OF_MEMORY")
      resolve({ refused: `The page needs more than ${memoryMb} MB; report.json has all of it.` });
    else reject(error);
  });
  worker.once("exit", (code) => reject(new Error(`the thread of a page ended with ${code}`)));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

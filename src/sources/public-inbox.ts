import { join } from "node:path";
import { z } from "zod";
import { Outage } from "../domain/problem.ts";
import { fetchMirror, hasCommit, mergeBase } from "../git/mirror.ts";
import { redact } from "../lib/redact.ts";
import { readAdded, readHistory } from "./epoch-history.ts";
import type { MailBatch, MailSource, Position } from "./types.ts";
import { waitMs, type Wait } from "./wait.ts";

export type PublicInboxOptions = {
  id: string;
  /** `https://lists.example.org/builds` as the archive's page shows it, or the directory of a v2 inbox. */
  url: string;
  /** Where the epochs are mirrored. */
  mirrorDirectory: string;
  /** The first epoch that is read: an old list has many, of a gigabyte each. */
  firstEpoch?: number;
  follow?: boolean;
  pollMs?: number;
  wait?: Wait;
};

const commitId = z.string().regex(/^[0-9a-f]{40,64}$/);

/**
 * `commit` is the last one delivered of an epoch. While a rewritten epoch is read, `rewritten` are the last ones of its old
 * histories: what those had is not delivered again.
 */
const epochSchema = z.strictObject({ commit: commitId, rewritten: z.array(commitId) });
const positionSchema = z.strictObject({ epochs: z.record(z.string().regex(/^\d+$/), epochSchema) });
type EpochPosition = z.output<typeof epochSchema>;

/** Only the last epoch grows, but any can be purged: the older ones are asked with every so many looks. */
const LOOKS_AT_ALL = 30;

/**
 * Reads a public-inbox v2 archive, commit by commit, from mirrors that fetch only what is new. Messages that the archive removed
 * (`d`) are not delivered. An epoch whose history was rewritten, as a purge does, delivers what it has beyond the old one.
 */
export function createPublicInboxSource(options: PublicInboxOptions): MailSource {
  return { id: options.id, read: (from, signal) => readArchive(options, from, signal) };
}

async function* readArchive(
  options: PublicInboxOptions,
  from: Position,
  signal: AbortSignal,
): AsyncGenerator<MailBatch> {
  const { follow = true, pollMs = 120_000, wait = waitMs } = options;
  const epochs = from === null ? {} : { ...positionSchema.parse(from).epochs };
  for (let look = 0; !signal.aborted; look += 1) {
    const newest = Math.max(...Object.keys(epochs).map(Number));
    const first = look % LOOKS_AT_ALL === 0 ? (options.firstEpoch ?? 0) : newest;
    for await (const { epoch, head } of fetchEpochs(options, first, newest, signal)) {
      const directory = mirrorOf(options, epoch);
      for await (const { messages, place } of readEpoch(directory, epochs[epoch] ?? null, head, signal)) {
        epochs[epoch] = place;
        yield { messages, position: { epochs: { ...epochs } } };
      }
    }
    if (!follow) return;
    await wait(pollMs, signal);
  }
}

/** Epochs from one on, each fetched, until one is missing that nobody has seen yet. */
async function* fetchEpochs(
  options: PublicInboxOptions,
  first: number,
  newest: number,
  signal: AbortSignal,
): AsyncGenerator<{ epoch: number; head: string }> {
  for (let epoch = first; !signal.aborted; epoch += 1) {
    const head = await fetchMirror(mirrorOf(options, epoch), urlOf(options.url, epoch), signal);
    if (head !== null) yield { epoch, head };
    else if (epoch > newest && epoch > first) return;
    else
      throw new Outage(
        `Epoch ${epoch} of ${redact(options.url, [])} cannot be fetched.`,
        "Check the address of the archive (public-inbox, version 2) and the network; it will be tried again.",
      );
  }
}

/** A server has the epochs below the inbox's address, a directory in `git/`. */
function urlOf(url: string, epoch: number): string {
  const base = url.replace(/\/+$/, "");
  return /^https?:/.test(base) ? `${base}/${epoch}` : `${base}/git/${epoch}.git`;
}

function mirrorOf({ mirrorDirectory }: PublicInboxOptions, epoch: number): string {
  return join(mirrorDirectory, `${epoch}.git`);
}

type EpochBatch = { messages: MailBatch["messages"]; place: EpochPosition };

async function* readEpoch(
  directory: string,
  before: EpochPosition | null,
  head: string,
  signal: AbortSignal,
): AsyncGenerator<EpochBatch> {
  if (before?.commit === head) return;
  const { since, rewritten } = await whereFrom(directory, before, head);
  const known = new Set<string>();
  for (const old of rewritten) {
    const common = await mergeBase(directory, old, head);
    for (const blob of await readAdded(directory, common, old)) known.add(blob);
  }
  let last: string | null = null;
  for await (const { messages, commit } of readHistory(directory, since, head, known, signal)) {
    last = commit;
    yield { messages, place: { commit, rewritten: commit === head ? [] : rewritten } };
  }
  // A history that ends with removals, or with what was known, is read, too.
  if (!signal.aborted && last !== head) yield { messages: [], place: { commit: head, rewritten: [] } };
}

/** The commit behind which to read, and the ends of histories that were given up since. */
async function whereFrom(
  directory: string,
  before: EpochPosition | null,
  head: string,
): Promise<{ since: string | null; rewritten: string[] }> {
  const ends = before ? [...before.rewritten, before.commit] : [];
  const there: string[] = [];
  // A mirror that was lost and made anew does not have old histories: what they had comes again.
  for (const end of ends) if (await hasCommit(directory, end)) there.push(end);
  if (!before || !there.includes(before.commit)) return { since: null, rewritten: there };
  const common = await mergeBase(directory, before.commit, head);
  if (common !== before.commit) return { since: common, rewritten: there };
  return { since: common, rewritten: there.filter((end) => end !== before.commit) };
}

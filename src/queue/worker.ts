import type { Pool, PoolClient } from "pg";
import type { JobWithMetadata, PgBoss } from "pg-boss";
import { errorText } from "../lib/error-text.ts";
import type { Secrets } from "../lib/secrets.ts";
import { statementsOn, transaction } from "./database.ts";
import { TRIALS } from "./admit-batch.ts";
import { keepReply, type Kept } from "./keep-reply.ts";
import { storable, storableText } from "./storable.ts";
import type { ClaimedRequest, QueueLog, WorkResult } from "./types.ts";

export type WorkerOptions = {
  pool: Pool;
  boss: PgBoss;
  log: QueueLog;
  /** What no row may hold. */
  secrets: Pick<Secrets, "redact">;
  retries: number;
  /** Answers a request; rejects where the world failed, which is tried again. */
  run: (request: ClaimedRequest, signal: AbortSignal) => Promise<WorkResult>;
  /** Called when a result was committed: there may be a reply to send. */
  onDone: () => void;
  /** Aborted when this process ends: what is in work is given back, and that counts as no attempt. */
  closing: AbortSignal;
};

type Trial = { requestId: string };

/** How often the world may fail one request before that is what is said. */
export const RETRIES = 3;

const WATCH_MS = 1_000;

/** Works on requests, one at a time, until the queue is stopped. Returns what wakes it: something may have come. */
export async function startWorker(options: WorkerOptions): Promise<() => void> {
  const { boss } = options;
  let id: string | null = null;
  const wake = () => {
    if (id !== null) boss.notifyWorker(id);
  };
  id = await boss.work<Trial, void, typeof CONFIGURATION>(TRIALS, CONFIGURATION, async ([job]) => {
    try {
      if (job !== undefined) await workOn(job, options);
    } finally {
      // Another job may wait: it need not wait for the next look as well.
      wake();
    }
  });
  return wake;
}

const CONFIGURATION = {
  includeMetadata: true,
  pollingIntervalSeconds: 0.5,
  heartbeatRefreshSeconds: 4,
} as const;

async function workOn(job: JobWithMetadata<Trial>, options: WorkerOptions): Promise<void> {
  const { pool, log, run } = options;
  const request = await claim(pool, job);
  // Superseded, or answered by an attempt that was thought dead.
  if (request === null) return;
  const watch = watchRequest(pool, request, AbortSignal.any([job.signal, options.closing]));
  const about = { requestId: request.id, change: request.key, head: request.head, attempt: request.attempt };
  try {
    const result = await run(request, watch.signal);
    const isOurs = await finish(request, job, result, options);
    log.info({ ...about, why: result.why, isOurs }, isOurs ? "worked" : "came too late");
    if (isOurs) options.onDone();
  } catch (error) {
    if (watch.isSuperseded()) return log.info(about, "superseded");
    if (options.closing.aborted) return giveBack(request, job, options);
    const why = options.secrets.redact(errorText(error));
    log.error({ ...about, why }, "no answer");
    if (job.retryCount >= options.retries) await giveUp(pool, request, why);
    throw error;
  } finally {
    watch.stop();
  }
}

async function claim(pool: Pool, job: JobWithMetadata<Trial>): Promise<ClaimedRequest | null> {
  const { rows } = await pool.query<RequestRow>(
    `UPDATE tare.requests SET state = 'running', attempt = $2, started_at = now()
     WHERE id = $1 AND state IN ('queued', 'running') AND attempt <= $2
     RETURNING id, channel, change_key, project, head, at_ms, reference, attempt`,
    [job.data.requestId, job.retryCount],
  );
  const [row] = rows;
  if (row === undefined) return null;
  const { change_key: key, at_ms: atMs, ...rest } = row;
  return { ...rest, key, atMs: Number(atMs) };
}

type RequestRow = Omit<ClaimedRequest, "key" | "atMs"> & { change_key: string; at_ms: string };

/** Aborts when a newer head took the request's place, when the attempt was given to another worker, or with the job. */
function watchRequest(
  pool: Pool,
  request: ClaimedRequest,
  jobSignal: AbortSignal,
): { signal: AbortSignal; isSuperseded(): boolean; stop(): void } {
  const abort = new AbortController();
  let superseded = false;
  const look = async () => {
    const { rows } = await pool.query<{ state: string; attempt: number }>(
      "SELECT state, attempt FROM tare.requests WHERE id = $1",
      [request.id],
    );
    const [row] = rows;
    if (row?.state === "running" && row.attempt === request.attempt) return;
    superseded = true;
    abort.abort(new Error("a newer head arrived"));
  };
  // A database that does not answer is no reason to stop: the heartbeat decides then.
  const timer = setInterval(() => void look().catch(() => {}), WATCH_MS);
  return {
    signal: AbortSignal.any([abort.signal, jobSignal]),
    isSuperseded: () => superseded,
    stop: () => clearInterval(timer),
  };
}

/** Result, report and reply in one transaction with the job's end; false where this attempt is not the one that counts. */
async function finish(
  request: ClaimedRequest,
  job: JobWithMetadata<Trial>,
  { reply, report, why }: WorkResult,
  { pool, boss, log, secrets }: WorkerOptions,
): Promise<boolean> {
  const shown = (text: string) => storableText(secrets.redact(text));
  let kept: Kept | null = null;
  const isOurs = await transaction(pool, async (client) => {
    const { rowCount } = await client.query(
      `UPDATE tare.requests SET state = $3, why = $4, ended_at = now()
       WHERE id = $1 AND state = 'running' AND attempt = $2`,
      [request.id, request.attempt, reply === null ? "left alone" : "answered", shown(why)],
    );
    if (rowCount === 0) return false;
    // What was worked out here must not be said twice.
    if (!(await endJob(client, boss, job))) throw new Error("the job was given to another worker");
    if (report !== null)
      await client.query("INSERT INTO tare.reports VALUES ($1, $2)", [request.id, storable(report, shown)]);
    if (reply !== null) kept = await keepReply(client, request, reply, { shown });
    return true;
  });
  if (kept !== null) log.info({ requestId: request.id, change: request.key, kept }, "reply");
  return isOurs;
}

/** Ends a job within a transaction; false where another worker has it by now. */
async function endJob(client: PoolClient, boss: PgBoss, job: JobWithMetadata<Trial>): Promise<boolean> {
  const attempt = { id: job.id, retryCount: job.retryCount };
  const completed = await boss.complete(TRIALS, attempt, null, { db: statementsOn(client) });
  // pg-boss counts the jobs that it completed; its type leaves that out.
  return (completed as { affected?: number }).affected === 1;
}

/** Another worker, or the next start of this one, has it anew. */
async function giveBack(
  request: ClaimedRequest,
  job: JobWithMetadata<Trial>,
  { pool, boss, log }: WorkerOptions,
): Promise<void> {
  await transaction(pool, async (client) => {
    const isOurs = await endJob(client, boss, job);
    const { rowCount } = await client.query(
      `UPDATE tare.requests SET state = 'queued', attempt = 0
       WHERE id = $1 AND state = 'running' AND attempt = $2`,
      [request.id, request.attempt],
    );
    const options = { db: statementsOn(client), priority: GIVEN_BACK };
    if (isOurs && rowCount === 1) await boss.send(TRIALS, { requestId: request.id }, options);
  });
  log.info({ requestId: request.id, change: request.key }, "given back");
}

/** What was given back has waited already. */
const GIVEN_BACK = 1_000;

/** The world failed too often. The forge may send the delivery again. */
export async function giveUp(pool: Pool, request: { id: string }, why: string): Promise<void> {
  await transaction(pool, async (client) => {
    const { rows } = await client.query<{ channel: string; delivery: string }>(
      `UPDATE tare.requests SET state = 'failed', why = $2, ended_at = now()
       WHERE id = $1 AND state IN ('queued', 'running') RETURNING channel, delivery`,
      [request.id, storableText(why.slice(0, 500))],
    );
    for (const { channel, delivery } of rows)
      await client.query("DELETE FROM tare.deliveries WHERE channel = $1 AND id = $2", [channel, delivery]);
  });
}

import { Pool, type PoolClient } from "pg";
import type { PgBoss } from "pg-boss";
import { Problem } from "../domain/problem.ts";
import { createSecrets, type Secrets } from "../lib/secrets.ts";
import { connectionOptions, transaction, untilAnswering, type DatabaseAddress } from "./database.ts";
import { createIntake } from "./intake.ts";
import { keepReply, type Kept, type ReplyOwner } from "./keep-reply.ts";
import { migrate } from "./migrations.ts";
import { LONGEST_WINDOW_MS } from "./outbox-policy.ts";
import { outboxStatus, type OutboxStatus } from "./outbox-status.ts";
import { createBoss, createQueues, DEAD } from "./queue.ts";
import {
  countStates,
  listRequests,
  listWorkers,
  readReportTextOf,
  type ReportText,
  type ListedRequest,
  type ListedWorker,
} from "./requests.ts";
import { startOutbox, type Outbox, type OutboxOptions } from "./outbox.ts";
import { storableText, type Shown } from "./storable.ts";
import type { Intake, QueueLog, QueueSize, ReplyDraft } from "./types.ts";
import { giveUp, RETRIES, startWorker, type WorkerOptions } from "./worker.ts";

const CONNECT_MS = 30_000;
const DRAIN_MS = 30_000;
const TIDY_MS = 3_600_000;
/** A number for PostgreSQL's advisory locks: one service takes events in. */
const SERVICE_LOCK = 7_172_102;

export type Store = Intake & {
  work(options: Pick<WorkerOptions, "run">): Promise<void>;
  sendReplies(options: Pick<OutboxOptions, "send" | "policy" | "clock">): void;
  /** Keeps a reply of a request beside the one that its work gave. False where there is no such request. */
  putReply(requestId: string, draft: ReplyDraft): Promise<Kept | false>;
  /** What is sent, what waits, and why nothing is sent where that is so. */
  outbox(): Promise<OutboxStatus>;
  size(): Promise<QueueSize>;
  requests(): Promise<ListedRequest[]>;
  workers(): Promise<ListedWorker[]>;
  /** A report as JSON, not parsed: that may take a while. Null where there is none. */
  reportText(id: string): Promise<ReportText | null>;
  states(): ReturnType<typeof countStates>;
  /** Drains: what is in work is ended or given back, the reply in hand is sent. */
  close(): Promise<void>;
};

export type StoreOptions = {
  address: DatabaseAddress;
  log: QueueLog;
  /** What no row may hold; by default nothing but what looks like a token. */
  secrets?: Pick<Secrets, "redact">;
  /** How often a request that the world failed is tried again. */
  retries?: number;
  /** The one service of the database, which must leave when this is called: another one may be there then. */
  service?: { onLost: (why: string) => void };
};

/**
 * Opens the database, brought to this version. Problem `database`, with nothing touched, where it is not one that Tare may
 * use, or where another service has it.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { address, log, secrets = createSecrets(), retries = RETRIES, service } = options;
  await untilAnswering(address, CONNECT_MS);
  const pool = new Pool(connectionOptions(address));
  // A client that is in use has no listener of the pool's: without one a broken connection would end the process.
  pool.on("connect", (client) =>
    client.on("error", (error) => log.warn({ why: error.message }, "a connection broke")),
  );
  pool.on("error", (error) => log.warn({ why: error.message }, "a connection broke"));
  const boss = createBoss(address, log);
  let lock: PoolClient | null = null;
  try {
    await refuseOld(pool);
    if (service !== undefined) lock = await lockService(pool, service.onLost);
    await migrate(pool);
    await boss.start();
    await createQueues(boss, retries);
    await reconcile(pool);
  } catch (error) {
    await boss.stop({ graceful: false }).catch(() => {});
    lock?.release(true);
    await pool.end();
    throw error;
  }
  return storeOf({ pool, boss, log, secrets, retries, lock });
}

/** Held by a connection for as long as the service lives. */
async function lockService(pool: Pool, onLost: (why: string) => void): Promise<PoolClient> {
  const lock = await pool.connect();
  // A service whose machine died holds its lock until the database notices.
  await lock.query(
    "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3",
  );
  const { rows } = await lock.query<{ held: boolean }>("SELECT pg_try_advisory_lock($1) AS held", [
    SERVICE_LOCK,
  ]);
  if (rows[0]?.held === true) {
    lock.once("error", (error) => onLost(error.message));
    return lock;
  }
  lock.release();
  throw new Problem(
    "database",
    "Another `tare serve` uses this database.",
    "Stop it first, or give this one another TARE_DATA or DATABASE_URL.",
  );
}

type Parts = {
  pool: Pool;
  boss: PgBoss;
  log: QueueLog;
  secrets: Pick<Secrets, "redact">;
  retries: number;
  lock: PoolClient | null;
};

function storeOf({ pool, boss, log, secrets, retries, lock }: Parts): Store {
  const intake = createIntake(pool, boss);
  // A worker of another process finds what came by itself.
  let wake = () => {};
  let outbox: Outbox | null = null;
  let closed: Promise<void> | null = null;
  const closing = new AbortController();
  const close = async () => {
    clearInterval(tidying);
    // What is in work gives its request back before the queue is stopped.
    closing.abort();
    try {
      await boss.stop({ graceful: true, timeout: DRAIN_MS });
    } finally {
      await outbox?.close();
      lock?.release(true);
      await pool.end();
    }
  };
  const tidying = setInterval(() => void tidy(pool).catch(() => {}), TIDY_MS);
  tidying.unref();
  return {
    async admit(event) {
      const admission = await intake.admit(event);
      if (admission === "queued") wake();
      return admission;
    },
    async work({ run }) {
      wake = await startWorker({
        pool,
        boss,
        log,
        secrets,
        retries,
        run,
        closing: closing.signal,
        onDone: () => outbox?.poke(),
      });
      await boss.work<{ requestId: string }>(DEAD, { pollingIntervalSeconds: 2 }, async ([job]) => {
        if (job) await giveUp(pool, { id: job.data.requestId }, "it was tried too often");
      });
    },
    sendReplies(options) {
      outbox = startOutbox({ pool, log, secrets, ...options });
    },
    putReply: async (requestId, draft) => {
      const kept = await putReply(pool, requestId, draft, (text) => storableText(secrets.redact(text)));
      outbox?.poke();
      return kept;
    },
    outbox: async () => outboxStatus(pool),
    size: async () => sizeOf(pool),
    requests: async () => listRequests(pool),
    workers: async () => listWorkers(boss, Date.now()),
    reportText: async (id) => readReportTextOf(pool, id),
    states: async () => countStates(pool),
    async close() {
      closed ??= close();
      await closed;
    },
  };
}

const OLDEST = 14;

async function refuseOld(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ version: string }>(
    "SELECT current_setting('server_version_num') AS version",
  );
  const major = Math.floor(Number(rows[0]?.version) / 10_000);
  if (major >= OLDEST) return;
  throw new Problem(
    "database",
    `The database is PostgreSQL ${major}; ${OLDEST} or later is needed.`,
    "Use a newer one.",
  );
}

async function sizeOf(pool: Pool): Promise<QueueSize> {
  const { rows } = await pool.query<QueueSize>(
    `SELECT count(*) FILTER (WHERE state = 'queued')::int AS waiting,
       count(*) FILTER (WHERE state = 'running')::int AS running,
       (SELECT count(*)::int FROM tare.replies WHERE state IN ('pending', 'sending')) AS replies
     FROM tare.requests WHERE state IN ('queued', 'running')`,
  );
  return rows[0] ?? { waiting: 0, running: 0, replies: 0 };
}

async function tidy(pool: Pool): Promise<void> {
  // No forge sends a delivery again after a month; nobody asks for an answer of last year.
  await pool.query("DELETE FROM tare.deliveries WHERE received_at < now() - interval '30 days'");
  await pool.query(
    `DELETE FROM tare.requests WHERE created_at < now() - interval '365 days'
     AND state NOT IN ('queued', 'running')`,
  );
  await pool.query("DELETE FROM tare.writes WHERE at < now() - make_interval(secs => $1)", [
    (2 * LONGEST_WINDOW_MS) / 1_000,
  ]);
  await reconcile(pool);
}

async function putReply(
  pool: Pool,
  requestId: string,
  draft: ReplyDraft,
  shown: Shown,
): Promise<Kept | false> {
  return transaction(pool, async (client) => {
    const { rows } = await client.query<ReplyOwner>(
      "SELECT id, change_key AS key, channel, project FROM tare.requests WHERE id = $1",
      [requestId],
    );
    return rows[0] === undefined ? false : keepReply(client, rows[0], draft, { shown });
  });
}

/** A request whose job is gone would stay open for ever, and keep its head from being asked for again. */
async function reconcile(pool: Pool): Promise<void> {
  await pool.query(
    `UPDATE tare.requests SET state = 'failed', why = 'its job was lost', ended_at = now()
     WHERE state IN ('queued', 'running') AND created_at < now() - interval '1 minute'
       AND NOT EXISTS (SELECT FROM tare_queue.job
         WHERE data ->> 'requestId' = requests.id::text AND state IN ('created', 'retry', 'active'))`,
  );
}

import { Pool, type PoolClient } from "pg";
import { PgBoss } from "pg-boss";
import { Problem } from "../domain/problem.ts";
import { bossConnection, connectionOptions, untilAnswering, type DatabaseAddress } from "./database.ts";
import { createIntake, TRIALS } from "./intake.ts";
import { migrate } from "./migrations.ts";
import type { Report } from "../domain/report.ts";
import {
  countStates,
  listRequests,
  listWorkers,
  readReportOf,
  type ListedRequest,
  type ListedWorker,
} from "./requests.ts";
import { startOutbox, type Outbox, type OutboxOptions } from "./outbox.ts";
import type { Intake, QueueLog, QueueSize } from "./types.ts";
import { giveUp, RETRIES, startWorker, type WorkerOptions } from "./worker.ts";

/** Requests that the world failed in all their attempts, or that killed every worker. */
const DEAD = "trials-dead";
const CONNECT_MS = 30_000;
/** A worker that is silent for so long is dead; the monitor looks as often. Together below 45 s. */
const HEARTBEAT_S = 15;
const MONITOR_S = 10;
const LONGEST_TRIAL_S = 86_000;
const DRAIN_MS = 30_000;
const KEEP_DELIVERIES = "30 days";
/** A number for PostgreSQL's advisory locks: one service takes events in. */
const SERVICE_LOCK = 7_172_102;

export type Store = Intake & {
  /** Rejects with Problem `database` where another service holds the database. */
  lockService(): Promise<void>;
  work(options: Pick<WorkerOptions, "run">): Promise<void>;
  sendReplies(options: Pick<OutboxOptions, "send">): void;
  size(): Promise<QueueSize>;
  requests(): Promise<ListedRequest[]>;
  workers(): Promise<ListedWorker[]>;
  report(id: string): Promise<Report | null>;
  states(): ReturnType<typeof countStates>;
  /** Drains: what is in work is ended or given back, the reply in hand is sent. */
  close(): Promise<void>;
};

export type StoreOptions = {
  address: DatabaseAddress;
  log: QueueLog;
  /** How often a request that the world failed is tried again. */
  retries?: number;
};

/** Opens the database, brought to this version. Problem `database` where it is not one that Tare may use. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { address, log, retries = RETRIES } = options;
  await untilAnswering(address, CONNECT_MS);
  const pool = new Pool(connectionOptions(address));
  pool.on("error", (error) => log.warn({ why: error.message }, "a connection broke"));
  const boss = new PgBoss({
    ...bossConnection(address),
    schema: "tare_queue",
    supervise: true,
    schedule: false,
    superviseIntervalSeconds: MONITOR_S,
    monitorIntervalSeconds: MONITOR_S,
  });
  boss.on("error", (error: Error) => log.warn({ why: error.message }, "the queue"));
  try {
    await refuseOld(pool);
    await migrate(pool);
    await boss.start();
    await createQueues(boss, retries);
  } catch (error) {
    await boss.stop({ graceful: false }).catch(() => {});
    await pool.end();
    throw error;
  }
  return storeOf(pool, boss, log, retries);
}

function storeOf(pool: Pool, boss: PgBoss, log: QueueLog, retries: number): Store {
  const intake = createIntake(pool, boss);
  // A worker of another process finds what came by itself.
  let wake = () => {};
  let outbox: Outbox | null = null;
  let lock: PoolClient | null = null;
  let closed: Promise<void> | null = null;
  const close = async () => {
    clearInterval(forgetting);
    await boss.stop({ graceful: true, timeout: DRAIN_MS });
    await outbox?.close();
    lock?.release(true);
    await pool.end();
  };
  const forgetting = setInterval(() => void forget(pool).catch(() => {}), 3_600_000);
  forgetting.unref();
  return {
    async admit(event) {
      const admission = await intake.admit(event);
      if (admission === "queued") wake();
      return admission;
    },
    async lockService() {
      lock = await pool.connect();
      const { rows } = await lock.query<{ held: boolean }>("SELECT pg_try_advisory_lock($1) AS held", [
        SERVICE_LOCK,
      ]);
      if (rows[0]?.held === true) return;
      lock.release();
      lock = null;
      throw new Problem(
        "database",
        "Another `tare serve` uses this database.",
        "Stop it first, or give this one another TARE_DATA or DATABASE_URL.",
      );
    },
    async work({ run }) {
      wake = await startWorker({ pool, boss, log, retries, run, onDone: () => outbox?.poke() });
      await boss.work<{ requestId: string }>(DEAD, { pollingIntervalSeconds: 2 }, async ([job]) => {
        if (job) await giveUp(pool, { id: job.data.requestId }, "it was tried too often");
      });
    },
    sendReplies({ send }) {
      outbox = startOutbox({ pool, log, send });
    },
    size: async () => sizeOf(pool),
    requests: async () => listRequests(pool),
    workers: async () => listWorkers(boss, Date.now()),
    report: async (id) => readReportOf(pool, id),
    states: async () => countStates(pool),
    async close() {
      closed ??= close();
      await closed;
    },
  };
}

async function createQueues(boss: PgBoss, retries: number): Promise<void> {
  await boss.createQueue(DEAD, { retryLimit: 3 });
  await boss.createQueue(TRIALS, {
    retryLimit: retries,
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: 60,
    heartbeatSeconds: HEARTBEAT_S,
    expireInSeconds: LONGEST_TRIAL_S,
    deadLetter: DEAD,
  });
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

/** Deliveries are known for a month: no forge sends one again after that. */
async function forget(pool: Pool): Promise<void> {
  await pool.query(`DELETE FROM tare.deliveries WHERE received_at < now() - interval '${KEEP_DELIVERIES}'`);
}

import { PgBoss } from "pg-boss";
import { TRIALS } from "./admit-batch.ts";
import { bossConnection, type DatabaseAddress } from "./database.ts";
import type { QueueLog } from "./types.ts";
import { RETRIES } from "./worker.ts";

/** Requests that the world failed in all their attempts, or that killed every worker. */
export const DEAD = "trials-dead";
/** A worker that is silent for so long is dead; the monitor looks as often. Together below 45 s. */
const HEARTBEAT_S = 15;
const MONITOR_S = 10;
const LONGEST_TRIAL_S = 86_000;

/** pg-boss on this database, not started yet. */
export function createBoss(address: DatabaseAddress, log: Pick<QueueLog, "warn">): PgBoss {
  const boss = new PgBoss({
    ...bossConnection(address),
    schema: "tare_queue",
    supervise: true,
    schedule: false,
    superviseIntervalSeconds: MONITOR_S,
    monitorIntervalSeconds: MONITOR_S,
  });
  boss.on("error", (error: Error) => log.warn({ why: error.message }, "the queue"));
  return boss;
}

export async function createQueues(boss: PgBoss, retries: number): Promise<void> {
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

/** pg-boss with Tare's queues, to put requests into; nobody works on them here. */
export async function openQueue(address: DatabaseAddress): Promise<PgBoss> {
  const boss = createBoss(address, { warn() {} });
  await boss.start();
  await createQueues(boss, RETRIES);
  return boss;
}

import type { Pool, PoolClient } from "pg";
import type { PgBoss } from "pg-boss";
import { statementsOn, transaction } from "./database.ts";
import type { Admission, ChangeEvent } from "../channels/types.ts";
import type { Intake } from "./types.ts";

/** The queue of pg-boss that requests go through. */
export const TRIALS = "trials";

/** Beyond this many a forge is asked to come again later. */
const MOST_WAITING = 1_000;

/** Takes events in: delivery, request and job in one transaction, what the request replaces with them. */
export function createIntake(pool: Pool, boss: PgBoss): Intake {
  return { admit: async (event) => transaction(pool, async (client) => admit(client, boss, event)) };
}

async function admit(client: PoolClient, boss: PgBoss, event: ChangeEvent): Promise<Admission> {
  const { rowCount } = await client.query(
    "INSERT INTO tare.deliveries (channel, id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    [event.channel, event.deliveryId],
  );
  if (rowCount === 0) return "seen";
  // Two events of one change at the same instant are taken in one after the other.
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [event.key]);
  const open = await openRequest(client, event.key);
  // A running one has read the change already: an event that came later may say something else of the same head.
  const isRead = open?.state === "running" && event.atMs > open.atMs;
  if (open?.head === event.head && !isRead) return "known";
  if (open !== null && event.atMs < open.atMs) return "older";
  const waiting = await waitingRequests(client, event.project);
  if (waiting.all - (open === null ? 0 : 1) >= MOST_WAITING) {
    // Nothing was done: the same delivery is welcome later.
    await client.query("DELETE FROM tare.deliveries WHERE channel = $1 AND id = $2", [
      event.channel,
      event.deliveryId,
    ]);
    return "full";
  }
  await client.query(
    `UPDATE tare.requests SET state = 'superseded', why = 'a newer head arrived', ended_at = now()
     WHERE change_key = $1 AND state IN ('queued', 'running')`,
    [event.key],
  );
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO tare.requests (channel, delivery, change_key, project, head, at_ms, reference)
     VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
    [
      event.channel,
      event.deliveryId,
      event.key,
      event.project,
      event.head,
      event.atMs,
      JSON.stringify(event.reference),
    ],
  );
  // A project with many requests waits behind one with few.
  const options = { db: statementsOn(client), priority: -waiting.project };
  await boss.send(TRIALS, { requestId: rows[0]?.id }, options);
  return "queued";
}

async function openRequest(
  client: PoolClient,
  key: string,
): Promise<{ head: string; atMs: number; state: string } | null> {
  const { rows } = await client.query<{ head: string; at_ms: string; state: string }>(
    `SELECT head, at_ms, state FROM tare.requests WHERE change_key = $1 AND state IN ('queued', 'running')
     ORDER BY created_at DESC LIMIT 1`,
    [key],
  );
  const [row] = rows;
  return row === undefined ? null : { head: row.head, atMs: Number(row.at_ms), state: row.state };
}

async function waitingRequests(
  client: PoolClient,
  project: string,
): Promise<{ all: number; project: number }> {
  const { rows } = await client.query<{ all: number; project: number }>(
    `SELECT count(*)::int AS "all", count(*) FILTER (WHERE project = $1)::int AS "project"
     FROM tare.requests WHERE state IN ('queued', 'running')`,
    [project],
  );
  return rows[0] ?? { all: 0, project: 0 };
}

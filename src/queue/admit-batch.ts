import type { PoolClient } from "pg";
import type { PgBoss } from "pg-boss";
import type { Admission, ChangeEvent } from "../channels/types.ts";
import { statementsOn } from "./database.ts";

/** The queue of pg-boss that requests go through. */
export const TRIALS = "trials";

/** Beyond this many a forge is asked to come again later. */
const MOST_WAITING = 1_000;

/**
 * Takes events in within a transaction, each of another change and another delivery; the answers are in their order. The
 * number of statements does not depend on that of the events.
 */
export async function admitBatch(
  client: PoolClient,
  boss: PgBoss,
  events: readonly ChangeEvent[],
): Promise<Admission[]> {
  const isFresh = await keepDeliveries(client, events);
  const fresh = events.filter(isFresh);
  if (fresh.length === 0) return events.map(() => "seen");
  await lockChanges(client, fresh);
  const open = await openRequests(client, fresh);
  const decisions = decide(fresh, open, await waitingRequests(client));
  const queued = fresh.flatMap((event) => {
    const { admission, priority } = decisions.get(event) ?? {};
    return admission === "queued" && priority !== undefined ? [{ event, priority }] : [];
  });
  const refused = fresh.filter((event) => decisions.get(event)?.admission === "full");
  if (refused.length > 0) await forgetDeliveries(client, refused);
  if (queued.length > 0) await keepRequests(client, boss, queued);
  return events.map((event) => decisions.get(event)?.admission ?? "seen");
}

type Open = { head: string; atMs: number; isRunning: boolean };
type WaitingCount = { all: number; byProject: Map<string, number> };
type Decision = { admission: Admission; priority: number };

/** What becomes of each event, one after the other. */
function decide(
  events: readonly ChangeEvent[],
  open: ReadonlyMap<string, Open>,
  { all, byProject }: WaitingCount,
): Map<ChangeEvent, Decision> {
  const decisions = new Map<ChangeEvent, Decision>();
  let waiting = all;
  const ofProject = new Map(byProject);
  for (const event of events) {
    const replaced = open.get(event.key);
    const inProject = ofProject.get(event.project) ?? 0;
    const admission = admissionOf(event, replaced, waiting);
    // A project with many requests waits behind one with few.
    decisions.set(event, { admission, priority: inProject === 0 ? 0 : -inProject });
    if (admission !== "queued" || replaced !== undefined) continue;
    waiting += 1;
    ofProject.set(event.project, inProject + 1);
  }
  return decisions;
}

function admissionOf(event: ChangeEvent, open: Open | undefined, waiting: number): Admission {
  // A running one has read the change already: an event that came later may say something else of the same head.
  const isRead = open?.isRunning === true && event.atMs > open.atMs;
  if (open?.head === event.head && !isRead) return "known";
  if (open !== undefined && event.atMs < open.atMs) return "older";
  return waiting - (open === undefined ? 0 : 1) >= MOST_WAITING ? "full" : "queued";
}

/** Keeps the deliveries' ids, in an order that no two transactions wait for each other by; tells which are new. */
async function keepDeliveries(
  client: PoolClient,
  events: readonly ChangeEvent[],
): Promise<(event: ChangeEvent) => boolean> {
  const { rows } = await client.query<{ channel: string; id: string }>({
    name: "keep deliveries",
    text: `INSERT INTO tare.deliveries (channel, id)
      SELECT * FROM unnest($1::text[], $2::text[]) AS given (channel, id) ORDER BY 1, 2
      ON CONFLICT DO NOTHING RETURNING channel, id`,
    values: deliveriesOf(events),
  });
  const kept = new Set(rows.map(({ channel, id }) => `${channel} ${id}`));
  return ({ channel, deliveryId }) => kept.has(`${channel} ${deliveryId}`);
}

/** Nothing was done: the same deliveries are welcome later. */
async function forgetDeliveries(client: PoolClient, events: readonly ChangeEvent[]): Promise<void> {
  await client.query(
    `DELETE FROM tare.deliveries WHERE (channel, id) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
    deliveriesOf(events),
  );
}

function deliveriesOf(events: readonly ChangeEvent[]): [string[], string[]] {
  return [events.map(({ channel }) => channel), events.map(({ deliveryId }) => deliveryId)];
}

/** Two events of one change at the same instant are taken in one after the other; locks are taken in one order. */
async function lockChanges(client: PoolClient, events: readonly ChangeEvent[]): Promise<void> {
  await client.query({
    name: "lock changes",
    text: `SELECT pg_advisory_xact_lock(number) FROM (
        SELECT DISTINCT hashtextextended(key, 0) AS number FROM unnest($1::text[]) AS key ORDER BY 1
      ) AS numbers`,
    values: [events.map(({ key }) => key)],
  });
}

async function openRequests(
  client: PoolClient,
  events: readonly ChangeEvent[],
): Promise<ReadonlyMap<string, Open>> {
  const { rows } = await client.query<{ key: string; head: string; at_ms: string; state: string }>({
    name: "open requests",
    text: `SELECT DISTINCT ON (change_key) change_key AS key, head, at_ms, state FROM tare.requests
      WHERE change_key = ANY ($1::text[]) AND state IN ('queued', 'running')
      ORDER BY change_key, created_at DESC`,
    values: [events.map(({ key }) => key)],
  });
  return new Map(
    rows.map(({ key, head, at_ms: atMs, state }) => [
      key,
      { head, atMs: Number(atMs), isRunning: state === "running" },
    ]),
  );
}

async function waitingRequests(client: PoolClient): Promise<WaitingCount> {
  const { rows } = await client.query<{ project: string; count: number }>({
    name: "waiting requests",
    text: `SELECT project, count(*)::int AS count FROM tare.requests
      WHERE state IN ('queued', 'running') GROUP BY project`,
  });
  const byProject = new Map(rows.map(({ project, count }) => [project, count]));
  return { all: rows.reduce((sum, { count }) => sum + count, 0), byProject };
}

/** The requests with their jobs, in the place of those of the same changes. */
async function keepRequests(
  client: PoolClient,
  boss: PgBoss,
  queued: readonly { event: ChangeEvent; priority: number }[],
): Promise<void> {
  const events = queued.map(({ event }) => event);
  await client.query({
    name: "supersede requests",
    text: `UPDATE tare.requests SET state = 'superseded', why = 'a newer head arrived', ended_at = now()
      WHERE change_key = ANY ($1::text[]) AND state IN ('queued', 'running')`,
    values: [events.map(({ key }) => key)],
  });
  const { rows } = await client.query<{ id: string; key: string }>({
    name: "keep requests",
    text: `INSERT INTO tare.requests (channel, delivery, change_key, project, head, at_ms, reference)
      SELECT * FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::jsonb[])
      RETURNING id, change_key AS key`,
    values: [
      ...deliveriesOf(events),
      events.map(({ key }) => key),
      events.map(({ project }) => project),
      events.map(({ head }) => head),
      events.map(({ atMs }) => atMs),
      events.map(({ reference }) => JSON.stringify(reference)),
    ],
  });
  const priorities = new Map(queued.map(({ event, priority }) => [event.key, priority]));
  const jobs = rows.map(({ id, key }) => ({ data: { requestId: id }, priority: priorities.get(key) ?? 0 }));
  await boss.insert(TRIALS, jobs, { db: statementsOn(client) });
}

import type { Pool } from "pg";
import type { PgBoss } from "pg-boss";

/** A request as a list shows it. Times in milliseconds. */
export type ListedRequest = {
  id: string;
  key: string;
  project: string;
  head: string;
  state: string;
  /** 1 for the next one; null where it does not wait. */
  place: number | null;
  /** Until it is answered, by how long the last ones took; null where nothing is known. */
  etaMs: number | null;
  hasReport: boolean;
};

/** A process that works on requests, or takes them in. */
export type ListedWorker = { id: string; state: string; heartbeatAgoMs: number; job: string | null };

const LISTED = 200;
/** Requests that an estimate rests on. */
const RECENT = 20;

/** The newest requests, those that wait in the order in which they will be worked on. */
export async function listRequests(pool: Pool): Promise<ListedRequest[]> {
  const { rows } = await pool.query<ListedRequest & { meanMs: number | null }>(
    `WITH recent AS (
       SELECT extract(epoch FROM ended_at - started_at) * 1000 AS ms FROM tare.requests
       WHERE state = 'answered' AND started_at IS NOT NULL ORDER BY ended_at DESC LIMIT ${RECENT}),
     waiting AS (
       SELECT r.id, row_number() OVER (ORDER BY j.priority DESC, j.created_on, j.id)::int AS place
       FROM tare.requests r JOIN tare_queue.job j ON j.data ->> 'requestId' = r.id::text
       WHERE r.state = 'queued' AND j.name = 'trials' AND j.state < 'active')
     SELECT r.id, change_key AS key, project, head, state, waiting.place,
       (SELECT avg(ms)::float FROM recent) AS "meanMs",
       EXISTS (SELECT FROM tare.reports WHERE request = r.id) AS "hasReport"
     FROM tare.requests r LEFT JOIN waiting ON waiting.id = r.id
     ORDER BY created_at DESC LIMIT ${LISTED}`,
  );
  return rows.map(({ meanMs, ...row }) => ({
    ...row,
    etaMs: meanMs === null || row.place === null ? null : Math.round(meanMs * row.place),
  }));
}

/** Processes whose heartbeat was heard of late, with what they work on. */
export async function listWorkers(boss: PgBoss, nowMs: number): Promise<ListedWorker[]> {
  const instances = await boss.getInstances();
  return instances
    .filter(({ workers }) => (workers ?? []).length > 0)
    .map(({ id, heartbeatOn, workers }) => {
      const active = (workers ?? []).reduce((sum, worker) => sum + worker.active, 0);
      return {
        id,
        state: active > 0 ? "working" : "idle",
        heartbeatAgoMs: Math.max(0, nowMs - new Date(heartbeatOn).getTime()),
        job: null,
      };
    });
}

/** A report as JSON; the text is null where it is longer than anybody may have shown. */
export type ReportText = { bytes: number; text: string | null };

const MOST_BYTES = 50_000_000;

/** The report of a request; null where it has none. */
export async function readReportTextOf(pool: Pool, id: string): Promise<ReportText | null> {
  if (!/^[0-9a-f-]{36}$/u.test(id)) return null;
  const { rows } = await pool.query<ReportText>(
    `SELECT octet_length(report::text) AS bytes,
       CASE WHEN octet_length(report::text) <= $2 THEN report::text END AS text
     FROM tare.reports WHERE request = $1`,
    [id, MOST_BYTES],
  );
  return rows[0] ?? null;
}

/** How many requests are in each state, and replies. */
export async function countStates(
  pool: Pool,
): Promise<{ requests: Record<string, number>; replies: Record<string, number> }> {
  const count = async (table: "requests" | "replies") => {
    const { rows } = await pool.query<{ state: string; count: number }>(
      `SELECT state, count(*)::int AS count FROM tare.${table} GROUP BY state`,
    );
    return Object.fromEntries(rows.map(({ state, count: found }) => [state, found]));
  };
  return { requests: await count("requests"), replies: await count("replies") };
}

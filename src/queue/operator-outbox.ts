import { Pool } from "pg";
import type { ChangeEvent } from "../channels/types.ts";
import type { Report } from "../domain/report.ts";
import { corrections, type CorrectionDrafts, type Corrected } from "./corrections.ts";
import { connectionOptions, transaction, untilAnswering, type DatabaseAddress } from "./database.ts";
import { migrate } from "./migrations.ts";
import { outboxStatus, type OutboxStatus } from "./outbox-status.ts";
import { storable } from "./storable.ts";

/** A reply as the operator's list shows it. `id` is its number. */
export type ListedReply = {
  id: number;
  requestId: string;
  kind: string;
  channel: ChangeEvent["channel"];
  /** The change, or the subject of a mail. */
  where: string;
  state: string;
  why: string;
  /** When it is due; null where it waits for no time. */
  dueAt: Date | null;
  firstLine: string;
};

/** A reply with all that is known of it. */
export type ShownReply = ListedReply & {
  body: string;
  /** The mail's composed form; null for a comment. */
  message: unknown;
  attempts: number;
  log: { at: Date; state: string; why: string }[];
};

/** What the operator does with replies: each method obeyed by every process within seconds. */
export type OperatorOutbox = {
  status(): Promise<OutboxStatus>;
  /** Those that want something: held, waiting, being sent, unknown, and given up of late. */
  list(): Promise<ListedReply[]>;
  show(id: number): Promise<ShownReply | null>;
  /** Lets replies go. Which of them were let go; one of unknown fate only with `again`. */
  release(ids: readonly number[], options: { again: boolean }): Promise<number[]>;
  /** Never sends them. Which of them were discarded. */
  discard(ids: readonly number[]): Promise<number[]>;
  /** Settles replies of unknown fate as arrived. */
  arrived(ids: readonly number[]): Promise<number[]>;
  stop(why: string, at: Date): Promise<void>;
  start(): Promise<void>;
  report(requestId: string): Promise<Report | null>;
  /** Corrects every reply of a request, and of those that share its report. Null where there is no such request. */
  correct(requestId: string, drafts: CorrectionDrafts): Promise<Corrected[] | null>;
  close(): Promise<void>;
};

const PATIENCE_MS = 3_000;

/** Opens the outbox of a database that a service has made, or makes it. Outage where the database does not answer. */
export async function openOperatorOutbox(address: DatabaseAddress): Promise<OperatorOutbox> {
  await untilAnswering(address, PATIENCE_MS);
  const pool = new Pool({ ...connectionOptions(address), max: 2 });
  // What a broken connection was used for tells of it.
  pool.on("error", () => {});
  try {
    await migrate(pool);
  } catch (error) {
    await pool.end();
    throw error;
  }
  const move = async (ids: readonly number[], assignments: string, from: readonly string[]) => {
    const { rows } = await pool.query<{ number: string }>(
      `UPDATE tare.replies SET ${assignments} WHERE number = ANY ($1) AND state = ANY ($2) RETURNING number`,
      [ids, from],
    );
    return rows.map(({ number }) => Number(number));
  };
  return {
    status: async () => outboxStatus(pool),
    list: async () => listReplies(pool),
    show: async (id) => showReply(pool, id),
    release: async (ids, { again }) =>
      move(
        ids,
        "state = 'pending', why = 'released by the operator', due_at = now(), released_at = now(), first_tried_at = NULL",
        ["held", "given up", "discarded", ...(again ? ["unknown"] : [])],
      ),
    discard: async (ids) =>
      move(ids, "state = 'discarded', why = 'discarded by the operator'", ["held", "pending", "unknown"]),
    arrived: async (ids) =>
      move(ids, "state = 'sent', why = 'it did arrive, the operator says'", ["unknown"]),
    async stop(why, at) {
      await pool.query(
        `INSERT INTO tare.settings VALUES ('stopped', $1)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
        [storable({ why, at: at.toISOString() })],
      );
    },
    async start() {
      await pool.query("DELETE FROM tare.settings WHERE name = 'stopped'");
    },
    async report(requestId) {
      const { rows } = await pool.query<{ report: Report }>(
        "SELECT report FROM tare.reports WHERE request::text = $1",
        [requestId],
      );
      return rows[0]?.report ?? null;
    },
    correct: async (requestId, drafts) =>
      transaction(pool, async (client) => corrections(client, requestId, drafts)),
    close: async () => pool.end(),
  };
}

const COLUMNS = `number::int AS id, request AS "requestId", kind, channel, state, why, attempts, message, body,
  coalesce(message ->> 'subject', topic) AS "where",
  CASE WHEN state = 'pending' THEN due_at END AS "dueAt"`;

type Row = Omit<ShownReply, "log" | "firstLine">;

async function listReplies(pool: Pool): Promise<ListedReply[]> {
  const { rows } = await pool.query<Row>(
    `SELECT ${COLUMNS} FROM tare.replies
     WHERE state IN ('held', 'pending', 'sending', 'unknown')
        OR (state = 'given up' AND why NOT LIKE 'nothing:%' AND created_at > now() - interval '7 days')
     ORDER BY number`,
  );
  return rows.map(({ message: _message, body, attempts: _attempts, ...row }) => ({
    ...row,
    firstLine: firstLine(body),
  }));
}

function firstLine(body: string): string {
  return body.split("\n").find((line) => line.trim() !== "") ?? "";
}

async function showReply(pool: Pool, id: number): Promise<ShownReply | null> {
  const { rows } = await pool.query<Row & { uuid: string }>(
    `SELECT ${COLUMNS}, id AS uuid FROM tare.replies WHERE number = $1`,
    [id],
  );
  const [found] = rows;
  if (found === undefined) return null;
  const { uuid, ...row } = found;
  const log = await pool.query<ShownReply["log"][number]>(
    "SELECT at, state, why FROM tare.reply_log WHERE reply = $1 ORDER BY at",
    [uuid],
  );
  return { ...row, firstLine: firstLine(row.body), log: log.rows };
}

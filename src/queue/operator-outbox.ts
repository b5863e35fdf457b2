import { Client, type ClientBase } from "pg";
import type { ChangeEvent } from "../channels/types.ts";
import { connectionOptions, type DatabaseAddress } from "./database.ts";
import { refuseOther } from "./migrations.ts";
import { storable } from "./storable.ts";

/** A reply as the operator's list shows it. */
export type ListedReply = {
  number: number;
  channel: ChangeEvent["channel"];
  /** The change, or the subject of a mail. */
  where: string;
  state: string;
  why: string;
  /** When it is due; null where it waits for no time. */
  dueAt: Date | null;
};

export type ShownReply = ListedReply & { body: string; log: { at: Date; state: string; why: string }[] };

export type OperatorClient = ClientBase;

/** Does something on a database of this version. Problem `database` where it is of another, or none of Tare's. */
export async function operateOn<T>(
  address: DatabaseAddress,
  work: (client: OperatorClient) => Promise<T>,
): Promise<T> {
  const client = new Client(connectionOptions(address));
  await client.connect();
  try {
    await refuseOther(client);
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Stops all replies; senders obey within seconds. */
export async function stopReplies(client: ClientBase, why: string, at: Date): Promise<void> {
  await client.query(
    `INSERT INTO tare.settings VALUES ('stopped', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    [storable({ why, at: at.toISOString() })],
  );
}

/** Lets replies go again. False where they were not stopped. */
export async function startReplies(client: ClientBase): Promise<boolean> {
  const { rowCount } = await client.query("DELETE FROM tare.settings WHERE name = 'stopped'");
  return rowCount !== 0;
}

/**
 * Lets one reply go that was held, given up or discarded, and with `again` one that may have arrived. False where it is none
 * of those.
 */
export async function releaseReply(
  client: ClientBase,
  number: number,
  { again }: { again: boolean },
): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE tare.replies SET state = 'pending', why = 'released by the operator', due_at = now(), released_at = now(),
       first_tried_at = NULL
     WHERE number = $1 AND state = ANY ($2)`,
    [number, ["held", "given up", "discarded", ...(again ? ["unknown"] : [])]],
  );
  return rowCount !== 0;
}

/** Never sends one reply that was not sent yet, or that may have arrived. False where it is none of those. */
export async function discardReply(client: ClientBase, number: number): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE tare.replies SET state = 'discarded', why = 'discarded by the operator'
     WHERE number = $1 AND state IN ('held', 'pending', 'unknown')`,
    [number],
  );
  return rowCount !== 0;
}

const COLUMNS = `number::int, channel, coalesce(message ->> 'subject', topic) AS "where", state, why,
  CASE WHEN state = 'pending' THEN due_at END AS "dueAt"`;

/** Replies that want something: held, waiting, being sent, unknown, and those of a week that the other side refused. */
export async function listReplies(client: ClientBase): Promise<ListedReply[]> {
  const { rows } = await client.query<ListedReply>(
    `SELECT ${COLUMNS} FROM tare.replies
     WHERE state IN ('held', 'pending', 'sending', 'unknown')
        OR (state = 'given up' AND why NOT LIKE 'nothing:%' AND created_at > now() - interval '7 days')
     ORDER BY number LIMIT 1000`,
  );
  return rows;
}

/** One reply with its text and every state that it went through; null where there is none. */
export async function showReply(client: ClientBase, number: number): Promise<ShownReply | null> {
  const { rows } = await client.query<Omit<ShownReply, "log">>(
    `SELECT ${COLUMNS}, body FROM tare.replies WHERE number = $1`,
    [number],
  );
  const [found] = rows;
  if (found === undefined) return null;
  const log = await client.query<ShownReply["log"][number]>(
    `SELECT l.at, l.state, l.why FROM tare.reply_log l JOIN tare.replies r ON r.id = l.reply
     WHERE r.number = $1 ORDER BY l.at`,
    [number],
  );
  return { ...found, log: log.rows };
}

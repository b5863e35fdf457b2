import { createHash } from "node:crypto";
import type { PoolClient } from "pg";
import { storable, type Shown } from "./storable.ts";
import { isOnce, type ClaimedRequest, type ReplyDraft, type ReplyKind } from "./types.ts";

/** `unchanged`: the same was said on this topic already, and nothing is to be done. */
export type Kept = "kept" | "unchanged";

/** Whose reply it is. */
export type ReplyOwner = Pick<ClaimedRequest, "id" | "key" | "channel" | "project">;

/**
 * Keeps a reply in the transaction of what it says. Its topic is the change. It takes the place of what waits on the same
 * topic, so that only the newest is sent. `released`: the operator has seen it; `shown` takes out what no row may hold.
 */
export async function keepReply(
  client: PoolClient,
  owner: ReplyOwner,
  draft: ReplyDraft,
  options: { kind?: ReplyKind; released?: boolean; shown: Shown },
): Promise<Kept> {
  const row = rowOf(owner, draft, options.shown);
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended('reply ' || $1, 0))", [owner.key]);
  if (await wasSaid(client, owner, row.hash)) return "unchanged";
  await client.query(
    `UPDATE tare.replies SET state = 'replaced', why = 'a newer reply took its place'
     WHERE topic = $1 AND state IN ('held', 'pending')`,
    [owner.key],
  );
  const { rowCount } = await client.query(
    `INSERT INTO tare.replies
       (request, kind, channel, topic, scope, hash, buckets, stamp, body, message, message_id, released_at, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, CASE WHEN $12 THEN now() END, clock_timestamp())
     ON CONFLICT (message_id) DO NOTHING`,
    [
      owner.id,
      options.kind ?? "reply",
      owner.channel,
      owner.key,
      row.scope,
      row.hash,
      row.buckets,
      row.stamp,
      row.body,
      row.message,
      row.messageId,
      options.released === true,
    ],
  );
  return rowCount === 0 ? "unchanged" : "kept";
}

/** Whether the newest of a topic says the same, and was sent, may have been sent, or was discarded. */
async function wasSaid(client: PoolClient, { key, channel }: ReplyOwner, hash: string): Promise<boolean> {
  const { rows } = await client.query<{ hash: string; state: string }>(
    `SELECT hash, state FROM tare.replies WHERE topic = $1 AND state NOT IN ('replaced', 'given up')
     ORDER BY number DESC LIMIT 1`,
    [key],
  );
  const [last] = rows;
  if (last?.hash !== hash) return false;
  if (["sent", "unknown", "discarded"].includes(last.state)) return true;
  // What waits is taken over by what was read later. A comment that is being sent may meet a head that moved: it is said again.
  return last.state === "sending" && isOnce(channel);
}

function rowOf(owner: ReplyOwner, draft: ReplyDraft, shown: Shown) {
  if (!("mail" in draft)) {
    const body = shown(draft.body);
    return {
      scope: `${owner.channel}:${owner.project}`,
      hash: sha256(body),
      buckets: [owner.channel, `comment:${owner.key}`],
      stamp: storable(draft.stamp, shown),
      body,
      message: null,
      messageId: null,
    };
  }
  const { mail, list, thread, author } = draft;
  const listed = list === null ? [] : [`list:${list.toLowerCase()}`];
  const { to, cc, subject, inReplyTo, text } = mail;
  return {
    scope: shown(`mail:${list?.toLowerCase() ?? owner.project}`),
    // Its Message-ID names the run: another run that says the same to the same people has nothing to add.
    hash: sha256(storable({ to, cc, subject, inReplyTo, text }, shown)),
    buckets: [...listed, `thread:${thread}`, `author:${author.toLowerCase()}`].map(shown),
    stamp: "{}",
    body: shown(text),
    message: storable(mail, shown),
    messageId: shown(mail.messageId),
  };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

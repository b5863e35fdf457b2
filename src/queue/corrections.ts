import type { PoolClient } from "pg";
import type { ChangeEvent } from "../channels/types.ts";
import type { Report } from "../domain/report.ts";
import { keepReply, type ReplyOwner } from "./keep-reply.ts";
import { storable } from "./storable.ts";
import type { ReplyDraft } from "./types.ts";

/** A reply whose figure was found wrong, and whether it was sent. */
export type WrongReply = {
  channel: ChangeEvent["channel"];
  wasSent: boolean;
  body: string;
  stamp: unknown;
  /** The mail as it was kept; null for a comment. */
  message: unknown;
  buckets: string[];
};

export type CorrectionDrafts = {
  /** What is said instead; null where a reply that was not sent is just not sent. */
  draft: (wrong: WrongReply) => ReplyDraft | null;
  /** What the report of the request says from now on. */
  report: (wrong: Report) => Report;
};

/** What became of the correction of one reply; `where` is its change. */
export type Corrected = { requestId: string; where: string; done: string };

type Standing = WrongReply & { id: string; requestId: string; key: string; project: string; state: string };

/**
 * Corrects what stands on every topic that a request, or one that shares its report, has the newest reply of. A reply that was
 * not sent yet is replaced. Null where there is no such request.
 */
export async function corrections(
  client: PoolClient,
  requestId: string,
  drafts: CorrectionDrafts,
): Promise<Corrected[] | null> {
  const requests = await sharingRequests(client, requestId);
  if (requests.length === 0) return null;
  const done: Corrected[] = [];
  for (const wrong of await newestReplies(client, requests))
    done.push({ requestId: wrong.requestId, where: wrong.key, done: await correct(client, wrong, drafts) });
  await correctReports(client, requests, drafts);
  return done;
}

/** The request and those whose report is of the same trial: it began at the same instant and measured the same. */
async function sharingRequests(client: PoolClient, requestId: string): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT id FROM tare.requests WHERE id::text = $1
     UNION
     SELECT other.request FROM tare.reports own JOIN tare.reports other
       ON other.report -> 'startedAt' = own.report -> 'startedAt' AND other.report -> 'images' = own.report -> 'images'
     WHERE own.request::text = $1`,
    [requestId],
  );
  return rows.map(({ id }) => id);
}

async function newestReplies(client: PoolClient, requests: readonly string[]): Promise<Standing[]> {
  const { rows } = await client.query<Standing>(
    `SELECT r.id, r.request AS "requestId", r.channel, r.topic AS key, q.project, r.state, r.body, r.stamp, r.message,
       r.buckets, r.state = 'sent' AS "wasSent"
     FROM tare.replies r JOIN tare.requests q ON q.id = r.request
     WHERE r.request = ANY ($1) AND r.state IN ('held', 'pending', 'sending', 'sent', 'unknown')
       AND NOT EXISTS (SELECT FROM tare.replies n WHERE n.topic = r.topic AND n.number > r.number
         AND n.state IN ('held', 'pending', 'sending', 'sent', 'unknown'))
     ORDER BY r.number FOR UPDATE OF r`,
    [requests],
  );
  return rows;
}

async function correct(client: PoolClient, wrong: Standing, { draft }: CorrectionDrafts): Promise<string> {
  if (wrong.state === "sending") return "is being sent: correct it again in a minute";
  if (wrong.state === "unknown")
    return "may not have arrived: settle it with `tare outbox arrived`, then again";
  const owner: ReplyOwner = {
    id: wrong.requestId,
    key: wrong.key,
    channel: wrong.channel,
    project: wrong.project,
  };
  const said = draft(wrong);
  if (!wrong.wasSent)
    await client.query(
      "UPDATE tare.replies SET state = 'discarded', why = 'a figure of it was found wrong' WHERE id = $1",
      [wrong.id],
    );
  if (said === null) return "was not sent, and is not";
  const kept = await keepReply(client, owner, said, {
    kind: wrong.wasSent ? "correction" : "reply",
    released: wrong.wasSent,
  });
  if (kept === "unchanged") return "says so already";
  return wrong.wasSent ? "will be corrected" : "was not sent: the right figures take its place";
}

async function correctReports(
  client: PoolClient,
  requests: readonly string[],
  { report }: CorrectionDrafts,
): Promise<void> {
  const { rows } = await client.query<{ request: string; report: Report }>(
    "SELECT request, report FROM tare.reports WHERE request = ANY ($1) FOR UPDATE",
    [requests],
  );
  for (const row of rows)
    await client.query("UPDATE tare.reports SET report = $2 WHERE request = $1", [
      row.request,
      storable(report(row.report)),
    ]);
}

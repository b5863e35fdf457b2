import type { Report } from "../domain/report.ts";

/** One event about a change, as a door takes it in: a hint that the worker checks by API. Plain data. */
export type ChangeEvent = {
  channel: "github" | "gitlab";
  /** The forge's id of the delivery, the same when it is sent again. */
  deliveryId: string;
  /** The change, for example `github:owner/repo#7`. */
  key: string;
  project: string;
  head: string;
  /** When the forge says the change was updated, ms since 1970. */
  atMs: number;
  /** What leads the channel to the change. */
  reference: unknown;
};

/** `seen`: the delivery was taken in before; `known`: this head waits or runs; `older`: a newer one does; `full`: later. */
export type Admission = "queued" | "seen" | "known" | "older" | "full";

/** Takes events in: when the promise is kept, the event is on disk. Rejects where the database does not answer. */
export type Intake = { admit(event: ChangeEvent): Promise<Admission> };

/** What a worker is to answer. `attempt` counts from 0. */
export type ClaimedRequest = Omit<ChangeEvent, "deliveryId"> & { id: string; attempt: number };

/** What came of a request; without a reply nothing is said. */
export type WorkResult = { reply: ReplyDraft | null; report: Report | null; why: string };

/** A reply that is to be sent: `stamp` says of what it speaks, and the channel reads it. */
export type ReplyDraft = { stamp: unknown; body: string };

/** `attempt` counts from 1. */
export type ClaimedReply = ReplyDraft & {
  id: string;
  requestId: string;
  channel: ChangeEvent["channel"];
  key: string;
  reference: unknown;
  attempt: number;
};

/** How sending ended; `later` is tried again, `never` is not. */
export type Sent = { kind: "sent" | "later" | "never"; why: string };

/** The few methods of a pino logger that the queue uses. */
export type QueueLog = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

/** Requests that wait and run, replies that are still to be sent. */
export type QueueSize = { waiting: number; running: number; replies: number };

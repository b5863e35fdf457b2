import type { Admit, ChangeEvent } from "../channels/types.ts";
import type { Report } from "../domain/report.ts";

/** Takes events in. */
export type Intake = { admit: Admit };

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
  /** Since it was to be sent first, in seconds. */
  ageS: number;
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

import type { Admit, ChangeEvent } from "../channels/types.ts";
import type { MailMessage } from "../channels/mail/reply.ts";
import type { Report } from "../domain/report.ts";

/** Takes events in. */
export type Intake = { admit: Admit };

/** What a worker is to answer. `attempt` counts from 0. */
export type ClaimedRequest = Omit<ChangeEvent, "deliveryId"> & { id: string; attempt: number };

/** What came of a request; without a reply nothing is said. */
export type WorkResult = { reply: ReplyDraft | null; report: Report | null; why: string };

/**
 * A reply that is to be sent: a comment, whose `stamp` says of what it speaks and is read by its channel, or a mail.
 */
export type ReplyDraft = CommentDraft | MailDraft;

export type CommentDraft = { stamp: unknown; body: string };

/** `list`, `thread` and `author` are what mails are counted by; `list` is null where none gets it. */
export type MailDraft = { mail: MailMessage; list: string | null; thread: string; author: string };

/** A `correction` says of an earlier reply that a figure of it was wrong. */
export type ReplyKind = "reply" | "correction";

/** `attempt` counts from 1. */
export type ClaimedReply = CommentDraft & {
  id: string;
  requestId: string;
  kind: ReplyKind;
  channel: ChangeEvent["channel"];
  key: string;
  reference: unknown;
  /** The composed mail as it was kept; null for a comment. */
  message: unknown;
  attempt: number;
  /** Since it was tried first, in seconds. */
  ageS: number;
};

/**
 * How sending ended: `later` is tried again, `never` is not; `unknown` may have arrived or not, and is for the operator.
 * `retryAfterMs` is what the other side asked for: it is no failure of its own.
 */
export type Sent = { kind: "sent" | "later" | "never" | "unknown"; why: string; retryAfterMs?: number };

/** A channel that a message can be sent to once alone: it cannot be edited, and no repeat is found out. */
export const isOnce = (channel: ChangeEvent["channel"]): boolean => channel === "mail";

/** A reply came to another state. */
export type Transition = { id: string; requestId: string; state: string; why: string };

/** The few methods of a pino logger that the queue uses. */
export type QueueLog = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

/** Requests that wait and run, replies that are still to be sent; those that are held for the operator are not counted. */
export type QueueSize = { waiting: number; running: number; replies: number };

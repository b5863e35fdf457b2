import { MAX_MAIL_BYTES } from "../domain/mail.ts";
import type { Position, SourceMessage } from "./types.ts";

/** A batch is one transaction of the store: as large as pays, as small as can be done again. */
export const BATCH_MESSAGES = 256;
export const BATCH_BYTES = 8 * 1024 * 1024;

/** The message, or a mark with its size where it is above the cap. */
export function messageOf(raw: Buffer, at: Position): SourceMessage {
  return raw.length > MAX_MAIL_BYTES
    ? { at, raw: null, tooLargeBytes: raw.length }
    : { at, raw, tooLargeBytes: null };
}

export function tooLarge(bytes: number, at: Position): SourceMessage {
  return { at, raw: null, tooLargeBytes: bytes };
}

/** True where no further message should join these. */
export function isFull(messages: readonly SourceMessage[]): boolean {
  if (messages.length >= BATCH_MESSAGES) return true;
  let bytes = 0;
  for (const { raw } of messages) bytes += raw?.length ?? 0;
  return bytes >= BATCH_BYTES;
}

import { Buffer } from "node:buffer";
import { messageOf, isFull, tooLarge } from "./batcher.ts";
import { MAX_MAIL_BYTES } from "../domain/mail.ts";
import { createMboxSplitter } from "./split-mbox.ts";
import type { MailBatch, MailSource, SourceMessage } from "./types.ts";

/**
 * Reads a stream once: an mbox where it starts with a `From ` line, else one message. It has no position: what was not stored
 * must be given again.
 */
export function createStreamSource(id: string, input: AsyncIterable<Buffer>): MailSource {
  return { id, read: (_, signal) => readStream(input, signal) };
}

async function* readStream(input: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<MailBatch> {
  const splitter = createMboxSplitter();
  let head = Buffer.alloc(0);
  let isMbox: boolean | null = null;
  const rest: Buffer[] = [];
  let bytes = 0;
  let messages: SourceMessage[] = [];
  for await (const chunk of input) {
    if (signal.aborted) return;
    bytes += chunk.length;
    if (isMbox === null) {
      head = Buffer.concat([head, chunk]);
      if (head.length < 5) continue;
      isMbox = head.toString("latin1", 0, 5) === "From ";
    }
    const piece = head.length > 0 ? head : chunk;
    head = Buffer.alloc(0);
    if (!isMbox) {
      // Above the cap it is only counted.
      if (bytes <= MAX_MAIL_BYTES) rest.push(piece);
      continue;
    }
    for (const { start, raw, bytes: size } of splitter.push(piece)) {
      messages.push(raw ? messageOf(raw, start) : tooLarge(size, start));
      if (isFull(messages)) {
        yield { messages, position: null };
        messages = [];
      }
    }
  }
  for (const { start, raw, bytes: size } of splitter.end())
    messages.push(raw ? messageOf(raw, start) : tooLarge(size, start));
  if (!isMbox && bytes > 0)
    messages.push(bytes > MAX_MAIL_BYTES ? tooLarge(bytes, 0) : messageOf(Buffer.concat([...rest, head]), 0));
  if (messages.length > 0) yield { messages, position: null };
}

import { z } from "zod";
import type { MailMessage } from "./reply.ts";

const person = z.strictObject({ name: z.string(), address: z.string() });

const message = z.strictObject({
  from: person,
  replyTo: person.nullable(),
  to: z.array(person),
  cc: z.array(person),
  subject: z.string(),
  messageId: z.string(),
  inReplyTo: z.string().nullable(),
  references: z.array(z.string()),
  headers: z.record(z.string(), z.string()),
  text: z.string(),
});

/** A composed mail as it was kept. */
export function parseKeptMessage(value: unknown): MailMessage {
  return message.parse(value);
}

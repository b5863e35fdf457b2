import { z } from "zod";

const person = z.strictObject({ name: z.string(), address: z.string() });
const flaw = z.strictObject({ code: z.string(), message: z.string() });
const trailer = z.strictObject({ name: z.string(), value: z.string() });

const command = z.strictObject({
  text: z.string(),
  name: z.enum(["run", "rerun", "cancel", "status", "mute", "stop", "help", "no"]).nullable(),
  strategies: z.array(z.string()),
  images: z.array(z.string()),
  edits: z.int().nullable(),
  repeat: z.int().nullable(),
  error: z.string().nullable(),
});

const message = z.strictObject({
  id: z.string().describe("Message-ID with angle brackets; made from the content where the mail has none"),
  derivedId: z.boolean(),
  source: z.string().describe("file that it was read from"),
  number: z.int().describe("its place in that file, from 1"),
  type: z.enum(["patch", "cover", "reply", "other"]),
  subject: z.string(),
  title: z.string().describe("subject without Re: and the brackets that tell of a patch"),
  date: z.string().nullable().describe("RFC 3339, UTC; null where none is believable"),
  author: person.describe("who wrote the patch"),
  sender: person.describe("who sent the mail, mangled senders put right"),
  inReplyTo: z.string().nullable(),
  series: z.string().nullable().describe("id of the series that it is of, or answers"),
  part: z.number().nullable().describe("the part that it is or answers; 0 for the cover"),
  tags: z.array(trailer),
  commands: z.array(command),
  robot: z.string().nullable().describe("why it is taken for a program's mail"),
  optOut: z.string().nullable().describe("why nobody wants an answer to it"),
  flaws: z.array(flaw),
});

const part = z.strictObject({
  index: z.number(),
  id: z.string(),
  subject: z.string(),
  title: z.string(),
  author: person,
  date: z.string().nullable(),
  patchId: z.string().nullable().describe("as git patch-id --stable gives it; null where git gives none"),
  files: z.array(z.string()),
  trailers: z.array(trailer),
  again: z.array(z.string()).describe("ids of mails with the same patch"),
  others: z.array(z.string()).describe("ids of mails with another patch for this part"),
});

const base = z.strictObject({
  baseCommit: z.string().nullable(),
  basedOn: z.array(z.string()),
  dependsOn: z.array(z.string()),
  prerequisites: z.array(z.string()),
  prerequisiteMessageIds: z.array(z.string()),
  prerequisiteChangeIds: z.array(z.string()),
  changeId: z.string().nullable(),
  subjectTags: z.array(z.string()),
});

const series = z.strictObject({
  id: z.string().describe("id of the cover, else of the first part"),
  title: z.string(),
  version: z.number(),
  total: z.int(),
  state: z.enum(["ready", "waiting", "superseded", "empty"]),
  complete: z.boolean(),
  author: person,
  date: z.string().nullable(),
  cover: z.string().nullable(),
  parts: z.array(part),
  missing: z.array(z.int()),
  inherited: z.strictObject({ from: z.string(), parts: z.array(z.int()) }).nullable(),
  tags: z.array(trailer.extend({ messageId: z.string(), toCover: z.boolean(), parts: z.array(z.number()) })),
  files: z.array(z.string()),
  base,
  subjectTags: z.array(z.string()),
  rfc: z.boolean(),
  resend: z.boolean(),
  pullRequest: z.boolean(),
  supersededBy: z.string().nullable(),
  optOut: z.string().nullable(),
  replies: z.array(z.string()),
  flaws: z.array(flaw),
});

export const seriesSchema = z.strictObject({ messages: z.array(message), series: z.array(series) });

/** What `tare series` prints. */
export type SeriesJson = z.output<typeof seriesSchema>;

export function seriesJsonSchema(): unknown {
  return z.toJSONSchema(seriesSchema, { target: "draft-2020-12" });
}

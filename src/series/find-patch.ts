import type { Person } from "../domain/change.ts";
import { readPatchBody, type PatchBody } from "./patch-body.ts";
import { patchIdOf } from "./patch-id.ts";
import { readPatchSubject } from "./patch-subject.ts";
import { readMail, type Mail, type MailPart } from "./read-mail.ts";
import { senderOf } from "./people.ts";
import type { Flaw } from "./types.ts";

/** The patch of a mail, put together from its parts. */
export type FoundPatch = Omit<PatchBody, "patches"> & { flaws: Flaw[] };

const FORMAT_PATCH = /^From [0-9a-f]{40,64} Mon Sep 17 00:00:00 2001\r?\n/;

/** True where a part may hold a patch: text, or anything that its name or type calls one. */
export function mayHoldPatch(part: MailPart): boolean {
  if (
    /^(?:text\/html|text\/calendar|image\/|audio\/|video\/|application\/(?:pgp|pkcs|pdf))/i.test(
      part.contentType,
    )
  )
    return false;
  if (isPacked(part) !== null) return false;
  return /^text\//i.test(part.contentType) || !part.content.subarray(0, 2000).includes(0);
}

/** The name of the program that packed a part; null where it is as it was. */
export function isPacked({ content }: Pick<MailPart, "content">): string | null {
  const start = content.toString("latin1", 0, 6);
  if (start.startsWith("\x1f\x8b")) return "gzip";
  if (start.startsWith("PK\x03\x04")) return "zip";
  if (start.startsWith("BZh")) return "bzip2";
  if (start === "\xfd7zXZ\0") return "xz";
  return start.startsWith("\x28\xb5\x2f\xfd") ? "zstd" : null;
}

/** All diffs of a mail as one; the first part that says who wrote it and why is heard. Null where it holds none. */
export async function findPatch(mail: Mail): Promise<FoundPatch | null> {
  const found: PatchBody[] = [];
  const ids = new Set<string>();
  for (const part of mail.parts.filter(mayHoldPatch)) {
    const body = await bodyOf(part);
    if (body === null) continue;
    // Some attach what they also wrote inline.
    const id = patchIdOf(body.patch);
    if (id !== null && ids.has(id)) continue;
    if (id !== null) ids.add(id);
    found.push(body);
  }
  const [first] = found;
  if (first === undefined) return null;
  const said = found.find(({ message }) => message !== "") ?? first;
  const count = found.reduce((sum, { patches }) => sum + patches, 0);
  const damage = found.flatMap((body) => body.damage);
  return {
    from: said.from,
    subject: said.subject,
    message: said.message,
    notes: found.map(({ notes }) => notes).join("\n"),
    patch: Buffer.concat(found.map(({ patch }) => withLineEnd(patch))),
    files: found.flatMap(({ files }) => files),
    damage,
    flaws: [
      ...(count > 1 ? [{ code: "several-patches" as const, message: `it holds ${count} patches` }] : []),
      ...damage.slice(0, 5).map((message) => ({ code: "hunk-damaged" as const, message })),
    ],
  };
}

function withLineEnd(patch: Buffer): Buffer {
  return patch.at(-1) === 10 ? patch : Buffer.concat([patch, Buffer.from("\n")]);
}

/** An attached `git format-patch` file is a mail within the mail. */
async function bodyOf(part: MailPart): Promise<PatchBody | null> {
  const body = readPatchBody(part);
  if (body === null || body.patches > 1 || !FORMAT_PATCH.test(part.content.toString("latin1", 0, 200)))
    return body;
  const text = part.content.toString("latin1").replaceAll("\r\n", "\n");
  const inner = await readMail(Buffer.from(text.replace(FORMAT_PATCH, ""), "latin1"));
  const [within] = inner.parts;
  const read = within ? readPatchBody(within) : null;
  if (read === null) return body;
  const from: Person | null = read.from ?? (inner.from === null ? null : senderOf(inner));
  return { ...read, from, subject: read.subject ?? readPatchSubject(inner.subject).title };
}

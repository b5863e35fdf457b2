import type { Person } from "../../domain/change.ts";
import { Problem } from "../../domain/problem.ts";
import { holdsPatch, quotesPatch, readPatchBody } from "./patch-body.ts";
import type { PatchBody } from "./patch-body.ts";
import { readPatchSubject } from "./patch-subject.ts";
import { checkSize, readMail } from "./read-mail.ts";
import type { Mail, MailPart } from "./read-mail.ts";

/** A mail with one patch in it, or a file that holds as much. */
export type PatchMail = Omit<Mail, "parts"> & {
  /** `patch file`: written by `git format-patch`; `diff`: nothing but a diff, so most fields are empty. */
  kind: "mail" | "patch file" | "diff";
  /** Subject without `Re:` and `[PATCH …]`. */
  title: string;
  version: number;
  part: number | null;
  total: number | null;
  /** Who wrote the patch: an in-body `From:` wins over the header. */
  author: Person;
  /** Commit message with its trailers, without the notes below `---`. */
  message: string;
  /** The diff in the bytes that the sender's files have. */
  patch: Buffer;
};

const FORMAT_PATCH = /^From [0-9a-f]{40,64} Mon Sep 17 00:00:00 2001\r?\n/;

/**
 * Reads a patch mail, a `git format-patch` file or a bare diff. Problems: `change-empty` where there is no patch
 * to try, `mail-unreadable` where it cannot be had from what was sent.
 */
export async function parsePatchMail(raw: Buffer): Promise<PatchMail> {
  checkSize(raw);
  const text = raw.toString("latin1");
  const start = text.slice(0, 4096).replace(/^(?:\xef\xbb\xbf)?\s*/, "");
  if (start === "") throw empty("The input is empty.", "Give a mail with a patch, or a patch file.");
  if (/^(?:diff --git |--- |Index: \S+\r?\n=)/.test(start)) return bareDiff(raw);
  if (!/^(?:From |[!-9;-~]+:)/.test(start)) {
    if (holdsPatch(raw)) return bareDiff(raw);
    throw unreadable(
      "The input is neither a mail nor a patch.",
      "Give the raw message (headers included), a `git format-patch` file or a diff.",
    );
  }
  const isFile = FORMAT_PATCH.test(start);
  const several = text.match(/^From [0-9a-f]{40,64} Mon Sep 17 00:00:00 2001\r?$/gm) ?? [];
  if (several.length > 1) throw tooMany(several.length);
  const mail = await readMail(withoutEnvelope(text));
  return patchOf(mail, isFile ? "patch file" : "mail");
}

/** Without an mbox line, and with the line ends of a file: a transport's CR LF is not part of what was sent. */
function withoutEnvelope(text: string): Buffer {
  const body = text.replace(/^(?:\xef\xbb\xbf)?\s*(?:From [^\n]*\n)?/, "");
  const isTransport = /^[^\n]*\r\n/.test(body);
  return Buffer.from(isTransport ? body.replaceAll("\r\n", "\n") : body, "latin1");
}

async function patchOf(mail: Mail, kind: "mail" | "patch file"): Promise<PatchMail> {
  const subject = readPatchSubject(mail.subject);
  const found = mail.parts.filter((part) => isTextual(part) && holdsPatch(part.content));
  const [part] = found;
  if (!part) throw whyNone(mail);
  if (found.length > 1) throw tooMany(found.length);
  if (subject.isReply) {
    throw empty(
      `The mail is a reply (${JSON.stringify(mail.subject)}): a diff in a reply is a comment, not a patch.`,
      "Send the patch as a new version with `git send-email`.",
    );
  }
  const { parts: _, ...fields } = mail;
  if (FORMAT_PATCH.test(part.content.toString("latin1", 0, 200))) {
    const inner = await parsePatchMail(part.content);
    const { title, version, author, message, patch } = inner;
    return { ...fields, kind, title, version, part: inner.part, total: inner.total, author, message, patch };
  }
  const body = readPatchBody(part.content, part.charset, part.flowed);
  if (!body) throw whyNone(mail);
  const { title, version } = subject;
  const said = { title: body.subject ?? title, version, part: subject.part, total: subject.total };
  return { ...fields, kind, ...said, author: authorOf(mail, body), message: body.message, patch: body.patch };
}

/** Lists that rewrite From write `Name via List <list@host>`; the person is then in the body or in Reply-To. */
function authorOf(mail: Mail, body: PatchBody): Person {
  if (body.from) return body.from;
  const from = mail.from ?? { name: "", address: "" };
  const via = /^(.*\S)\s+via\s+\S.*$/i.exec(from.name);
  const isList = from.address !== "" && from.address.toLowerCase() === mail.listPost?.toLowerCase();
  if (!via && !isList) return from;
  const name = (via?.[1] ?? from.name).replaceAll(/^["']|["']$/g, "");
  return { name, address: mail.replyTo?.address ?? from.address };
}

function isTextual(part: MailPart): boolean {
  if (/^text\/(?:plain|x-patch|x-diff|x-diff-?src)$/i.test(part.contentType)) return true;
  return /\.(?:patch|diff|txt)$/i.test(part.filename ?? "");
}

function whyNone(mail: Mail): Problem {
  const subject = readPatchSubject(mail.subject);
  const named = JSON.stringify(mail.subject);
  const remedy = "Give the mail that carries the patch itself, as `git send-email` sends it.";
  if (subject.isPullRequest)
    return empty(`The mail ${named} is a pull request: it names a branch and holds no patch.`, remedy);
  if (mail.parts.some((part) => quotesPatch(part.content))) {
    return empty(
      `The mail ${named} quotes a diff (lines that start with "> ") but holds no patch itself.`,
      remedy,
    );
  }
  const [first] = mail.parts;
  if (first && mail.parts.every((part) => part.contentType === "text/html")) {
    return unreadable(
      `The mail ${named} is HTML only.`,
      "Send the patch as plain text, as `git send-email` does.",
    );
  }
  if (subject.part === 0)
    return empty(`The mail ${named} is the cover letter of a series and holds no patch.`, remedy);
  const kinds = mail.parts.map((part) => part.contentType).join(", ");
  return empty(`The mail ${named} holds no patch.`, remedy, [`Parts found: ${kinds || "none"}.`]);
}

/** A diff of which nobody says who wrote it or why. Text above it (of `git show`, for instance) is the message. */
function bareDiff(raw: Buffer): PatchMail {
  const body = readPatchBody(raw, null, false);
  if (!body)
    throw unreadable("The input starts like a diff but holds none.", "Give the whole output of `git diff`.");
  const fields = {
    messageId: null,
    inReplyTo: null,
    references: [],
    subject: "",
    from: null,
    to: [],
    cc: [],
  };
  const lists = {
    replyTo: null,
    date: null,
    listId: null,
    listPost: null,
    autoSubmitted: null,
    precedence: null,
  };
  const rest = {
    returnPath: null,
    patchworkHint: null,
    tareHint: null,
    contentType: "text/x-patch",
    text: "",
  };
  const said = { title: "", version: 1, part: null, total: null, author: { name: "", address: "" } };
  return { ...fields, ...lists, ...rest, ...said, kind: "diff", message: body.message, patch: body.patch };
}

function tooMany(count: number): Problem {
  return unreadable(
    `The input holds ${count} patches.`,
    "Give one patch at a time, or name a revision that holds all of them.",
  );
}

function empty(message: string, remedy: string, details: string[] = []): Problem {
  return new Problem("change-empty", message, remedy, details);
}

function unreadable(message: string, remedy: string): Problem {
  return new Problem("mail-unreadable", message, remedy);
}

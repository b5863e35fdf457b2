import type { Person } from "../domain/change.ts";
import { Problem } from "../domain/problem.ts";
import { findPatch } from "./find-patch.ts";
import { quotesPatch } from "./patch-body.ts";
import { readPatchSubject } from "./patch-subject.ts";
import { checkSize, readMail } from "./read-mail.ts";
import type { Mail } from "./read-mail.ts";
import { senderOf } from "./people.ts";
import { readBareDiff, withUnixHead } from "./unix-head.ts";

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

const PATCH_FILE = /^From [0-9a-f]{40,64} Mon Sep 17 00:00:00 2001\r?\n/;

/**
 * Reads a patch mail, a `git format-patch` file or a bare diff. Problems: `change-empty` where there is no patch
 * to try, `mail-unreadable` where it cannot be had from what was sent.
 */
export async function parsePatchMail(raw: Buffer): Promise<PatchMail> {
  checkSize(raw);
  const text = raw.toString("latin1");
  const start = text.slice(0, 4096).replace(/^(?:\xef\xbb\xbf)?\s*/, "");
  if (start === "") throw empty("The input is empty.", "Give a mail with a patch, or a patch file.");
  const bare = readBareDiff(raw);
  if (bare) return patchOf(bare, "diff");
  if (/^(?:diff --git |--- |Index: \S+\r?\n=)/.test(start))
    throw unreadable("The input starts like a diff but holds none.", "Give the whole output of `git diff`.");
  if (!/^(?:From |[!-9;-~]+:)/.test(start)) {
    throw unreadable(
      "The input is neither a mail nor a patch.",
      "Give the raw message (headers included), a `git format-patch` file or a diff.",
    );
  }
  const several = text.match(/^From [0-9a-f]{40,64} Mon Sep 17 00:00:00 2001\r?$/gm) ?? [];
  if (several.length > 1) throw tooMany(several.length);
  return patchOf(await readMail(withUnixHead(raw)), PATCH_FILE.test(start) ? "patch file" : "mail");
}

async function patchOf(mail: Mail, kind: PatchMail["kind"]): Promise<PatchMail> {
  const subject = readPatchSubject(mail.subject);
  const found = await findPatch(mail);
  if (found === null) throw whyNone(mail);
  const several = found.flaws.find(({ code }) => code === "several-patches");
  if (several) throw tooMany(Number(/\d+/.exec(several.message)?.[0] ?? 2));
  if (subject.isReply) {
    throw empty(
      `The mail is a reply (${JSON.stringify(mail.subject)}): a diff in a reply is a comment, not a patch.`,
      "Send the patch as a new version with `git send-email`.",
    );
  }
  const { parts: _, ...fields } = mail;
  const { version, part, total } = subject;
  const title = found.subject === null ? subject.title : readPatchSubject(found.subject).title;
  const author = found.from ?? senderOf(mail);
  return { ...fields, kind, title, version, part, total, author, message: found.message, patch: found.patch };
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

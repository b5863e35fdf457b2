import { bodyText } from "./body-text.ts";
import { diffStart } from "./read-diff.ts";
import type { Mail } from "./read-mail.ts";

/** Without an mbox line, and with the line ends of a file: a transport's CR LF is not part of what was sent. */
export function withUnixHead(raw: Buffer): Buffer {
  const start = raw.toString("latin1", 0, 2000);
  const skipped = /^(?:\xef\xbb\xbf)?\s*(?:>?From [^\n]*\n)?/.exec(start)?.[0].length ?? 0;
  const isTransport = /^[^\n]*\r\n/.test(start.slice(skipped));
  const isOld = !isTransport && /^[^\n\r]+\r[!-9;-~]+:/.test(start.slice(skipped)) && !raw.includes(10);
  if (!isTransport && !isOld) return raw.subarray(skipped);
  const text = raw.toString("latin1", skipped);
  return Buffer.from(isOld ? text.replaceAll("\r", "\n") : text.replaceAll("\r\n", "\n"), "latin1");
}

const HEADLESS = /^(?:diff |--- |Index: \S+\r?\n=|# HG changeset patch|=== \w+ (?:file|directory) ')/;

/** A diff, or an export of Mercurial, that is no mail. */
export function readBareDiff(raw: Buffer): Mail | null {
  const start = raw.toString("latin1", 0, 4096).replace(/^(?:\xef\xbb\xbf)?\s*/, "");
  const isMail = /^(?:>?From |[!-9;-~]+[ \t]*:)/.test(start) && !HEADLESS.test(start);
  const part = {
    contentType: "text/x-patch",
    charset: null,
    filename: null,
    flowed: false,
    delSp: false,
    content: raw,
  };
  if (isMail || start === "" || diffStart(bodyText(part)) === null) return null;
  return {
    messageId: null,
    inReplyTo: null,
    references: [],
    subject: "",
    from: null,
    to: [],
    cc: [],
    replyTo: null,
    date: null,
    listId: null,
    listPost: null,
    autoSubmitted: null,
    precedence: null,
    returnPath: null,
    patchworkHint: null,
    tareHint: null,
    contentType: "text/x-patch",
    headers: new Map(),
    text: "",
    parts: [part],
  };
}

import { MAX_MAIL_BYTES } from "../domain/mail.ts";

/** A message of an mbox: where its `From ` line starts and where the next one does, in bytes of the file. */
export type MboxMessage = { start: number; end: number; raw: Buffer | null; bytes: number };

/** `mboxrd` takes one `>` from `>From `, `>>From ` and so on, `mboxo` from `>From ` alone. */
export type MboxQuoting = "mboxrd" | "mboxo";

const LF = 10;
const CR = 13;
const SEPARATOR = Buffer.from("\nFrom ");
/** Longest `From ` line with what must follow it. */
const LOOK_BYTES = 1024;

/** `From somebody Mon Sep 17 00:00:00 2001`, with a zone or without, as deliverers and archives write it. */
const ENVELOPE =
  /^From .{0,500}?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +(?:(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d{1,2}|\d{1,2} +(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec),?) +(?:\d{1,2}:\d\d(?::\d\d)?(?: +\S+)? +\d{4}|\d{4} +\d{1,2}:\d\d).*\r?$/;
/** git writes the same date above every patch: a patch file inside of a mail has it, too. */
const PATCH_FILE = /^From [0-9a-f]{40,64} Mon Sep 17 00:00:00 2001\r?$/;
const HEADER = /^(?:>?From |[!-9;-~]+[ \t]*:)/;

/** True where a line that starts with `From ` starts a message. Both lines without their line feed. */
function isEnvelope(line: string, next: string, blankBefore: boolean): boolean {
  if (!HEADER.test(next)) return false;
  return PATCH_FILE.test(line) ? blankBefore : ENVELOPE.test(line);
}

export type MboxSplitter = {
  /** Messages that are whole with these further bytes. */
  push(chunk: Buffer): MboxMessage[];
  /** What is left where the file ends: the last message, and rarely the one before it. */
  end(): MboxMessage[];
};

/**
 * Splits an mbox that comes in chunks, the first of which starts at byte `at` of its file. A `From ` line counts with or
 * without a blank line before it, when it has a date and a header follows. Bytes above the cap are counted and not kept. What
 * stands before the first `From ` line is a message, too: nothing is dropped.
 */
export function createMboxSplitter(at = 0, quoting: MboxQuoting = "mboxrd"): MboxSplitter {
  let kept: Buffer = Buffer.alloc(0);
  /** Offset of `kept` in the file, and of the message in hand. */
  let offset = at;
  let start = at;
  /** Bytes of `kept` that hold no separator. */
  let looked = 0;

  const take = (end: number): MboxMessage[] => {
    const whole = start >= offset ? kept.subarray(start - offset, end - offset) : null;
    const message = { start, end, bytes: end - start };
    start = end;
    if (whole === null) return [{ ...message, raw: null }];
    const raw = withoutEnvelope(whole);
    if (isBlank(raw)) return [];
    if (raw.length > MAX_MAIL_BYTES) return [{ ...message, raw: null, bytes: raw.length }];
    return [{ ...message, raw: unquoted(raw, quoting), bytes: raw.length }];
  };

  const scan = (isEnd: boolean): MboxMessage[] => {
    const found: MboxMessage[] = [];
    for (;;) {
      const hit = kept.indexOf(SEPARATOR, looked);
      // Without the line after it, a `From ` line cannot be judged yet.
      if (hit === -1 || (!isEnd && kept.length - hit < LOOK_BYTES)) {
        looked = hit === -1 ? Math.max(looked, kept.length - SEPARATOR.length + 1, 0) : hit;
        return found;
      }
      if (isEnvelopeAt(kept, hit + 1)) found.push(...take(offset + hit + 1));
      looked = hit + 1;
    }
  };

  return {
    push(chunk) {
      kept = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
      const found = scan(false);
      // What is delivered is forgotten, and so is a message above the cap, but for what the next look needs.
      const isLarge = offset + kept.length - start > MAX_MAIL_BYTES + LOOK_BYTES;
      const cut = isLarge ? Math.max(looked - 2, 0) : Math.max(start - offset, 0);
      kept = kept.subarray(cut);
      offset += cut;
      looked = Math.max(looked - cut, 0);
      return found;
    },
    end() {
      const found = scan(true);
      return kept.length === 0 && start >= offset ? found : [...found, ...take(offset + kept.length)];
    },
  };
}

/** True where bytes start a message, perhaps after blank lines: the start of a file, or of what was appended to it. */
export function startsMessage(bytes: Buffer): boolean {
  let at = 0;
  while (bytes[at] === LF || bytes[at] === CR) at += 1;
  return isEnvelopeAt(bytes, at);
}

function isEnvelopeAt(bytes: Buffer, at: number): boolean {
  const [line = "", next] = bytes.toString("latin1", at, at + LOOK_BYTES).split("\n", 2);
  if (next === undefined || !line.startsWith("From ")) return false;
  const before = bytes[at - 2] === CR ? bytes[at - 3] : bytes[at - 2];
  return isEnvelope(line, next, at < 2 || before === LF);
}

/** Without the `From ` line and the blank line that ends a message in an mbox. */
function withoutEnvelope(whole: Buffer): Buffer {
  let first = 0;
  while (whole[first] === LF || whole[first] === CR) first += 1;
  if (whole.indexOf("From ", first) === first) first = whole.indexOf(LF, first) + 1 || whole.length;
  let last = whole.length;
  if (whole[last - 1] === LF && whole[last - 2] === LF) last -= 1;
  else if (whole.toString("latin1", Math.max(last - 4, 0), last) === "\r\n\r\n") last -= 2;
  return whole.subarray(Math.min(first, last), last);
}

function isBlank(raw: Buffer): boolean {
  return raw.length < 16 && raw.toString("latin1").trim() === "";
}

/** Nearly no message has a quoted `From `: only those are copied. */
function unquoted(raw: Buffer, quoting: MboxQuoting): Buffer {
  if (raw.indexOf(">From ") === -1) return raw;
  const pattern = quoting === "mboxrd" ? /^>(>*From )/gm : /^>(From )/gm;
  return Buffer.from(raw.toString("latin1").replaceAll(pattern, "$1"), "latin1");
}

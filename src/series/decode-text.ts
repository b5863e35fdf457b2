/** Charsets by names that the standard's table lacks, as mail programs write them. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  "ansi_x3.4-1968": "us-ascii",
  "x-unknown": "utf-8",
  "unknown-8bit": "utf-8",
  default: "utf-8",
  utf8mb4: "utf-8",
  cp1252: "windows-1252",
  "iso-8859-8-i": "iso-8859-8-i",
  iso_8859_1: "iso-8859-1",
  "iso8859-1": "iso-8859-1",
  cp932: "shift_jis",
  "gb2312-80": "gb2312",
  "iso-2022-cn": "utf-8",
};

/**
 * Text of bytes in a charset. Where the charset is not known, or the bytes are not in it: UTF-8, and Windows-1252 where they
 * are not that either.
 */
export function decodeText(content: Buffer, charset: string | null): string {
  return attempt(content, charset ?? "utf-8") ?? attempt(content, "utf-8") ?? latin(content);
}

/** True where text can be had by this charset's name; what has none counts as known. */
export function knowsCharset(charset: string | null): boolean {
  return charset === null || attempt(Buffer.alloc(0), charset) !== null;
}

function attempt(content: Buffer, charset: string): string | null {
  const name = charset.trim().toLowerCase();
  try {
    return new TextDecoder(OTHER_NAMES[name] ?? name, { fatal: true }).decode(content);
  } catch {
    return null;
  }
}

function latin(content: Buffer): string {
  return new TextDecoder("windows-1252").decode(content);
}

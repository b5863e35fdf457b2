/** Transfer encodings and charsets in which a text is not its own ASCII, and what joins the lines of one. */
const HIDING =
  /transfer-encod|charset[^\n]{0,60}(?:utf-?(?:7|16|32)|ucs-?[24]|unicode-|ebcdic|ibm-?\d|cp-?\d|hz-|2022)|delsp/i;
const CHARSET =
  /charset[^\n]{0,60}(?:utf-?(?:7|16|32)|ucs-?[24]|unicode-|ebcdic|ibm-?(?:0|1[01])\d|cp-?0|hz-|2022)|delsp[\s"]*=[\s"]*yes/i;
const ENCODING = /content-transfer-encoding[ \t]*:((?:[^\n]|\n[ \t])*)/gi;
const PLAIN = /^[\s"']*(?:(?:7|8)[ -]?bit|binary)?[\s"';]*$/i;

/**
 * True where an encoded part of a mail (its bytes as Latin-1) holds one of the paths, or may: what is nested, damaged or in
 * a charset that is not a superset of ASCII is not taken apart here.
 */
export function hidesPath(text: string, paths: RegExp): boolean {
  if (!HIDING.test(text)) return false;
  if (CHARSET.test(text)) return true;
  let isQuoted = false;
  for (const { index, 0: line, 1: value = "" } of text.matchAll(ENCODING)) {
    if (PLAIN.test(value)) continue;
    if (/quoted-printable/i.test(value)) isQuoted = true;
    else if (!/base64/i.test(value) || base64Hides(text, index + line.length, paths)) return true;
  }
  return isQuoted && quotedHides(text, paths);
}

/** The whole text is decoded: what was not encoded has been looked at before. */
function quotedHides(text: string, paths: RegExp): boolean {
  const decoded = text.replaceAll(/=(?:[ \t]*\r?\n|([0-9a-f]{2}))/gi, (_, hex: string | undefined) =>
    hex === undefined ? "" : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return paths.test(decoded) || countEncodings(decoded) > countEncodings(text);
}

function countEncodings(text: string): number {
  return text.match(/transfer-encod/gi)?.length ?? 0;
}

/** The part whose header holds this place: from the blank line behind it to what may be a boundary. */
function base64Hides(text: string, from: number, paths: RegExp): boolean {
  const blank = /\n\r?\n/g;
  // The line feed that ends the header line may be the first of the two.
  blank.lastIndex = Math.max(from - 1, 0);
  if (!blank.test(text)) return false;
  const end = text.indexOf("\n--", blank.lastIndex - 1);
  const body = text.slice(blank.lastIndex, end === -1 ? undefined : Math.max(end, blank.lastIndex));
  if (!/^[A-Za-z0-9+/\s]*[=\s]*$/.test(body)) return true;
  const decoded = Buffer.from(body, "base64").toString("latin1");
  return paths.test(decoded) || /^(?:\xff\xfe|\xfe\xff)|transfer-encod/i.test(decoded);
}

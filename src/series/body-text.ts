import { readDiff } from "./read-diff.ts";

/** The bytes of a text part as Latin-1 characters, with line feeds alone and the mail program's own line breaks undone. */
export function bodyText(part: {
  content: Buffer;
  charset: string | null;
  flowed: boolean;
  delSp: boolean;
}): string {
  const text = unixLines(bytesOf(part));
  return part.flowed ? unflowed(text, part.delSp) : text;
}

/** UTF-16 has a NUL in every second byte: no diff would be found in it. */
function bytesOf({ content, charset }: { content: Buffer; charset: string | null }): string {
  const wide = /^utf-?16(le|be)?$/i.exec(charset ?? "");
  const mark = content.toString("latin1", 0, 2);
  if (!wide && mark !== "\xff\xfe" && mark !== "\xfe\xff")
    return content.toString("latin1").replace(/^\xef\xbb\xbf/, "");
  const isBig = wide?.[1]?.toLowerCase() === "be" || mark === "\xfe\xff";
  const text = new TextDecoder(isBig ? "utf-16be" : "utf-16le").decode(content);
  return Buffer.from(text, "utf8").toString("latin1");
}

/**
 * Line ends of a file. A transport's CR LF is not what was sent; where only lines of content have a CR, and the diff's own
 * lines have none, the file itself has them.
 */
export function unixLines(text: string): string {
  if (!text.includes("\r")) return text;
  if (!text.includes("\n")) return text.replaceAll("\r", "\n");
  const lone = /[^\r]\n/.exec(text);
  if (lone === null || /^(?:diff --git |--- |\+\+\+ |@@ -)[^\n]*\r$/m.test(text))
    return text.replaceAll("\r\n", "\n");
  if (!/^(?:diff --git |--- |\+\+\+ |@@ -)/m.test(text)) return text.replaceAll("\r\n", "\n");
  return text;
}

/**
 * RFC 3676: a space in front was put there by the mail program, a space behind means that the line goes on. Programs that
 * say flowed and break no lines are many: where the diff adds up without joining, its lines are left as they are.
 */
function unflowed(text: string, delSp: boolean): string {
  const joined = join(text, delSp);
  const unstuffed = text.replaceAll(/^ /gm, "");
  return damageOf(unstuffed) < damageOf(joined) ? unstuffed : joined;
}

function damageOf(text: string): number {
  const diff = readDiff(text);
  return diff === null ? 0 : diff.damage.length;
}

function join(text: string, delSp: boolean): string {
  let open = "";
  const lines: string[] = [];
  for (const line of text.split("\n")) {
    if (line === "-- ") {
      if (open !== "") lines.push(open);
      lines.push(line);
      open = "";
      continue;
    }
    const bare = line.startsWith(" ") ? line.slice(1) : line;
    if (bare.endsWith(" ")) open += delSp ? bare.slice(0, -1) : bare;
    else {
      lines.push(open + bare);
      open = "";
    }
  }
  return [...lines, ...(open === "" ? [] : [open])].join("\n");
}

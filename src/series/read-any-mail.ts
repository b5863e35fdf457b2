import { MAX_MAIL_BYTES } from "../domain/mail.ts";
import { Problem } from "../domain/problem.ts";
import { readMail, type Mail } from "./read-mail.ts";
import type { Flaw } from "./types.ts";

/** Bytes of headers that are read where the whole mail is not. */
const HEAD_BYTES = 64 * 1024;

/** Reads what can be read of any bytes; `bytes` is how many the mail has. Never throws: what is wrong is in `flaws`. */
export async function readAnyMail(raw: Buffer, bytes = raw.length): Promise<{ mail: Mail; flaws: Flaw[] }> {
  if (bytes > MAX_MAIL_BYTES) {
    const why = `it has ${bytes} bytes, the limit is ${MAX_MAIL_BYTES}: only its head was read`;
    return { mail: await readHead(raw), flaws: [{ code: "too-large", message: why }] };
  }
  try {
    return { mail: await readMail(raw), flaws: [] };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const why = `its structure is damaged or too intricate (${error.details.join(" ")}): only its head was read`;
    return { mail: await readHead(raw), flaws: [{ code: "structure", message: why }] };
  }
}

/** The mail without its body; without its headers, too, where not even those can be read. */
async function readHead(raw: Buffer): Promise<Mail> {
  const text = raw.toString("latin1", 0, HEAD_BYTES);
  const end = /\r?\n\r?\n/.exec(text)?.index ?? text.length;
  // The type of a body that is left out would be looked for in it.
  const lines = text
    .slice(0, end)
    .replaceAll(/^(?:content-[^\n]*|mime-version:[^\n]*)(?:\n[ \t][^\n]*)*\n?/gim, "");
  for (const head of [lines, lines.slice(0, 8192), ""]) {
    try {
      return { ...(await readMail(Buffer.from(`${head.trimEnd()}\n\n`, "latin1"))), parts: [], text: "" };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }
  throw new Error("An empty mail cannot be read.");
}

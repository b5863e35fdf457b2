import { MAX_MAIL_BYTES } from "../domain/mail.ts";
import type { GitStream } from "../git/stream.ts";

/** A blob as `git cat-file --batch` gave it; without bytes above the cap, and null bytes where it is missing. */
export type StreamedBlob = { id: string; bytes: number | null; raw: Buffer | null };

const LF = 10;

/** Reads what `git cat-file --batch` writes, as it comes. Blobs share the memory of the chunks that they came in. */
export async function* parseCatFile(stdout: GitStream["stdout"]): AsyncGenerator<StreamedBlob[]> {
  const read = createCatFileParser();
  for await (const chunk of stdout) {
    const blobs = read(chunk);
    if (blobs.length > 0) yield blobs;
  }
}

/** The same for chunks that are pushed; returns the blobs that are whole with each. */
export function createCatFileParser(): (chunk: Buffer) => StreamedBlob[] {
  let kept: Buffer = Buffer.alloc(0);
  let parts: Buffer[] = [];
  let header: { id: string; bytes: number } | null = null;
  let got = 0;
  return (chunk) => {
    const blobs: StreamedBlob[] = [];
    let rest = kept.length > 0 ? Buffer.concat([kept, chunk]) : chunk;
    kept = Buffer.alloc(0);
    while (rest.length > 0) {
      if (header === null) {
        const end = rest.indexOf(LF);
        if (end === -1) {
          kept = Buffer.from(rest);
          break;
        }
        const [id = "", type, size] = rest.toString("latin1", 0, end).split(" ");
        rest = rest.subarray(end + 1);
        if (size === undefined) blobs.push({ id, bytes: null, raw: null });
        else header = { id, bytes: type === "blob" ? Number(size) : 0 };
        got = 0;
        parts = [];
        continue;
      }
      // The line feed behind the bytes is taken with them.
      const more = rest.subarray(0, header.bytes + 1 - got);
      got += more.length;
      rest = rest.subarray(more.length);
      if (header.bytes <= MAX_MAIL_BYTES) parts.push(more);
      if (got < header.bytes + 1) continue;
      blobs.push(blobOf(header, parts));
      header = null;
    }
    return blobs;
  };
}

function blobOf({ id, bytes }: { id: string; bytes: number }, parts: Buffer[]): StreamedBlob {
  if (bytes > MAX_MAIL_BYTES) return { id, bytes, raw: null };
  const [only] = parts;
  const whole = only && parts.length === 1 ? only : Buffer.concat(parts);
  return { id, bytes, raw: whole.subarray(0, bytes) };
}

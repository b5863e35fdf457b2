/** Text of bytes in a charset; in Windows-1252 where they are not what was announced. */
export function decodeText(content: Buffer, charset: string | null): string {
  try {
    return new TextDecoder(charset ?? "utf-8", { fatal: true }).decode(content);
  } catch {
    return new TextDecoder("windows-1252").decode(content);
  }
}

/** Bytes of a patch that are still accepted: what forges and mail servers let through. */
export const MAX_PATCH_BYTES = 26 * 1000 * 1000;

/** True where the text holds a diff at all, unquoted and at the start of a line. */
export function holdsDiff(patch: Uint8Array): boolean {
  return /^diff --git |^--- [^\n]+\n\+\+\+ /m.test(latin1(patch));
}

/**
 * The readings of a patch that are worth a try, the likelier first. git ends header lines with LF, so CR LF
 * there comes from a transport and is not part of the files; CR LF within hunks alone may well be.
 */
export function readings(patch: Uint8Array): { patch: Uint8Array; note: string | null }[] {
  const text = latin1(patch);
  const asIs = { patch, note: null };
  if (!text.includes("\r\n")) return [asIs];
  const stripped = {
    patch: Buffer.from(text.replaceAll("\r\n", "\n"), "latin1"),
    note: "The patch came with CR LF line ends; it was applied with the CRs removed.",
  };
  return /^(diff --git|---|\+\+\+|@@) [^\n]*\r\n/m.test(text) ? [stripped, asIs] : [asIs, stripped];
}

/** Latin-1 keeps every byte as one character, whatever the encoding of the files. */
function latin1(patch: Uint8Array): string {
  return Buffer.from(patch.buffer, patch.byteOffset, patch.byteLength).toString("latin1");
}

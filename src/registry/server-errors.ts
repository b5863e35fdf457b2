const COMPLAINT = /msg="response completed with error".* http\.response\.status=5\d\d/;
const DETAIL = /\berr\.(?:detail|message)=(?:"((?:[^"\\]|\\.)*)"|(\S+))/;

/** Distribution answers an upload that its client breaks off with 500: a builder that crashed or was stopped in it. */
const HUNG_UP = "client disconnected";

export const NO_REASON = "it gave no reason";

/**
 * What CNCF Distribution's own log (logfmt, level error) says of each request that it answered with 5xx, in order; null
 * where the client hung up.
 */
export function readServerErrors(log: readonly string[]): (string | null)[] {
  return log.filter((line) => COMPLAINT.test(line)).map(reasonOf);
}

function reasonOf(line: string): string | null {
  const [, quoted, bare] = DETAIL.exec(line) ?? [];
  const reason = quoted?.replaceAll(/\\(.)/g, "$1") ?? bare ?? NO_REASON;
  return reason === HUNG_UP ? null : reason;
}

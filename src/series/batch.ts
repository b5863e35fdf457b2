import type { Mail } from "./read-mail.ts";

/**
 * What the mails of one sending have in common: git numbers its ids (`20240101120000.1234-3-jane@…`), so does b4
 * (`20240101-topic-v2-3-0123456789ab@…`), and Mercurial names the series in a header.
 */
export function batchOf(mail: Mail): string | null {
  const series = mail.headers.get("x-mercurial-series-id")?.[0];
  if (series !== undefined && series !== "") return `hg ${series.slice(0, 300)}`;
  const id = mail.messageId ?? "";
  const git = /^<(\d{14}\.\d+)-\d+-(.+)>$/.exec(id) ?? /^<(\d{10}-\d+)-git-send-email-(.+)>$/.exec(id);
  if (git) return `git ${git[1]} ${git[2]}`;
  // Before git put its name there: the seconds, the process, and the count in between.
  const old = /^<(\d{10}-\d+)-(?:\d+-)?(git-send-email-[^>]+)>$/.exec(id);
  if (old) return `git ${old[1]} ${old[2]}`;
  const b4 = /^<(\d{8}-.+-v\d+)-\d+-[0-9a-f]{12}@([^>]+)>$/.exec(id);
  if (b4) return `b4 ${b4[1]} ${b4[2]}`;
  // `git format-patch --thread`: a hash, the seconds and `git.` before the address; the root's hash is `cover`.
  const format = /^<(?:cover|[0-9a-f]{40})\.(\d{9,10})\.git\.([^>]+)>$/.exec(id);
  return format ? `format-patch ${format[1]} ${format[2]}` : null;
}

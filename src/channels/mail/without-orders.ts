/** What patch trackers, list robots and `git am` read at the start of a line, whoever wrote it. */
const ORDERS = [
  /^(?:[a-z]+(?:-[a-z]+)*-by|fixes|closes|resolves|link|message-id|change-id|cc) ?:/iu,
  /^#(?:syz|regzbot|b4)\b/iu,
  /^(?:\/[a-z]|From |diff --git |--- \S|\+\+\+ \S|@@ -|---\s*$)/u,
];

/** The last guard of a mail: a line that others would obey is moved in by two spaces, where they do not look. */
export function withoutMailOrders(body: string): string {
  return body
    .split(/\r\n?|\n/u)
    .map((line) => (ORDERS.some((order) => order.test(line)) ? `  ${line}` : line))
    .join("\n");
}

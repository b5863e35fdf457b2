/** Text as rows may hold it: without secrets, and as PostgreSQL keeps it. */
export type Shown = (text: string) => string;

/** JSON that PostgreSQL keeps: a build's log may hold characters that are none. */
export function storable(value: unknown, shown: Shown = storableText): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === "string" ? shown(each) : each));
}

export function storableText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}

/** JSON that PostgreSQL keeps: a build's log may hold characters that are none. */
export function storable(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === "string" ? storableText(each) : each));
}

export function storableText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}

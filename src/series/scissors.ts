const MARKS = [">8", "8<", ">%", "%<"];

/** True for `-- >8 --` and its kind, judged as git does: dashes and scissors are most of the line. */
export function isScissors(line: string): boolean {
  const text = line.trim();
  if (text.length < 8 || text.length > 200) return false;
  let perforation = 0;
  let scissors = 0;
  let gap = 0;
  let wasPerforation = false;
  for (let at = 0; at < text.length; at += 1) {
    if (MARKS.includes(text.slice(at, at + 2))) {
      perforation += 2;
      scissors += 2;
      at += 1;
      wasPerforation = true;
    } else if (text[at] === "-") {
      perforation += 1;
      wasPerforation = true;
    } else if (/\s/.test(text[at] ?? "")) {
      if (wasPerforation) {
        perforation += 1;
        gap += 1;
      }
    } else wasPerforation = false;
  }
  return scissors > 0 && text.length < perforation * 3 && gap * 2 < perforation;
}

/** What stands below the last scissors; the text as it is where it has none. */
export function belowScissors(text: string): string {
  if (!MARKS.some((mark) => text.includes(mark))) return text;
  const lines = text.split("\n");
  const last = lines.findLastIndex(isScissors);
  return lines.slice(last + 1).join("\n");
}

/**
 * The last guard of a GitLab note: a line that starts with `/merge` would run with the bot's rights.
 * Only a plainly closed code block keeps such lines, as GitLab itself leaves those alone.
 */
export function withoutQuickActions(body: string): string {
  const lines = body.split(/\r\n?|\n/);
  const kept: string[] = [];
  let index = 0;
  while (index < lines.length) {
    const end = plainBlockEnd(lines, index);
    if (end === null) {
      kept.push((lines[index] ?? "").replace(/^([ \t>]*)\/(?=[a-z_])/i, "$1\\/"));
      index += 1;
    } else {
      kept.push(...lines.slice(index, end + 1));
      index = end + 1;
    }
  }
  return kept.join("\n");
}

/** The closing line of a block that opens at `start` with three backticks and holds no other fence; null otherwise. */
function plainBlockEnd(lines: readonly string[], start: number): number | null {
  if (!/^```[\w-]*$/.test(lines[start] ?? "")) return null;
  const next = lines.findIndex((line, index) => index > start && line.trimStart().startsWith("```"));
  return next > start + 1 && lines[next] === "```" ? next : null;
}

const HELD = "\u00a0";
const UNITS = "s|m|h|B|kB|MB|GB|GiB|MiB|%|CPUs|CPU|runs?|edits?|images?|jobs?";
const QUANTITY = new RegExp(String.raw`(\d) (?=(?:${UNITS})(?![\w/]))`, "gu");

function held(text: string): string {
  // `12 m 04 s` has a space after each number and one after each unit but the last.
  return text.replaceAll(QUANTITY, `$1${HELD}`).replaceAll(/([mh]) (?=\d\d\u00a0[sm])/gu, `$1${HELD}`);
}

/** Breaks text at spaces into lines of at most `width`; a figure stays with its unit, a longer word is split. */
export function wrap(text: string, width: number, indent: { first?: string; rest?: string } = {}): string {
  const first = indent.first ?? "";
  const rest = indent.rest ?? "";
  const lines: string[] = [];
  let line = first;
  let empty = true;
  const flush = () => {
    lines.push(line);
    line = rest;
    empty = true;
  };
  for (const word of held(text).split(/ +/u)) {
    let left = word;
    if (!empty && line.length + 1 + left.length > width) flush();
    if (empty) {
      while (left.length > width - line.length) {
        const room = splitAt(left, width - line.length);
        line += left.slice(0, room);
        left = left.slice(room);
        flush();
      }
    }
    line += empty ? left : ` ${left}`;
    empty = false;
  }
  lines.push(line);
  return lines.map((each) => harmless(each.replaceAll(HELD, " ").trimEnd())).join("\n");
}

/** Where to split a word that no line holds: after a separator in the second half of the room, if there is one. */
function splitAt(word: string, room: number): number {
  const after = Math.max(...["/", ":", "-"].map((separator) => word.lastIndexOf(separator, room - 1) + 1));
  return after > room / 2 ? after : room;
}

/** A line that a mail program would take for a signature, or git for a patch, is made to look the same only. */
function harmless(line: string): string {
  if (line === "--") return "- -";
  return /^(?:diff --git|Index:|---|\+\+\+|@@|From) /u.test(line) ? line.replace(" ", HELD) : line;
}

const SHELL_WORD = /(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+/gu;

/** Breaks a shell command between its words, so that it can be pasted as it stands. */
export function wrapCommand(command: string, width: number, indent: string): string {
  const room = width - indent.length - "  ".length - " \\".length;
  const words = [...command.matchAll(SHELL_WORD)].map(([word]) => word);
  const lines: string[] = [];
  for (const part of withValues(words)) {
    const last = lines.at(-1);
    if (last !== undefined && `${last} ${part}`.length <= room) lines[lines.length - 1] = `${last} ${part}`;
    else if (part.length <= room) lines.push(part);
    else lines.push(...overlong(part, room));
  }
  return lines
    .map((line, index) => {
      const end = index === lines.length - 1 ? "" : line.endsWith("\\") ? "" : " \\";
      // A word that goes on from the line before stands at its very start, or the shell would see two words.
      const continued = lines[index - 1]?.endsWith("\\") ?? false;
      return `${continued ? "" : indent}${index === 0 || continued ? "" : "  "}${line}${end}`;
    })
    .join("\n");
}

/** An option stays with its value, where the value is a word of its own without spaces. */
function withValues(words: readonly string[]): string[] {
  const parts: string[] = [];
  for (const word of words) {
    const last = parts.at(-1);
    if (last?.startsWith("-") && !last.includes(" ") && !word.startsWith("-") && !word.includes(" "))
      parts[parts.length - 1] = `${last} ${word}`;
    else parts.push(word);
  }
  return parts;
}

/** An option and its value on lines of their own, or one word in pieces. */
function overlong(part: string, room: number): string[] {
  const words = [...part.matchAll(SHELL_WORD)].map(([word]) => word);
  return words.flatMap((word) => splitWord(word, room));
}

/** Splits a word that no line holds: `\` at the end, or outside the quotes where it is quoted. */
function splitWord(word: string, room: number): string[] {
  if (word.length <= room) return [word];
  const quoted = /^'([^']*)'$/u.exec(word)?.[1];
  if (quoted === undefined && /['"\\]/u.test(word)) return [word];
  const text = quoted ?? word;
  const size = room - 3;
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += size) pieces.push(text.slice(at, at + size));
  return pieces
    .map((piece) => (quoted === undefined ? piece : `'${piece}'`))
    .map((piece, index) => (index === pieces.length - 1 ? piece : `${piece}\\`));
}

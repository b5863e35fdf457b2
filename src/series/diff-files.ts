import { readQuotedPath } from "../git/quoted-path.ts";

/** A file as a diff names it; null where it does not exist on that side. */
export type DiffFile = { oldPath: string | null; newPath: string | null };

/** Lines above a file's first hunk, as they are found; `old` and `new` are what follows `--- ` and `+++ `. */
export type FileHead = { lines: string[]; name: string; old: string | null; new: string | null };

/** Paths of the files that a diff touches, without the prefixes that programs put before them. */
export function filesOf(heads: readonly FileHead[]): DiffFile[] {
  return heads.flatMap((head) => {
    const file = fileOf(head);
    return file.oldPath === null && file.newPath === null ? [] : [file];
  });
}

function fileOf({ lines, old, new: fresh }: FileHead): DiffFile {
  const said = (start: string) => {
    const line = lines.find((one) => one.startsWith(start));
    return line === undefined ? null : readPath(line.slice(start.length));
  };
  const from = said("rename from ") ?? said("copy from ");
  const to = said("rename to ") ?? said("copy to ");
  if (from !== null && to !== null) return { oldPath: from, newPath: to };
  const git = lines.find((line) => line.startsWith("diff --git "));
  const pair = git === undefined ? null : gitPair(git.slice(11));
  const isNew = lines.some((line) => line.startsWith("new file mode"));
  const isDeleted = lines.some((line) => line.startsWith("deleted file mode"));
  if (pair && (old === null || fresh === null)) {
    const [oldPath, newPath] = withoutPrefixes(pair[0], pair[1]);
    return { oldPath: isNew ? null : oldPath, newPath: isDeleted ? null : newPath };
  }
  const index = said("Index: ") ?? bazaarPath(lines[0] ?? "") ?? mercurialPath(lines[0] ?? "");
  if (old === null || fresh === null) return { oldPath: index, newPath: index };
  return fromPair(sidePath(old), sidePath(fresh), pair, index);
}

function fromPair(
  old: string | null,
  fresh: string | null,
  pair: [string, string] | null,
  index: string | null,
): DiffFile {
  if (index !== null && !pair)
    return { oldPath: old === null ? null : index, newPath: fresh === null ? null : index };
  if (old !== null && fresh !== null) {
    const [oldPath, newPath] = withoutPrefixes(old, fresh);
    return { oldPath, newPath };
  }
  const lone = old ?? fresh ?? "";
  // The other side is /dev/null: the line above says whether there are prefixes.
  const [bare] = pair ? withoutPrefixes(...pair) : [/^[ab]\//.test(lone) ? lone.slice(2) : lone];
  return { oldPath: old === null ? null : bare, newPath: fresh === null ? null : bare };
}

function readPath(text: string): string {
  return readQuotedPath(fromLatin(text.trimEnd()));
}

/** Headers of a diff are kept as bytes; names are UTF-8 nearly always. */
function fromLatin(text: string): string {
  const utf8 = Buffer.from(text, "latin1").toString("utf8");
  return utf8.includes("\ufffd") ? text : utf8;
}

/** What follows `--- `: a path, perhaps with a date or a revision behind it. */
function sidePath(text: string): string | null {
  const path = text
    .replace(/\t.*$/, "")
    .replace(/\s+\((?:revision \d+|working copy|nonexistent|arbeitskopie)\)\s*$/i, "")
    .replace(
      /\s+(?:\d{4}-\d\d-\d\d|\d{4}\/\d\d\/\d\d|\d{1,2} \w{3} \d{4}|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ).*$/,
      "",
    );
  const read = readPath(path);
  return read === "/dev/null" ? null : read;
}

/** The two paths of `diff --git`, which nothing but a space parts: quoted, or both the same behind their prefixes. */
function gitPair(text: string): [string, string] | null {
  const line = text.trimEnd();
  const quoted = /^("(?:[^"\\]|\\.)*"|\S+) ("(?:[^"\\]|\\.)*"|\S+)$/.exec(line);
  if (quoted) return [readPath(quoted[1] ?? ""), readPath(quoted[2] ?? "")];
  const middle = (line.length - 1) / 2;
  if (line[middle] === " ") return [readPath(line.slice(0, middle)), readPath(line.slice(middle + 1))];
  const second = line.indexOf(" b/");
  return second === -1 ? null : [readPath(line.slice(0, second)), readPath(line.slice(second + 1))];
}

/** `a/x` and `b/x`, `i/x` and `w/x`, `linux.orig/x` and `linux/x`: what differs in front is a prefix. */
function withoutPrefixes(old: string, fresh: string): [string, string] {
  if (/^[aciow]\//.test(old) && /^[bciow]\//.test(fresh) && old[0] !== fresh[0])
    return [old.slice(2), fresh.slice(2)];
  const [oldFirst, freshFirst] = [old.indexOf("/"), fresh.indexOf("/")];
  if (old !== fresh && oldFirst > 0 && freshFirst > 0 && old.slice(oldFirst) === fresh.slice(freshFirst))
    return [old.slice(oldFirst + 1), fresh.slice(freshFirst + 1)];
  const isBackup = old.replace(/(?:\.orig|~)$/, "") === fresh;
  return isBackup ? [fresh, fresh] : [old, fresh];
}

function bazaarPath(line: string): string | null {
  return /^=== \w+ (?:file|directory) '([^']*)'/.exec(line)?.[1] ?? null;
}

/** `diff -r 0123456789ab path`, as Mercurial writes it without --git. */
function mercurialPath(line: string): string | null {
  return /^diff (?:-r [0-9a-f]{12,40} ){1,2}(\S.*)$/.exec(line)?.[1]?.trimEnd() ?? null;
}

import { readIds } from "./message-ids.ts";
import type { BaseHints } from "./types.ts";

const MOST = 1000;

/** Reads `base-commit:`, `Based-on:` and the others from lines that nothing quotes. */
export function readBaseHints(lines: readonly string[], subjectTags: readonly string[]): BaseHints {
  const values = (name: string) => valuesOf(lines, name);
  const shas = (name: string) =>
    values(name).flatMap((value) => /^([0-9a-f]{7,64})(?:\s|$)/i.exec(value)?.[1]?.toLowerCase() ?? []);
  return {
    baseCommit: shas("base-commit")[0] ?? null,
    basedOn: values("based-on").flatMap(referencesOf),
    dependsOn: values("depends-on").flatMap(referencesOf),
    prerequisites: shas("prerequisite-patch-id"),
    prerequisiteMessageIds: values("prerequisite-message-id").flatMap(referencesOf),
    prerequisiteChangeIds: values("prerequisite-change-id"),
    changeId: values("change-id").find((value) => /^[\w.+-]{4,}$/.test(value)) ?? null,
    subjectTags: [...subjectTags],
  };
}

/** Message-IDs that `Supersedes:` names. */
export function readSupersedes(lines: readonly string[]): string[] {
  return ["supersedes", "obsoletes"].flatMap((name) => valuesOf(lines, name)).flatMap(referencesOf);
}

function valuesOf(lines: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (const line of lines) {
    if (values.length >= MOST) break;
    if (
      line.length > name.length + 1 &&
      line.length < 2000 &&
      line.slice(0, name.length + 1).toLowerCase() === `${name}:`
    )
      values.push(line.slice(name.length + 1).trim());
  }
  return values.filter((value) => value !== "");
}

/** Message-IDs of a value, in brackets, bare or in an archive's address; a commit; else the text as it is. */
function referencesOf(value: string): string[] {
  const ids = readIds(value);
  if (ids.length > 0) return ids;
  const inAddress = /https?:\/\/\S*?\/([^\s/<>@]+@[^\s/<>]+)/.exec(value)?.[1];
  if (inAddress !== undefined) return [`<${decode(inAddress)}>`];
  const word = /^[^\s<>()@,]+@[^\s<>(),]+/.exec(value)?.[0];
  if (word !== undefined) return [`<${word}>`];
  return [/^[0-9a-f]{7,64}(?=\s|$)/i.exec(value)?.[0].toLowerCase() ?? value];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

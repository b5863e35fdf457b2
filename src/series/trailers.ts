import type { Trailer } from "./types.ts";

const PERSON =
  /^[^<>\n]*<[^<>\s@]+@[^<>\s@]+>(?:\s*(?:#|\[|\().{0,200})?$|^[^<>\s@,;]+@[^<>\s@,;]+\.[^<>\s@,;]+$/;
/** What programs that make links of addresses leave in plain text. */
const MAILTO = /<([^<>\s]+)<mailto:[^<>]*>>/;
const BY = /^([a-z]+(?:-[a-z]+)*-by)[ \t]*:[ \t]*(\S.*)$/i;
const FIXES = /^(fixes):[ \t]+([0-9a-f]{8,64}\b.*)$/i;
const OTHER =
  /^(cc|closes|link|fixes|bug|change-id|message-id|reported-by|resolves|depends-on|based-on|suggested-by|co-developed-by|helped-by):[ \t]+(\S.*)$/i;

/** Trailers of a commit message: `Signed-off-by: …`, `Fixes: …`, `Cc: …` and their like, in order. */
export function readTrailers(message: string): Trailer[] {
  return joined(message.split("\n")).flatMap((line) => {
    const found = BY.exec(line) ?? OTHER.exec(line);
    return found ? [trailer(found)] : [];
  });
}

/**
 * Tags that a reply gives: `Reviewed-by:` and others with a person, and `Fixes:` with a commit, each a line of its own that
 * nothing stands before. A name without an address is no tag.
 */
export function readTags(lines: readonly string[]): Trailer[] {
  return joined(lines).flatMap((line) => {
    const by = BY.exec(line);
    if (by && PERSON.test(by[2]?.trim().replace(MAILTO, "<$1>") ?? "")) return [trailer(by)];
    const fixes = FIXES.exec(line);
    return fixes ? [trailer(fixes)] : [];
  });
}

/** A long name pushes its address to the next line. */
function joined(lines: readonly string[]): string[] {
  const whole: string[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const next = lines[at + 1] ?? "";
    if (
      line.length < 400 &&
      BY.test(line) &&
      !line.includes("@") &&
      /^\s*<[^<>\s@]+@[^<>\s@]+>$/.test(next)
    ) {
      whole.push(`${line.trimEnd()} ${next.trim()}`);
      at += 1;
    } else whole.push(line);
  }
  return whole;
}

function trailer([, name = "", value = ""]: readonly string[]): Trailer {
  return {
    name: name.charAt(0).toUpperCase() + name.slice(1).toLowerCase(),
    value: value.trim().replace(MAILTO, "<$1>"),
  };
}

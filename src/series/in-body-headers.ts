import type { Person } from "../domain/change.ts";
import { readPeople } from "./read-mail.ts";

/** What stands above a commit message in the body of a mail. */
export type InBodyHeaders = {
  from: Person | null;
  subject: string | null;
  date: string | null;
  rest: string;
};

const NAMES =
  /^>?(From|Subject|Date|Cc|To|Author|Content-Type|Content-Transfer-Encoding|MIME-Version|Message-Id): ?(.*)$/i;

/**
 * `From:`, `Subject:` and `Date:` above the message, as `git format-patch --from` puts them, and Mercurial's `# User`. A block
 * counts when an empty line ends it and its From, if there is one, holds an address: prose starts with "From:", too.
 */
export function readInBodyHeaders(text: string): InBodyHeaders {
  const lines = text.replace(/^\s*\n/, "").split("\n");
  const none = { from: null, subject: null, date: null, rest: text };
  if (lines[0]?.startsWith("# HG changeset patch")) return mercurial(lines.slice(1));
  let at = /^From [0-9a-f]{40,64} /.test(lines[0] ?? "") ? 1 : 0;
  const found = { from: null as Person | null, subject: null as string | null, date: null as string | null };
  const first = at;
  for (; at < lines.length; at += 1) {
    const [, name, start = ""] = NAMES.exec(lines[at] ?? "") ?? [];
    if (name === undefined) break;
    let value = start;
    while (/^[ \t]+\S/.test(lines[at + 1] ?? "")) value += ` ${(lines[(at += 1)] ?? "").trim()}`;
    const key = name.toLowerCase();
    if (key === "from" || key === "author") {
      const [person] = readPeople(value);
      if (person === undefined || !person.address.includes("@")) return none;
      found.from ??= person;
    }
    if (key === "subject") found.subject ??= value.trim();
    if (key === "date") found.date ??= value.trim();
  }
  const isBlock = at > first && (lines[at] ?? "").trim() === "";
  const says = found.from !== null || found.subject !== null || found.date !== null;
  return isBlock && says ? { ...found, rest: lines.slice(at).join("\n") } : none;
}

function mercurial(lines: readonly string[]): InBodyHeaders {
  const end = lines.findIndex((line) => !line.startsWith("#"));
  const head = end === -1 ? lines : lines.slice(0, end);
  const said = (name: string) =>
    head
      .find((line) => line.startsWith(`# ${name} `))
      ?.slice(name.length + 3)
      .trim() ?? null;
  const user = said("User");
  const from = user === null ? null : (readPeople(user)[0] ?? { name: user, address: "" });
  const rest = (end === -1 ? [] : lines.slice(end)).join("\n");
  const subject = rest.trimStart().split("\n", 1)[0] ?? "";
  return {
    from,
    subject: subject === "" ? null : subject,
    date: said("Date"),
    rest: rest.trimStart().slice(subject.length),
  };
}

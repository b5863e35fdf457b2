import { hidesPath } from "./hidden-text.ts";

/** What a mail is held against. All of it is data; nothing is a pattern of somebody else's. */
export type Interest = {
  /** Texts of which every path that matters holds one, for example `Dockerfile`. Printable ASCII. */
  pathParts: readonly string[];
  /** Own addresses; `tare+run@example.org` is one of `tare@example.org`. */
  addresses: readonly string[];
  /** Message-IDs of known threads, with angle brackets. */
  knownIds: { has(id: string): boolean };
};

/** Parts of the paths of templates and of what they build from. */
export const TEMPLATE_PATH_PARTS: readonly string[] = [
  ".gitlab-ci",
  ".gitlab/",
  ".github/workflows",
  "ockerfile",
  "ontainerfile",
  ".docker",
  "docker/",
  "docker-bake",
];

/** True where the mail must be parsed. */
export type Scan = (raw: Buffer) => boolean;

/**
 * Makes the scan that says whether a mail is worth parsing: it holds a path of interest, has an encoded part that does or that
 * is too odd to tell, is addressed to Tare, or names a known Message-ID. It may pass too much, and must not pass too little. The
 * whole message is looked at: who calls caps its bytes first.
 */
export function createScan(interest: Interest): Scan {
  const paths = anyOf(interest.pathParts, "");
  const addressed = addressTest(interest.addresses);
  return (raw) => {
    const text = raw.toString("latin1");
    if (paths.test(text) || hidesPath(text, paths)) return true;
    const header = headerOf(text);
    return addressed(header) || namesKnown(header, interest.knownIds);
  };
}

/** One mail alone; who has many makes the scan once. */
export function concernsUs(raw: Buffer, interest: Interest): boolean {
  return createScan(interest)(raw);
}

/** A pattern that finds any of some texts in one pass; nothing where there are none. */
function anyOf(texts: readonly string[], flags: string): RegExp {
  return texts.length === 0 ? /(?!)/ : new RegExp(texts.map((text) => RegExp.escape(text)).join("|"), flags);
}

/** The header with what its encoded words stand for behind it. */
function headerOf(text: string): string {
  const start = /^\s*/.exec(text)?.[0].length ?? 0;
  const end = /\n\r?\n/.exec(text.slice(start, start + HEADER_CHARS));
  const header = end ? text.slice(start, start + end.index + 1) : text.slice(start);
  return header.includes("=?") ? header + decodedWords(header) : header;
}

/** A header without an end is looked at as a whole. */
const HEADER_CHARS = 512 * 1024;

/** Programs encode whole addresses, against the rules. */
function decodedWords(header: string): string {
  const words = header.matchAll(/=\?[^?\s]{1,80}\?([qb])\?([^?\n]{0,1000})\?=/gi);
  return Array.from(words, ([, kind, content = ""]) =>
    kind?.toLowerCase() === "b"
      ? Buffer.from(content, "base64").toString("latin1")
      : content.replaceAll(/=([0-9a-f]{2})/gi, (_, hex: string) =>
          String.fromCharCode(Number.parseInt(hex, 16)),
        ),
  ).join("");
}

/** Quotes, comments and folds may stand around the two halves of an address: each is looked for by itself. */
function addressTest(addresses: readonly string[]): (header: string) => boolean {
  const halves = addresses.map((address) => {
    const at = address.lastIndexOf("@");
    return { local: anyOf([address.slice(0, at)], "i"), domain: anyOf([address.slice(at + 1)], "i") };
  });
  return (header) => halves.some(({ local, domain }) => domain.test(header) && local.test(header));
}

function namesKnown(header: string, known: Interest["knownIds"]): boolean {
  for (const [id] of header.matchAll(/<[^<>\s]+>/g)) if (known.has(id)) return true;
  // Some programs leave the brackets out.
  for (const [, ids = ""] of header.matchAll(/^(?:in-reply-to|references)[ \t]*:((?:[^\n]|\n[ \t])*)/gim))
    for (const id of ids.split(/[\s,<>]+/)) if (id !== "" && known.has(`<${id}>`)) return true;
  return false;
}

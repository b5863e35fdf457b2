import { assemble, type Assembled } from "../../src/series/assemble.ts";
import { readMessage } from "../../src/series/read-message.ts";

export type MailFields = {
  subject: string;
  id?: string | null;
  from?: string;
  /** Minutes after the start of the tests' day. */
  minute?: number;
  date?: string | null;
  to?: string;
  reply?: string;
  references?: readonly string[];
  headers?: readonly string[];
  body?: string;
};

export const START_MS = Date.UTC(2024, 2, 4, 9, 0, 0);
export const LATER = new Date(START_MS + 40 * 24 * 60 * 60_000);

const JANE = "Jane Roe <jane@dev.example>";

/** A small diff that nothing but its name and words tell from others. */
export function diff(path = "notes/oven.txt", words = "warm it first"): string {
  return [
    `diff --git a/${path} b/${path}`,
    "index 1111111..2222222 100644",
    `--- a/${path}`,
    `+++ b/${path}`,
    "@@ -1,3 +1,4 @@",
    " take a bowl",
    " take a spoon",
    `+${words}`,
    " mix",
    "",
  ].join("\n");
}

/** The body of a patch mail as git writes it. */
export function patchText(
  path?: string,
  words?: string,
  message = "Cold dough does not rise.\n\nSigned-off-by: Jane Roe <jane@dev.example>",
): string {
  return `${message}\n---\n ${path ?? "notes/oven.txt"} | 1 +\n 1 file changed, 1 insertion(+)\n\n${diff(path, words)}-- \n2.39.5\n`;
}

/** A raw mail. Without a body it holds a patch of a file that its subject names. */
export function mailText(fields: MailFields): Buffer {
  const {
    subject,
    id = `<${subject.replaceAll(/[^A-Za-z0-9]/g, "")}@dev.example>`,
    from = JANE,
    minute = 0,
  } = fields;
  const {
    date = new Date(START_MS + minute * 60_000).toUTCString(),
    reply,
    references,
    headers = [],
  } = fields;
  const lines = [
    `From: ${from}`,
    `To: ${fields.to ?? "kitchen@lists.example"}`,
    `Subject: ${subject}`,
    ...(date === null ? [] : [`Date: ${date}`]),
    ...(id === null ? [] : [`Message-ID: ${id}`]),
    ...(reply === undefined ? [] : [`In-Reply-To: ${reply}`]),
    ...(references === undefined
      ? reply === undefined
        ? []
        : [`References: ${reply}`]
      : [`References: ${references.join(" ")}`]),
    ...headers,
  ];
  const name = subject.replaceAll(/[^a-z0-9]/gi, "").toLowerCase();
  return Buffer.from(`${lines.join("\n")}\n\n${fields.body ?? patchText(`notes/${name}.txt`)}`);
}

export async function read(fields: MailFields) {
  return readMessage(mailText(fields));
}

/** Mails put together, long after they were sent. */
export async function assembled(mails: readonly (MailFields | Buffer)[], now = LATER): Promise<Assembled> {
  const raws = mails.map((mail) => (Buffer.isBuffer(mail) ? mail : mailText(mail)));
  return assemble(await Promise.all(raws.map((raw) => readMessage(raw))), { now });
}

/** Each series in short: `v2 0,1,2/3 ready`. */
export function inShort({ series }: Assembled): string[] {
  return series.map(({ version, cover, parts, total, state, missing }) => {
    const indexes = [...(cover ? [0] : []), ...parts.map(({ index }) => index)].join(",");
    return `v${version} ${indexes}/${total} ${state}${missing.length > 0 ? ` without ${missing.join(",")}` : ""}`;
  });
}

import { array, assert, asyncProperty, boolean, constantFrom, nat, record } from "fast-check";
import { simpleParser } from "mailparser";
import { describe, expect, it } from "vitest";
import { concernsUs, createScan, TEMPLATE_PATH_PARTS, type Interest } from "../../src/sources/scan.ts";

const interest: Interest = {
  pathParts: TEMPLATE_PATH_PARTS,
  addresses: ["tare@ci.example.org"],
  knownIds: new Set(["<thread-1@example.org>"]),
};

const mail = (headers: readonly string[], body: string) =>
  Buffer.from(["From: Ada <ada@example.net>", "Subject: [PATCH] x", ...headers, "", body].join("\n"));

const PATCH = "diff --git a/tests/Dockerfile b/tests/Dockerfile\n--- a/tests/Dockerfile\n";

describe("concernsUs", () => {
  it.each([
    ["a path as it is", mail([], PATCH), true],
    ["another path", mail([], "diff --git a/lib/list.c b/lib/list.c\n"), false],
    ["its address", mail(['Cc: "Tare (bot)" <Tare@CI.example.org>'], "hello"), true],
    ["its address with a plus", mail(["To: tare+run@ci.example.org"], "hello"), true],
    ["its address in the body alone", mail([], "ask tare@ci.example.org"), false],
    ["an encoded address", mail(["To: =?utf-8?q?tare=40ci=2Eexample=2Eorg?="], "hello"), true],
    ["a known thread", mail(["References: <a@b>\n\t<thread-1@example.org>"], "hello"), true],
    ["a known thread without brackets", mail(["In-Reply-To: thread-1@example.org"], "hello"), true],
    ["another thread", mail(["References: <a@b> <thread-2@example.org>"], "hello"), false],
    [
      "a path that a soft break parts",
      mail(["Content-Transfer-Encoding: quoted-printable"], "--- a/tests/Docker=\nfile\n"),
      true,
    ],
    [
      "a path with an escaped letter",
      mail(["content-transfer-encoding:\n Quoted-Printable"], "--- a/tests/Docker=66ile\r\n"),
      true,
    ],
    [
      "quoted text without a path",
      mail(["Content-Transfer-Encoding: quoted-printable"], "caf=C3=A9=\n s"),
      false,
    ],
    [
      "a path in base64",
      mail(["Content-Transfer-Encoding: base64"], Buffer.from(PATCH).toString("base64")),
      true,
    ],
    [
      "base64 without a path",
      mail(["Content-Transfer-Encoding: base64"], Buffer.from("hello there").toString("base64")),
      false,
    ],
    ["an unknown encoding", mail(["Content-Transfer-Encoding: x-uuencode"], "begin 644 x\n"), true],
    ["UTF-7", mail(["Content-Type: text/plain; charset=utf-7"], "hello"), true],
    ["8bit", mail(["Content-Transfer-Encoding: 8bit"], "hello"), false],
  ])("looks at %s", (_, raw, expected) => {
    expect(concernsUs(raw, interest)).toBe(expected);
  });

  it("passes what is damaged on to the parser", () => {
    const body = `${Buffer.from("hello").toString("base64")}\n____\nlist footer`;
    expect(concernsUs(mail(["Content-Transfer-Encoding: base64"], body), interest)).toBe(true);
  });
});

/** Encoders of a part, some of them sloppy as programs are. */
const ENCODERS: Record<string, (text: string, seed: number) => string> = {
  "7bit": (text) => text,
  "8bit": (text) => text,
  base64: (text, seed) => wrap(Buffer.from(text).toString("base64"), 20 + (seed % 57), "\n"),
  "Quoted-Printable": quoted,
  BASE64: (text) => `${Buffer.from(text).toString("base64")}\n\n`,
};

function wrap(text: string, width: number, end: string): string {
  return text.match(new RegExp(`.{1,${width}}`, "g"))?.join(end) ?? "";
}

/** Letters are escaped and lines broken wherever the seed says. */
function quoted(text: string, seed: number): string {
  let state = seed + 1;
  return [...Buffer.from(text)]
    .map((byte) => {
      state = (state * 1_103_515_245 + 12_345) & 0x7f_ff_ff_ff;
      const isSafe = byte < 127 && byte !== 61 && (byte > 31 || byte === 10) && state % 7 !== 0;
      const hex = byte.toString(16).padStart(2, "0");
      const written = isSafe ? String.fromCharCode(byte) : `=${state % 2 === 0 ? hex : hex.toUpperCase()}`;
      return state % 11 === 0 ? `=${state % 3 === 0 ? " " : ""}\n${written}` : written;
    })
    .join("");
}

const words = constantFrom(
  "tests/Dockerfile",
  ".gitlab-ci.yml",
  "ci/docker/run.sh",
  "lib/list.c",
  "café",
  "=41",
  "--",
  "\n",
  "> diff",
  "a ",
  "Docker",
  "file",
);
const text = array(words, { maxLength: 8 }).map((all) => all.join(""));
const part = record({
  text,
  encoding: constantFrom(...Object.keys(ENCODERS)),
  seed: nat(1_000_000),
  isMessage: boolean(),
});
const tree = array(part, { minLength: 1, maxLength: 3 });
const ends = constantFrom("\n", "\r\n");
const header = constantFrom(
  "To: list@example.org",
  "To: Tare <tare@ci.example.org>",
  'Cc: Ops: "a, b" <x@example.org>, TARE+x@ci.example.org;',
  "In-Reply-To: <thread-1@example.org>",
  "References: <q@example.org>\n <thread-1@example.org>",
  "References: thread-1@example.org",
);

function build(
  parts: { text: string; encoding: string; seed: number; isMessage: boolean }[],
  top: string,
): string {
  const bodies = parts.map(({ text: content, encoding, seed, isMessage }) => {
    const type = "Content-Type: text/plain; charset=utf-8\n";
    const encoded = `${type}Content-Transfer-Encoding: ${encoding}\n\n${ENCODERS[encoding]?.(content, seed) ?? ""}`;
    return isMessage
      ? `Content-Type: message/rfc822\n\nSubject: inner\nMIME-Version: 1.0\n${encoded}`
      : encoded;
  });
  const start = `From: a@example.net\n${top}\nMIME-Version: 1.0\n`;
  if (bodies.length === 1) return start + (bodies[0] ?? "");
  return `${start}Content-Type: multipart/mixed; boundary=b0\n\n--b0\n${bodies.join("\n--b0\n")}\n--b0--\n`;
}

describe("the scan against a whole parser", () => {
  it("never says no where the parser finds something", async () => {
    const scan = createScan(interest);
    const missed: string[] = [];
    let found = 0;
    await assert(
      asyncProperty(tree, header, ends, async (parts, top, end) => {
        const raw = Buffer.from(build(parts, top).replaceAll("\n", end));
        if (!(await oracle(raw))) return;
        found += 1;
        if (!scan(raw)) missed.push(raw.toString("latin1"));
      }),
      { numRuns: 1500 },
    );
    expect(missed).toStrictEqual([]);
    expect(found).toBeGreaterThan(300);
  });

  it("says no where nothing is there", async () => {
    const raw = Buffer.from(
      build([{ text: "lib/list.c", encoding: "8bit", seed: 1, isMessage: false }], "To: list@example.org"),
    );
    expect(await oracle(raw)).toBe(false);
    expect(concernsUs(raw, interest)).toBe(false);
  });
});

async function oracle(raw: Buffer): Promise<boolean> {
  const parsed = await simpleParser(raw, { skipHtmlToText: true, skipTextToHtml: true });
  const texts = [parsed.text ?? "", ...parsed.attachments.map(({ content }) => content.toString("latin1"))];
  if (texts.some((one) => TEMPLATE_PATH_PARTS.some((path) => one.includes(path)))) return true;
  const inner = parsed.attachments.filter(({ contentType }) => contentType === "message/rfc822");
  for (const { content } of inner) if (await oracle(content)) return true;
  const ids = [parsed.inReplyTo ?? "", parsed.references ?? []].flat();
  const to = [parsed.to ?? [], parsed.cc ?? []].flat().flatMap(({ value }) => value);
  const people = to.flatMap((person) => [person, ...(person.group ?? [])]);
  return (
    ids.some((id) => interest.knownIds.has(id)) ||
    people.some(({ address = "" }) => /^tare(?:\+[^@]*)?@ci\.example\.org$/i.test(address))
  );
}

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { readMessage } from "../../src/series/read-message.ts";
import { diff, mailText, patchText, read } from "./mails.ts";

const directory = mkdtempSync(join(tmpdir(), "tare-mailinfo-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What git itself makes of a mail. */
function byGit(raw: Buffer, ...options: string[]) {
  const [message, patch] = [join(directory, "message"), join(directory, "patch")];
  const info = execFileSync(
    "git",
    ["mailinfo", "--scissors", "--quoted-cr=nowarn", ...options, message, patch],
    { input: raw, encoding: "utf8" },
  );
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(info)?.[1] ?? "";
  return {
    title: field("Subject"),
    author: { name: field("Author"), address: field("Email") },
    message: readFileSync(message, "utf8").trim(),
    patchId: patchId(readFileSync(patch)),
  };
}

function patchId(patch: Buffer): string | null {
  const said = execFileSync("git", ["patch-id", "--stable"], { input: patch, encoding: "utf8" });
  return said === "" ? null : said.slice(0, 40);
}

async function byTare(raw: Buffer) {
  const { title, author, message, patch, type } = await readMessage(raw);
  expect(type).toBe("patch");
  return { title, author, message, patchId: patch?.id ?? null };
}

const HEAD =
  "From: Jane Roe <jane@dev.example>\nDate: Mon, 4 Mar 2024 10:00:00 +0100\nMessage-ID: <a@dev.example>\nMIME-Version: 1.0\n";
const SUBJECT = "Subject: [PATCH v2 1/3] oven: warm it\n";
const mail = (headers: string, body: string | Buffer) =>
  Buffer.concat([Buffer.from(`${HEAD}${headers}\n`), Buffer.from(body)]);
const base64 = (text: string | Buffer) =>
  `${Buffer.from(text)
    .toString("base64")
    .replaceAll(/(.{76})/g, "$1\n")}\n`;
const quoted = (text: string) =>
  text
    .replaceAll(/[^\n !-<>-~]/g, (one) =>
      [...Buffer.from(one)].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
    )
    .replaceAll(/ $/gm, "=20");

const RENAME = `diff --git a/old name.txt b/new name.txt
similarity index 80%
rename from old name.txt
rename to new name.txt
index 1111111..2222222 100644
--- a/old name.txt
+++ b/new name.txt
@@ -1,2 +1,2 @@
 one
-two
+three
`;
const MODES = `diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
diff --git a/gone.txt b/gone.txt
deleted file mode 100644
index 1111111..0000000
--- a/gone.txt
+++ /dev/null
@@ -1 +0,0 @@
-bye
diff --git a/empty b/empty
new file mode 100644
index 0000000..e69de29
`;
const BINARY = `diff --git a/dot.png b/dot.png
new file mode 100644
index 0000000000000000000000000000000000000000..1234567890123456789012345678901234567890
GIT binary patch
literal 12
Tcmeyc0123456789abcdefghijk

literal 0
HcmV?d00001

diff --git "a/gr\\303\\274n.txt" "b/gr\\303\\274n.txt"
index 1111111..2222222 100644
--- "a/gr\\303\\274n.txt"
+++ "b/gr\\303\\274n.txt"
@@ -1 +1 @@
-a
+b
\\ No newline at end of file
`;
const NO_PREFIX = diff("notes/oven.txt").replaceAll(/ [ab]\//g, " ");
const message = (text: string, patch = diff()) => `${text}\n---\n a | 1 +\n\n${patch}-- \n2.39.5\n`;

describe("readMessage and git mailinfo agree about", () => {
  it.each<[string, Buffer]>([
    ["a plain mail", mail(SUBJECT, patchText())],
    ["a mail with CR LF", Buffer.from(mail(SUBJECT, patchText()).toString().replaceAll("\n", "\r\n"))],
    [
      "an mbox line above",
      Buffer.concat([Buffer.from("From jane Mon Sep 17 00:00:00 2001\n"), mail(SUBJECT, patchText())]),
    ],
    [
      "base64",
      mail(
        `${SUBJECT}Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n`,
        base64(message("Öfen sind heiß.")),
      ),
    ],
    [
      "quoted-printable",
      mail(
        `${SUBJECT}Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n`,
        quoted(message("Öfen = heiß. ")),
      ),
    ],
    [
      "Latin-1",
      mail(
        `${SUBJECT}Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n`,
        Buffer.from(message("Öfen sind heiß."), "latin1"),
      ),
    ],
    [
      "an encoded subject",
      mail(
        "Subject: =?utf-8?q?=5BPATCH=5D_Gr=C3=BC=C3=9Fe?=\n =?utf-8?q?_aus_der_K=C3=BCche?=\nContent-Type: text/plain; charset=utf-8\n",
        patchText(),
      ),
    ],
    ["a From in the body", mail(SUBJECT, `From: Max Müller <max@dev.example>\n\n${patchText()}`)],
    [
      "From and Subject in the body",
      mail(
        SUBJECT,
        `From: Max <max@dev.example>\nSubject: a longer\n title of it\nDate: Sun, 3 Mar 2024 10:00:00 +0100\n\n${patchText()}`,
      ),
    ],
    [
      "scissors",
      mail(
        SUBJECT,
        `Hello, what about this?\n\n-- >8 --\nFrom: Max <max@dev.example>\nSubject: [PATCH] sink: clean it\n\n${patchText()}`,
      ),
    ],
    ["notes below ---", mail(SUBJECT, message("Why.\n\nSigned-off-by: J <j@dev.example>\n---\nv2: better"))],
    ["a rename", mail(SUBJECT, message("Why.", RENAME))],
    ["modes, deletions and empty files", mail(SUBJECT, message("Why.", MODES))],
    ["binary files and odd names", mail(SUBJECT, message("Why.", BINARY))],
    ["no prefixes", mail(SUBJECT, message("Why.", NO_PREFIX))],
    [
      "a footer of the list below",
      mail(
        SUBJECT,
        `${patchText()}_______________________________________________\nkitchen mailing list\nhttps://lists.example/kitchen\n`,
      ),
    ],
    [
      "format=flowed",
      mail(
        `${SUBJECT}Content-Type: text/plain; charset=utf-8; format=flowed\n`,
        message("A long line that \ngoes on.", diff()).replaceAll(/^ /gm, "  "),
      ),
    ],
    [
      "format=flowed with DelSp",
      mail(
        `${SUBJECT}Content-Type: text/plain; format=flowed; delsp=yes\n`,
        message("A long li \nne.", diff().replaceAll(/^\+warm it first$/gm, "+warm  \nit first")).replaceAll(
          /^ (?=take|mix)/gm,
          "  ",
        ),
      ),
    ],
    [
      "several text parts",
      mail(
        `${SUBJECT}Content-Type: multipart/mixed; boundary=b\n`,
        `--b\nContent-Type: text/plain\n\n${patchText()}\n--b\nContent-Type: text/plain\n\nlist footer\n--b--\n`,
      ),
    ],
    [
      "a patch that git calls text/x-patch",
      mail(
        `${SUBJECT}Content-Type: multipart/mixed; boundary=b\n`,
        `--b\nContent-Type: text/plain; charset=utf-8\n\nWhy it is so.\n\n--b\nContent-Type: text/x-patch; name=oven.patch\nContent-Disposition: attachment; filename=oven.patch\n\n${diff()}\n--b--\n`,
      ),
    ],
  ])("%s", async (_, raw) => {
    const [ours, theirs] = [await byTare(raw), byGit(raw)];
    expect({ ...ours, message: ours.message.replaceAll(/\s+/g, " ") }).toEqual({
      ...theirs,
      message: theirs.message.replaceAll(/\s+/g, " "),
    });
    expect(ours.patchId).toMatch(/^[0-9a-f]{40}$/);
  });
});

it("takes prose that starts with From: for prose, where git takes it for an author without an address", async () => {
  const found = await readMessage(mail(SUBJECT, message("From: what I see, this is right.\n\nIt is.")));
  expect(found).toMatchObject({
    author: { name: "Jane Roe" },
    message: "From: what I see, this is right.\n\nIt is.",
  });
});

describe("a patch is found", () => {
  it("where the boundary of its parts is nowhere", async () => {
    const found = await readMessage(
      mail(`${SUBJECT}Content-Type: multipart/mixed; boundary=lost\n`, patchText()),
    );
    expect(found).toMatchObject({ type: "patch", patch: { id: patchId(Buffer.from(diff())) } });
  });

  const files = async (raw: Buffer) =>
    (await readMessage(raw)).patch?.files.map(({ oldPath, newPath }) => [oldPath, newPath]);

  it.each<[string, string, unknown]>([
    ["of git", diff(), [["notes/oven.txt", "notes/oven.txt"]]],
    ["without prefixes", NO_PREFIX, [["notes/oven.txt", "notes/oven.txt"]]],
    ["a rename", RENAME, [["old name.txt", "new name.txt"]]],
    [
      "modes",
      MODES,
      [
        ["run.sh", "run.sh"],
        ["gone.txt", null],
        [null, "empty"],
      ],
    ],
    [
      "binary",
      BINARY,
      [
        [null, "dot.png"],
        ["grün.txt", "grün.txt"],
      ],
    ],
    ["of diff -u", diff().split("\n").slice(2).join("\n"), [["notes/oven.txt", "notes/oven.txt"]]],
    [
      "of diff -Naur",
      `diff -Naur kitchen.orig/oven.txt kitchen/oven.txt\n--- kitchen.orig/oven.txt\t2024-03-04 10:00:00.000000000 +0100\n+++ kitchen/oven.txt\t2024-03-04 10:01:00.000000000 +0100\n@@ -1 +1 @@\n-a\n+b\n`,
      [["oven.txt", "oven.txt"]],
    ],
    [
      "of quilt",
      `Index: kitchen/oven.txt\n===================================================================\n--- kitchen.orig/oven.txt\n+++ kitchen/oven.txt\n@@ -1 +1 @@\n-a\n+b\n`,
      [["kitchen/oven.txt", "kitchen/oven.txt"]],
    ],
    [
      "of Subversion",
      `Index: oven.txt\n===================================================================\n--- oven.txt\t(revision 12)\n+++ oven.txt\t(working copy)\n@@ -1 +1 @@\n-a\n+b\n`,
      [["oven.txt", "oven.txt"]],
    ],
    [
      "of CVS",
      `Index: oven.c\n===================================================================\nRCS file: /cvs/kitchen/oven.c,v\nretrieving revision 1.4\ndiff -u -p -r1.4 oven.c\n--- oven.c\t4 Mar 2024 10:00:00 -0000\t1.4\n+++ oven.c\t4 Mar 2024 10:00:01 -0000\n@@ -1 +1 @@\n-a\n+b\n`,
      [["oven.c", "oven.c"]],
    ],
    [
      "of Mercurial",
      `diff -r 0123456789ab -r ba9876543210 oven.txt\n--- a/oven.txt\tMon Mar 04 10:00:00 2024 +0100\n+++ b/oven.txt\tMon Mar 04 10:00:01 2024 +0100\n@@ -1 +1 @@\n-a\n+b\n`,
      [["oven.txt", "oven.txt"]],
    ],
    [
      "of Bazaar",
      `=== modified file 'oven.txt'\n--- oven.txt\t2024-03-04 10:00:00 +0000\n+++ oven.txt\t2024-03-04 10:00:01 +0000\n@@ -1 +1 @@\n-a\n+b\n`,
      [["oven.txt", "oven.txt"]],
    ],
    [
      "in context form",
      `*** oven.txt\t2024-03-04\n--- oven.txt\t2024-03-05\n***************\n*** 1,2 ****\n  a\n! b\n--- 1,2 ----\n  a\n! c\n`,
      [["oven.txt", "oven.txt"]],
    ],
    [
      "of a merge",
      `diff --cc oven.txt\nindex 1111111,2222222..3333333\n--- a/oven.txt\n+++ b/oven.txt\n@@@ -1,1 -1,1 +1,1 @@@\n- a\n -b\n++c\n`,
      [["oven.txt", "oven.txt"]],
    ],
    [
      "with other prefixes",
      diff().replaceAll(" a/", " i/").replaceAll(" b/", " w/"),
      [["notes/oven.txt", "notes/oven.txt"]],
    ],
  ])("%s", async (_, patch, expected) => {
    expect(await files(mail(SUBJECT, message("Why.", patch)))).toEqual(expected);
    expect(await files(Buffer.from(patch))).toEqual(expected);
  });

  const JANE = { title: "oven: warm it", author: { name: "Jane Roe", address: "jane@dev.example" } };
  it.each<[string, string, string, object]>([
    ["an attachment of any type", "application/octet-stream; name=oven.patch", diff(), JANE],
    ["an attachment that says nothing", "application/x-unknown", diff(), JANE],
    [
      "a git format-patch file",
      "text/x-patch; name=0001-oven.patch",
      `From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001\nFrom: =?UTF-8?q?Max=20M=C3=BCller?= <max@dev.example>\nDate: Mon, 4 Mar 2024 09:00:00 +0000\nSubject: [PATCH] sink: clean\n it\n\n${patchText()}`,
      { title: "sink: clean it", author: { name: "Max Müller", address: "max@dev.example" } },
    ],
  ])("in %s", async (_, type, content, said) => {
    const body = `--b\nContent-Type: text/plain\n\nHere it is.\n--b\nContent-Type: ${type}\nContent-Disposition: attachment; filename=oven.patch\nContent-Transfer-Encoding: base64\n\n${base64(content)}\n--b--\n`;
    const found = await readMessage(mail(`${SUBJECT}Content-Type: multipart/mixed; boundary=b\n`, body));
    expect(found).toMatchObject({ ...said, type: "patch", patch: { id: patchId(Buffer.from(diff())) } });
  });

  it("once where it is inline and attached", async () => {
    const body = `--b\nContent-Type: text/plain\n\n${patchText()}\n--b\nContent-Type: text/x-patch; name=a.patch\n\n${diff()}\n--b--\n`;
    const found = await readMessage(mail(`${SUBJECT}Content-Type: multipart/mixed; boundary=b\n`, body));
    expect(found.patch?.files).toHaveLength(1);
    expect(found.flaws).toEqual([]);
  });

  it("with all of its parts where several are attached, and says so", async () => {
    const part = (name: string) => `--b\nContent-Type: text/x-patch; name=${name}.patch\n\n${diff(name)}\n`;
    const found = await readMessage(
      mail(`${SUBJECT}Content-Type: multipart/mixed; boundary=b\n`, `${part("a")}${part("b")}--b--\n`),
    );
    expect(found.patch?.files.map(({ newPath }) => newPath)).toEqual(["a", "b"]);
    expect(found.flaws.map(({ code }) => code)).toEqual(["several-patches"]);
  });

  it.each([
    ["in UTF-16", Buffer.from(`\ufeff${patchText()}`, "utf16le"), "utf-16"],
    ["in a charset that nobody knows", Buffer.from(patchText()), "klingon"],
    ["in a charset that it is not in", Buffer.from(message("Öfen"), "latin1"), "utf-8"],
  ])("%s", async (_, body, charset) => {
    const found = await readMessage(
      mail(
        `${SUBJECT}Content-Type: text/plain; charset=${charset}\nContent-Transfer-Encoding: base64\n`,
        base64(body),
      ),
    );
    expect(found.patch?.id).toBe(patchId(Buffer.from(diff())));
    expect(found.flaws.map(({ code }) => code)).toEqual(charset === "klingon" ? ["charset-unknown"] : []);
  });

  it("without the CRs that base64 brought, and with those of the file", async () => {
    const headers = `${SUBJECT}Content-Type: text/plain\nContent-Transfer-Encoding: base64\n`;
    const brought = await readMessage(mail(headers, base64(patchText().replaceAll("\n", "\r\n"))));
    expect(brought.patch?.content.toString()).toBe(diff());
    const own = diff().replaceAll(/^([ +](?:take a bowl|take a spoon|warm it first|mix))$/gm, "$1\r");
    const kept = await readMessage(mail(headers, base64(message("Why.", own))));
    expect(kept.patch?.content.toString()).toBe(own);
  });

  it("with wrapped lines, which is told", async () => {
    const found = await readMessage(
      mail(SUBJECT, message("Why.", diff().replace("+warm it first", "+warm\nit first"))),
    );
    expect(found.type).toBe("patch");
    expect(found.flaws.map(({ code }) => code)).toEqual(["hunk-damaged"]);
    expect(found.flaws[0]?.message).toContain("notes/oven.txt");
  });

  it("in an export of Mercurial, with its user and message", async () => {
    const text = `# HG changeset patch\n# User Max <max@dev.example>\n# Date 1709542800 -3600\n# Node ID 0123456789abcdef0123456789abcdef01234567\n# Parent  ba98765432100123456789abcdef0123456789ab\noven: warm it\n\nBecause.\n\n${diff()}`;
    const found = await readMessage(
      mail("Subject: [PATCH 1 of 2] oven: warm it\nX-Mercurial-Series-Id: abc.2@dev\n", text),
    );
    expect(found).toMatchObject({
      type: "patch",
      title: "oven: warm it",
      message: "Because.",
      author: { name: "Max" },
      batch: "hg abc.2@dev",
    });
    expect(await readMessage(Buffer.from(text))).toMatchObject({
      type: "patch",
      title: "oven: warm it",
      isDerivedId: true,
    });
  });
});

describe("the type of a mail", () => {
  const QUOTE = "> diff --git a/x b/x\n> @@ -1 +1 @@\n";
  it.each<[string, Partial<Parameters<typeof read>[0]>, string, string[]]>([
    ["a patch", {}, "patch", []],
    ["a patch without a mark", { subject: "warm the oven" }, "patch", []],
    ["a patch in a thread without a mark", { subject: "warm the oven", reply: "<x@x>" }, "patch", []],
    ["a cover", { subject: "[PATCH 0/2] kitchen", body: "About.\n" }, "cover", []],
    [
      "a cover with an interdiff",
      { subject: "[PATCH v2 0/2] kitchen", body: `About.\n\n${diff()}` },
      "cover",
      [],
    ],
    ["a reply", { subject: "Re: [PATCH] oven", reply: "<x@x>", body: QUOTE }, "reply", []],
    ["a reply in German", { subject: "AW: [PATCH] oven", reply: "<x@x>", body: QUOTE }, "reply", []],
    ["a reply with a diff", { subject: "Re: [PATCH] oven", reply: "<x@x>" }, "reply", ["patch-in-reply"]],
    [
      "a review with a diff and another subject",
      { subject: "oven", reply: "<x@x>", body: `> why\n\nBecause:\n${diff()}` },
      "reply",
      ["patch-in-reply"],
    ],
    ["a forward", { subject: "Fwd: [PATCH] oven" }, "other", ["no-patch"]],
    [
      "a pull request",
      { subject: "[GIT PULL] kitchen", body: "The following changes since commit 0123456789:\n" },
      "other",
      [],
    ],
    ["a part of a pull request", { subject: "[PULL 1/2] kitchen" }, "patch", []],
    [
      "a patch that is not there",
      { subject: "[PATCH] oven", body: "see attachment\n" },
      "other",
      ["no-patch"],
    ],
    ["talk", { subject: "oven?", body: "hm\n" }, "other", []],
  ])("%s", async (_, fields, type, flaws) => {
    const found = await read({ subject: "[PATCH] oven", ...fields });
    expect([found.type, found.flaws.map(({ code }) => code)]).toEqual([type, flaws]);
  });

  it("is none of them for a bounce that holds a patch", async () => {
    const body = `--b\nContent-Type: text/plain\n\nnot delivered\n--b\nContent-Type: message/rfc822\n\n${mailText({ subject: "[PATCH] oven" }).toString()}\n--b--\n`;
    const found = await readMessage(
      mail(
        "Subject: Undelivered Mail Returned to Sender\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n",
        body,
      ),
    );
    expect(found).toMatchObject({ type: "other", robot: "it is a delivery report", patch: null });
  });
});

describe("the author", () => {
  it.each<[string, string, string[], { name: string; address: string }]>([
    ["From", "Jane Roe <jane@dev.example>", [], { name: "Jane Roe", address: "jane@dev.example" }],
    [
      "Reply-To behind a list",
      "Jane Roe via Kitchen <kitchen@lists.example>",
      ["Reply-To: Jane Roe <jane@dev.example>"],
      { name: "Jane Roe", address: "jane@dev.example" },
    ],
    [
      "Reply-To that names the list, too",
      "Jane Roe via Kitchen <kitchen@lists.example>",
      ["Reply-To: kitchen@lists.example, Jane Roe <jane@dev.example>"],
      { name: "Jane Roe", address: "jane@dev.example" },
    ],
    [
      "X-Original-From",
      "'Jane Roe' via kitchen <kitchen@groups.example>",
      ["X-Original-From: Jane Roe <jane@dev.example>", "Reply-To: kitchen@groups.example"],
      { name: "Jane Roe", address: "jane@dev.example" },
    ],
    [
      "From of a list without via",
      "Jane Roe <kitchen@lists.example>",
      ["List-Post: <mailto:kitchen@lists.example>", "Reply-To: Jane Roe <jane@dev.example>"],
      { name: "Jane Roe", address: "jane@dev.example" },
    ],
    [
      "an address written into another",
      "Jane Roe <jane=dev.example@dmarc.lists.example>",
      [],
      { name: "Jane Roe", address: "jane@dev.example" },
    ],
    [
      "a name that holds via",
      "Via Roe <via@dev.example>",
      ["Reply-To: other@dev.example"],
      { name: "Via Roe", address: "via@dev.example" },
    ],
    [
      "encoded words",
      "=?utf-8?b?SsO8cmdlbg==?= <j@dev.example>",
      [],
      { name: "Jürgen", address: "j@dev.example" },
    ],
    [
      "an archive that hides addresses",
      "jane at dev.example (Jane Roe)",
      [],
      { name: "Jane Roe", address: "jane@dev.example" },
    ],
    ["a name without an address", "Jane Roe", [], { name: "Jane Roe", address: "" }],
    [
      "a comment behind the address",
      "jane@dev.example (Jane Roe)",
      [],
      { name: "Jane Roe", address: "jane@dev.example" },
    ],
    [
      "several addresses",
      "Jane Roe <jane@dev.example>, Max <max@dev.example>",
      [],
      { name: "Jane Roe", address: "jane@dev.example" },
    ],
  ])("is read from %s", async (_, from, headers, author) => {
    expect((await read({ subject: "[PATCH] oven", from, headers })).author).toEqual(author);
  });

  it("is read from 8-bit headers in either charset", async () => {
    for (const charset of ["utf8", "latin1"] as const) {
      const raw = Buffer.from("From: Jürgen <j@dev.example>\nSubject: [PATCH] Öfen\n\nx\n", charset);
      expect(await readMessage(raw)).toMatchObject({ author: { name: "Jürgen" }, title: "Öfen" });
    }
  });
});

describe("tags and trailers", () => {
  const reply = (body: string) => read({ subject: "Re: [PATCH] oven", reply: "<x@x>", body });
  it.each<[string, string[]]>([
    ["Reviewed-by: Rita <rita@dev.example>", ["Reviewed-by Rita <rita@dev.example>"]],
    ["tested-By: Rita (corp) <rita@dev.example>", ["Tested-by Rita (corp) <rita@dev.example>"]],
    ["Acked-by: rita@dev.example", ["Acked-by rita@dev.example"]],
    [
      "Reviewed-and-tested-by: Rita <rita@dev.example> # on arm",
      ["Reviewed-and-tested-by Rita <rita@dev.example> # on arm"],
    ],
    [
      "Reviewed-by: Rita with a very long name\n <rita@dev.example>",
      ["Reviewed-by Rita with a very long name <rita@dev.example>"],
    ],
    [
      "Reviewed-by: Rita <rita@dev.example<mailto:rita@dev.example>>",
      ["Reviewed-by Rita <rita@dev.example>"],
    ],
    ['Fixes: 0123456789ab ("oven: cold")', ['Fixes 0123456789ab ("oven: cold")']],
    ["> Reviewed-by: Rita <rita@dev.example>", []],
    ["RR> Reviewed-by: Rita <rita@dev.example>", []],
    ["  Reviewed-by: Rita <rita@dev.example>", []],
    ["you can add Reviewed-by: Rita <rita@dev.example>", []],
    ["Reviewed-by: Rita", []],
    ["Reviewed-by:", []],
    ["Fixes: the oven", []],
    ["-----Original Message-----\nFrom: Max\n\nReviewed-by: Rita <rita@dev.example>", []],
    ["hi\n-- \nReviewed-by: Rita <rita@dev.example>", []],
  ])("%j", async (body, expected) => {
    expect((await reply(`Hello.\n\n${body}\n`)).tags.map(({ name, value }) => `${name} ${value}`)).toEqual(
      expected,
    );
  });

  it("of a patch are those of its message", async () => {
    const text =
      'Why.\n\nFixes: 0123456789ab ("x")\nCc: stable@dev.example\nSigned-off-by: Jane <jane@dev.example>';
    const { trailers, tags } = await read({
      subject: "[PATCH] oven",
      body: message(`${text}\n---\nReviewed-by: No <no@dev.example>`),
    });
    expect(trailers.map(({ name }) => name)).toEqual(["Fixes", "Cc", "Signed-off-by"]);
    expect(tags).toEqual([]);
  });
});

describe("the base", () => {
  it("is read wherever it is written, and not from quotes", async () => {
    const body = `${patchText()}\nbase-commit: 0123456789ABCDEF0123456789abcdef01234567\nprerequisite-patch-id: 1111111111111111111111111111111111111111\nprerequisite-patch-id: 2222222222222222222222222222222222222222\n> base-commit: 9999999\nprerequisite-change-id: 20240301-sink-0a1b:v2\nprerequisite-message-id: <p@x>\nBased-on: 20240303.1@dev.example (sink)\nDepends-on: https://lore.example/r/20240302.1-2-a@dev.example/\nDepends-on: [PATCH] some words\n`;
    expect((await read({ subject: "[PATCH next] oven", body })).base).toEqual({
      baseCommit: "0123456789abcdef0123456789abcdef01234567",
      basedOn: ["<20240303.1@dev.example>"],
      dependsOn: ["<20240302.1-2-a@dev.example>", "[PATCH] some words"],
      prerequisites: ["1".repeat(40), "2".repeat(40)],
      prerequisiteMessageIds: ["<p@x>"],
      prerequisiteChangeIds: ["20240301-sink-0a1b:v2"],
      changeId: null,
      subjectTags: ["next"],
    });
  });
});

describe("whatever comes", () => {
  const codes = async (raw: Buffer) => (await readMessage(raw)).flaws.map(({ code }) => code);

  it.each<[string, Buffer, string[]]>([
    ["nothing", Buffer.alloc(0), ["empty", "message-id-missing", "from-missing", "date-missing"]],
    ["gzip alone", gzipSync("diff"), ["message-id-missing", "nul-bytes", "from-missing", "date-missing"]],
    [
      "a patch packed with gzip",
      mail(
        "Subject: [PATCH] oven\nContent-Type: application/gzip\nContent-Transfer-Encoding: base64\n",
        base64(gzipSync(diff())),
      ),
      ["packed", "no-patch"],
    ],
    [
      "HTML alone",
      mail("Subject: [PATCH] oven\nContent-Type: text/html\n", "<pre>diff</pre>"),
      ["html-only", "no-patch"],
    ],
    ["NUL bytes", mail(SUBJECT, patchText("notes/oven.txt", "a\0b")), ["nul-bytes"]],
    [
      "a date in 2100",
      mailText({ subject: "[PATCH] oven", date: "Fri, 1 Jan 2100 00:00:00 +0000" }),
      ["date-implausible"],
    ],
    ["no date", mailText({ subject: "[PATCH] oven", date: null }), ["date-missing"]],
    ["no id", mailText({ subject: "[PATCH] oven", id: null }), ["message-id-missing"]],
    [
      "two of each",
      mail("From: b@dev.example\nSubject: [PATCH] a\nSubject: [PATCH] b\nMessage-ID: <b@x>\n", patchText()),
      ["header-doubled", "header-doubled", "header-doubled"],
    ],
    [
      "1,000 references",
      mailText({ subject: "[PATCH] oven", references: Array.from({ length: 1000 }, (_, n) => `<${n}@x>`) }),
      ["references-many"],
    ],
    [
      "a nest of parts",
      mail(
        "Subject: x\nContent-Type: multipart/mixed; boundary=b0\n",
        Array.from(
          { length: 3000 },
          (_, n) => `--b${n}\nContent-Type: multipart/mixed; boundary=b${n + 1}\n\n`,
        ).join(""),
      ),
      ["structure"],
    ],
    [
      "20,000 parts",
      mail(
        "Subject: x\nContent-Type: multipart/mixed; boundary=b\n",
        "--b\nContent-Type: text/plain\n\nx\n".repeat(20_000),
      ),
      ["structure"],
    ],
    ["200,000 headers", mail("X-A: b\n".repeat(200_000), "x"), ["structure"]],
  ])("%s", async (_, raw, expected) => expect(await codes(raw)).toEqual(expected));

  it("a mail above the limit is known by its head", async () => {
    const raw = Buffer.concat([mail(SUBJECT, ""), Buffer.alloc(26_000_000, "lorem ipsum\n")]);
    expect(await readMessage(raw)).toMatchObject({
      id: "<a@dev.example>",
      title: "oven: warm it",
      part: 1,
      patch: null,
      flaws: [{ code: "too-large" }, { code: "no-patch" }],
    });
  });

  it("ids in odd forms", async () => {
    for (const [written, id] of [
      ["a@x", "<a@x>"],
      ["<a@\n x>", "<a@x>"],
      ["(hm) <a@x>", "<a@x>"],
    ])
      expect((await readMessage(Buffer.from(`From: a@x\nMessage-ID: ${written}\n\nx`))).id).toBe(id);
  });

  it.each<[string, string]>([
    ["lines", "\n".repeat(3_000_000)],
    ["one line", "x".repeat(10_000_000)],
    ["quotes", "> x\n".repeat(700_000)],
    ["heads of files", "diff --git a/x b/x\n".repeat(200_000)],
    ["hunks", `diff --git a/x b/x\n--- a/x\n+++ b/x\n${"@@ -1,9 +1 @@\n-x\n+y\n".repeat(100_000)}`],
    ["lines of a diffstat", " a | 1 +\n".repeat(300_000)],
    ["scissors", "-- >8 --\n".repeat(300_000)],
    ["in-body headers", "From: a@x.example\n".repeat(200_000)],
    ["underscores", `${"_".repeat(1_000_000)}\n${`${"_".repeat(30)}\n`.repeat(50_000)}`],
  ])("a mountain of %s is read in time", async (_, body) => {
    const start = performance.now();
    expect((await readMessage(mail(SUBJECT, body))).id).toBe("<a@dev.example>");
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parsePatchMail } from "../../src/series/parse-patch-mail.ts";
import { readPatchSubject } from "../../src/series/patch-subject.ts";
import { applyPatch } from "../../src/git/apply-patch.ts";
import { readFiles } from "../../src/git/objects.ts";
import { openRepository, resolveTree } from "../../src/git/repository.ts";
import { MAIL_FIXTURES, mailBase, sampleRepository } from "../git/sample-repository.ts";

const fixture = (name: string) => readFile(join(MAIL_FIXTURES, name));
const parsed = async (name: string) => parsePatchMail(await fixture(name));

const MESSAGE =
  "Caches are shared – with upstream’s, so a fork finds them.\n\nSigned-off-by: Zoë Müller <zoe@example.org>";
const ZOE = { name: "Zoë Müller", address: "zoe@example.org" };

async function filesAfter(patch: Buffer) {
  await using sample = await sampleRepository([await mailBase()]);
  await using repository = await openRepository(sample.directory);
  const applied = await applyPatch(repository, await resolveTree(repository, "HEAD"), patch);
  const files = await readFiles(repository, applied.tree, () => true);
  return new Map(files.map((file) => [file.path, file.content]));
}

describe("parsePatchMail", () => {
  it("reads every field of a patch mail from a list", async () => {
    const { patch, text, headers, ...mail } = await parsed("8bit.eml");
    expect(mail).toEqual({
      kind: "mail",
      messageId: "<20240301.1@example.org>",
      inReplyTo: "<20240301.0@example.org>",
      references: ["<20240229.9@example.org>", "<20240301.0@example.org>"],
      subject: "[PATCH v2 3/7] ci: build the images with kaniko",
      title: "ci: build the images with kaniko",
      version: 2,
      part: 3,
      total: 7,
      from: ZOE,
      author: ZOE,
      to: [{ name: "", address: "ci@lists.example.org" }],
      cc: [
        { name: "Doe, Jane (CI)", address: "jane@example.net" },
        { name: "Søren", address: "soren@example.com" },
      ],
      replyTo: null,
      date: new Date("2024-03-01T09:00:00Z"),
      listId: "ci.lists.example.org",
      listPost: "ci@lists.example.org",
      autoSubmitted: null,
      precedence: "list",
      returnPath: "ci-bounces@lists.example.org",
      patchworkHint: null,
      tareHint: null,
      contentType: "text/plain",
      message: MESSAGE,
    });
    expect(headers.get("list-post")).toEqual(["<mailto:ci@lists.example.org>"]);
    expect(text).toContain("v2: say which images come first");
    expect(patch.toString("utf8", 0, 12)).toBe("diff --git a");
  });

  it.each([
    "8bit.eml",
    "quoted-printable.eml",
    "base64.eml",
    "crlf.eml",
    "mangled-from.eml",
    "in-body-from.eml",
    "attachment.eml",
    "format-patch.patch",
    "bare.diff",
  ])("has a patch in %s that makes the same file", async (name) => {
    const { patch } = await parsed(name);
    const content = (await filesAfter(patch)).get("ci/container-template.yml")?.toString();
    expect(content).toContain("  # gehört zu allen Abbildern, größere zuerst\n  image:\n");
    expect(content).not.toContain("\r");
  });

  it.each([
    ["8bit.eml", "mail", ZOE],
    ["quoted-printable.eml", "mail", ZOE],
    ["base64.eml", "mail", ZOE],
    ["crlf.eml", "mail", ZOE],
    ["mangled-from.eml", "mail", ZOE],
    ["in-body-from.eml", "mail", ZOE],
    ["attachment.eml", "mail", ZOE],
    ["format-patch.patch", "patch file", ZOE],
  ])("has author and message of %s", async (name, kind, author) => {
    expect(await parsed(name)).toMatchObject({
      kind,
      author,
      title: "ci: build the images with kaniko",
      message: MESSAGE,
    });
  });

  it("keeps the sender apart from the author in the body", async () => {
    expect((await parsed("in-body-from.eml")).from).toEqual({
      name: "Build Courier",
      address: "courier@example.net",
    });
  });

  it("knows nothing but the diff of a bare diff", async () => {
    expect(await parsed("bare.diff")).toMatchObject({
      kind: "diff",
      messageId: null,
      title: "",
      author: { name: "", address: "" },
      message: "",
    });
  });

  it.each(["latin1.eml", "latin1-qp.eml"])(
    "keeps the bytes of a file that is not UTF-8 (%s)",
    async (name) => {
      const { patch } = await parsed(name);
      const content = (await filesAfter(patch)).get("doc/latin1.txt");
      expect(content?.toString("latin1")).toBe("Café one\nline deux cafés\nline three\n");
    },
  );

  it("carries a binary patch whole", async () => {
    const content = (await filesAfter((await parsed("binary.eml")).patch)).get("logo.bin");
    expect(content).toEqual(Buffer.from(Array.from({ length: 256 }, (_, index) => 255 - index)));
  });

  it.each([
    ["reply-quoting.eml", "change-empty", /^The mail "Re: \[PATCH v2 3\/7\].*" quotes a diff/],
    ["reply-with-diff.eml", "change-empty", /a diff in a reply is a comment, not a patch\.$/],
    ["empty.eml", "change-empty", /^The mail "\[PATCH\] nothing here" holds no patch\.$/],
    ["pull-request.eml", "change-empty", /is a pull request: it names a branch and holds no patch\.$/],
    ["cover-letter.eml", "change-empty", /is the cover letter of a series and holds no patch\.$/],
    ["two-patches.eml", "mail-unreadable", /^The input holds 2 patches\.$/],
    ["series.mbox", "mail-unreadable", /^The input holds 2 patches\.$/],
    ["html-only.eml", "mail-unreadable", /is HTML only\.$/],
  ])("refuses %s with one Problem", async (name, code, message) => {
    await expect(parsed(name)).rejects.toMatchObject({
      name: "Problem",
      code,
      message: expect.stringMatching(message),
      remedy: expect.stringMatching(/\.$/),
    });
  });

  it.each([
    ["", "change-empty"],
    [" \n\n", "change-empty"],
    ["hello there\n", "mail-unreadable"],
    ["\0\u0001binary", "mail-unreadable"],
    ["diff --gif\n", "mail-unreadable"],
  ])("refuses %j", async (input, code) => {
    await expect(parsePatchMail(Buffer.from(input))).rejects.toMatchObject({ name: "Problem", code });
  });

  it("refuses more than 26 MB before it parses", async () => {
    const before = process.memoryUsage().rss;
    await expect(parsePatchMail(Buffer.alloc(26_000_001, 97))).rejects.toMatchObject({
      code: "mail-unreadable",
      message: "The mail has 26000001 bytes; the limit is 26000000.",
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000);
  });

  it("refuses a nest of parts in time", async () => {
    const nest = Array.from(
      { length: 5000 },
      (_, n) => `--b${n}\nContent-Type: multipart/mixed; boundary=b${n + 1}\n\n`,
    );
    const mail = `Subject: x\nContent-Type: multipart/mixed; boundary=b0\n\n${nest.join("")}`;
    const start = performance.now();
    await expect(parsePatchMail(Buffer.from(mail))).rejects.toMatchObject({ code: "mail-unreadable" });
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it.each([
    ["Date", "(".repeat(500_000)],
    ["Subject", "[".repeat(500_000)],
    ["Subject", "Re: ".repeat(100_000)],
    ["From", `${"a ".repeat(250_000)}<a@example.org>`],
    ["References", "<".repeat(500_000)],
    ["List-Id", "<".repeat(500_000)],
  ])("reads a huge %s header in time", async (name, value) => {
    const start = performance.now();
    const mail = Buffer.from(`${name}: ${value}\n\n${"> ".repeat(500_000)}\n`);
    await expect(parsePatchMail(mail)).rejects.toMatchObject({ name: "Problem", code: "change-empty" });
    expect(performance.now() - start).toBeLessThan(3000);
  });
});

describe("readPatchSubject", () => {
  it.each([
    ["[PATCH] a", "a", 1, null, null],
    ["[PATCH v3] a", "a", 3, null, null],
    ["[RFC PATCH v2 03/12] a: [b] c", "a: [b] c", 2, 3, 12],
    ["[ci-list] [PATCH for-9.1 1/2] a", "a", 1, 1, 2],
    ["[PATCH1/8] a", "a", 1, 1, 8],
    ["Re: RE: [PATCH] a", "a", 1, null, null],
    ["[ci] a", "[ci] a", 1, null, null],
    ["[PATCH] [ci] a", "[ci] a", 1, null, null],
    ["plain", "plain", 1, null, null],
    ["", "", 1, null, null],
  ])("reads %j", (subject, title, version, part, total) => {
    expect(readPatchSubject(subject)).toMatchObject({ title, version, part, total });
  });
});

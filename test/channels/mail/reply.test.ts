import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { assert, constantFrom, property, string } from "fast-check";
import { simpleParser } from "mailparser";
import { describe, expect, it } from "vitest";
import { parsePatchMail } from "../../../src/series/parse-patch-mail.ts";
import type { PatchMail } from "../../../src/series/parse-patch-mail.ts";
import { composeReply } from "../../../src/channels/mail/reply.ts";
import type { MailMessage, ReplySettings } from "../../../src/channels/mail/reply.ts";
import { createMailer } from "../../../src/channels/mail/send.ts";
import { MAIL_FIXTURES } from "../../git/sample-repository.ts";

const SETTINGS: ReplySettings = {
  from: { name: "Tare", address: "tare@bot.example.org" },
  replyTo: { name: "CI people", address: "people@example.org" },
  domain: "bot.example.org",
  runHash: "9f8e7d6c",
  baseShort: "c7320e5c64a6",
  result: "worse",
};
const parsed = async (name: string) => parsePatchMail(await readFile(join(MAIL_FIXTURES, name)));
const mailer = createMailer({ url: "smtp://127.0.0.1:1", date: () => new Date("2024-03-01T12:00:00Z") });
const render = async (message: MailMessage) => (await mailer.render(message)).toString("latin1");

describe("composeReply", () => {
  it("answers to the letter", async () => {
    const message = composeReply(await parsed("8bit.eml"), "Worse: 2.1 GB more.\n\n-- \nTare\n", SETTINGS);
    expect(await render(message)).toBe(
      [
        "Auto-Submitted: auto-replied",
        "X-Auto-Response-Suppress: All",
        "Precedence: bulk",
        "X-Tare-Run: 9f8e7d6c",
        "X-Tare-Base: c7320e5c64a6",
        "X-Tare-Result: worse",
        "From: Tare <tare@bot.example.org>",
        "To: =?UTF-8?Q?Zo=C3=AB_M=C3=BCller?= <zoe@example.org>",
        'Cc: ci@lists.example.org, "Doe, Jane (CI)" <jane@example.net>,',
        " =?UTF-8?Q?S=C3=B8ren?= <soren@example.com>",
        "Reply-To: CI people <people@example.org>",
        "In-Reply-To: <20240301.1@example.org>",
        "References: <20240229.9@example.org> <20240301.0@example.org>",
        " <20240301.1@example.org>",
        "Subject: Re: [PATCH v2 3/7] ci: build the images with kaniko",
        "Message-ID: <tare.89bde85b980027c6.2.9f8e7d6c@bot.example.org>",
        "Date: Fri, 01 Mar 2024 12:00:00 +0000",
        "Content-Transfer-Encoding: 7bit",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "",
        "Worse: 2.1 GB more.",
        "",
        "-- ",
        "Tare",
        "",
      ].join("\n"),
    );
  });

  it("writes to the author and copies the sender, the list and everybody once", async () => {
    const mail = await parsed("in-body-from.eml");
    const crowded: PatchMail = {
      ...mail,
      to: [
        ...mail.to,
        { name: "", address: "CI@Lists.Example.org" },
        { name: "", address: "tare+v2@bot.example.org" },
      ],
      cc: [
        ...mail.cc,
        { name: "Jane", address: "JANE@example.net" },
        { name: "Zoë", address: "zoe@example.org" },
      ],
    };
    const message = composeReply(crowded, "x", SETTINGS);
    expect(message.to).toEqual([{ name: "Zoë Müller", address: "zoe@example.org" }]);
    expect(message.cc.map((person) => person.address)).toEqual([
      "courier@example.net",
      "ci@lists.example.org",
      "jane@example.net",
      "soren@example.com",
    ]);
    expect(message).not.toHaveProperty("bcc");
  });

  it("does not write to a list that stands in for the author", async () => {
    const message = composeReply(await parsed("mangled-from.eml"), "x", SETTINGS);
    expect(message.to).toEqual([{ name: "Zoë Müller", address: "zoe@example.org" }]);
    expect(message.cc[0]).toEqual({ name: "", address: "ci@lists.example.org" });
  });

  it("keeps one Re:, and threads below a mail without References", async () => {
    const mail = { ...(await parsed("8bit.eml")), subject: "Re: RE: [PATCH v2 3/7] x", references: [] };
    const message = composeReply(mail, "x", SETTINGS);
    expect(message.subject).toBe("Re: [PATCH v2 3/7] x");
    expect(message.references).toEqual(["<20240301.0@example.org>", "<20240301.1@example.org>"]);
  });

  it("gives the same Message-ID for the same run, and another for another", async () => {
    const mail = await parsed("8bit.eml");
    const id = (mine: PatchMail, runHash: string) =>
      composeReply(mine, "x", { ...SETTINGS, runHash }).messageId;
    expect(id(mail, "a1")).toBe(id(mail, "a1"));
    expect(new Set([id(mail, "a1"), id(mail, "a2"), id({ ...mail, version: 3 }, "a1")]).size).toBe(3);
  });

  it("composes for a patch file, which has no mail to answer", async () => {
    const message = composeReply(await parsed("format-patch.patch"), "x", SETTINGS);
    expect(message).toMatchObject({
      inReplyTo: null,
      references: [],
      to: [{ address: "zoe@example.org" }],
      cc: [],
    });
    expect(await render(message)).not.toContain("In-Reply-To");
  });

  it("lets no line break of any field make a header", async () => {
    const mail = await parsed("8bit.eml");
    const names = [
      "subject",
      "title",
      "messageId",
      "inReplyTo",
      "listPost",
      "author",
      "to",
      "references",
    ] as const;
    const settings = ["runHash", "baseShort", "result", "domain", "from"] as const;
    const evil = (text: string, breaks: string) =>
      `${text}${breaks}Bcc: victim@example.com${breaks}${breaks}X: y`;
    const breaks = constantFrom("\r\n", "\n", "\r", "\u2028", "\u0085", "\0\n");
    const rendered: Promise<void>[] = [];
    assert(
      property(constantFrom(...names, ...settings), breaks, string(), (field, lineBreak, noise) => {
        const bad = evil(noise, lineBreak);
        const person = { name: bad, address: `a@example.org${lineBreak}, victim@example.com` };
        const value = field === "author" || field === "from" ? person : field === "to" ? [person] : bad;
        const patched = { [field]: field === "references" ? [`<${bad}>`, "<ok@example.org>"] : value };
        const message = composeReply({ ...mail, ...patched }, "x", { ...SETTINGS, ...patched });
        rendered.push(checkHeaders(message));
      }),
      { numRuns: 300 },
    );
    await Promise.all(rendered);
    expect(rendered).toHaveLength(300);
  });
});

const ALLOWED = new Set(
  (
    "auto-submitted x-auto-response-suppress precedence x-tare-run x-tare-base x-tare-result from to cc reply-to " +
    "in-reply-to references subject message-id date mime-version content-type content-transfer-encoding"
  ).split(" "),
);

async function checkHeaders(message: MailMessage): Promise<void> {
  const bytes = await mailer.render(message);
  const mail = await simpleParser(bytes);
  expect(mail.headerLines.map((line) => line.key).filter((key) => !ALLOWED.has(key))).toEqual([]);
  expect(mail.text).toBe("x\n");
  const people = [mail.to ?? [], mail.cc ?? []]
    .flat()
    .flatMap((list) => list.value.map((one) => one.address));
  expect(people).not.toContain("victim@example.com");
}

describe("the bytes of a reply", () => {
  it.each([
    ["ASCII", "plain\n"],
    ["UTF-8", "grüße – ±5 %\n"],
    ["nothing but other scripts", "測定結果は悪化しました。\n".repeat(50)],
    ["a wide table", `${"| 12,345 ".repeat(8)}|\n`.repeat(20)],
    ["a very long line", `${"x".repeat(5000)}\n`],
    ["dots and From", ".\n..\nFrom here\n"],
  ])("are never base64 and never long, and read back the same: %s", async (_, body) => {
    const message = composeReply(await parsed("8bit.eml"), body, SETTINGS);
    const bytes = await render(message);
    expect(bytes).toMatch(/^Content-Type: text\/plain; charset=utf-8$/m);
    expect(bytes).toMatch(/^Content-Transfer-Encoding: (?:7bit|quoted-printable)$/m);
    expect(Math.max(...bytes.split("\n").map((line) => line.length))).toBeLessThanOrEqual(78);
    expect((await simpleParser(bytes)).text).toBe(body);
  });
});

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { simpleParser, type ParsedMail } from "mailparser";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MAIL_FIXTURES, sampleRepository, type SampleRepository } from "../git/sample-repository.ts";
import { openMailbox, type Mailbox } from "./mailbox.ts";
import { EXAMPLE_MAIL, exampleFiles } from "./projects.ts";
import { playTare, type Played } from "./tare-process.ts";

const PASSWORD = "correct-horse-battery";
const FROM = "Tare <tare@bot.example>";

let example: SampleRepository;
let patch: string;
let mailbox: Mailbox;

beforeAll(async () => {
  [example, patch] = await Promise.all([
    exampleFiles().then((files) => sampleRepository([files])),
    readFile(EXAMPLE_MAIL, "utf8"),
  ]);
});

afterAll(() => example[Symbol.asyncDispose]());

beforeEach(async () => {
  mailbox = await openMailbox(PASSWORD);
});

afterEach(() => mailbox[Symbol.asyncDispose]());

const settings = (more: Record<string, string> = {}) => ({
  TARE_SMTP_URL: mailbox.url,
  TARE_MAIL_FROM: FROM,
  ...more,
});

const send = (input: string | Uint8Array, environment = settings(), repository = example.directory) =>
  playTare(["mail", "--send", "--repo", repository], { input, environment });

/** What is left out of a golden: the hour, and the name of a run, which the version is part of. */
const timeless = (mail: string) =>
  mail
    .replaceAll("\r\n", "\n")
    .replace(/^Date: .*$/m, "Date: (now)")
    .replace(/^X-Tare-Run: [0-9a-f]{16}$/m, "X-Tare-Run: (run)")
    .replace(/^(Message-ID: <tare\.[0-9a-f]{16}\.1)\.[0-9a-f]{16}@/m, "$1.(run)@");

async function onlyMail(): Promise<ParsedMail> {
  expect(mailbox.arrived).toHaveLength(1);
  return simpleParser(mailbox.arrived[0]?.raw ?? "");
}

const header = (mail: ParsedMail, name: string) => mail.headers.get(name);

const addresses = (field: ParsedMail["to"]) =>
  [field ?? []].flat().flatMap((group) => group.value.map((person) => person.address));

describe("a stranger's patch mail", () => {
  it("is answered on paper with a refusal", async () => {
    const environment = { TARE_MAIL_FROM: FROM };
    const played = await playTare(["mail", "--repo", example.directory], { input: patch, environment });
    expect(played).toMatchObject({ code: 0, stderr: "", left: [] });
    await expect(timeless(played.stdout)).toMatchFileSnapshot("../goldens/mail-door.refusal.txt");
  });

  it("is answered by mail: threaded, to everybody, marked as automatic", async () => {
    const played = await send(patch, settings({ TARE_MAIL_REPLY_TO: "ci-people@lantern.example" }));
    const mail = await onlyMail();
    expect(played).toStrictEqual({
      code: 0,
      stdout: "",
      stderr: `tare: sent ${mail.messageId}\n`,
      left: [],
    });
    expect(mail).toMatchObject({
      subject: "Re: [PATCH] gitlab-ci: Replace Docker with Kaniko",
      inReplyTo: "<20260511093000.4711-1-bo@mason.example>",
      references: "<20260511093000.4711-1-bo@mason.example>",
      from: { text: '"Tare" <tare@bot.example>' },
      replyTo: { text: "ci-people@lantern.example" },
      html: false,
      attachments: [],
    });
    expect(addresses(mail.to)).toStrictEqual(["bo@mason.example"]);
    expect(addresses(mail.cc)).toStrictEqual(["ci@lists.lantern.example", "ada@lantern.example"]);
    expect(header(mail, "auto-submitted")).toBe("auto-replied");
    expect(header(mail, "precedence")).toBe("bulk");
    expect(header(mail, "x-tare-result")).toBe("not built");
    expect(mail.messageId).toMatch(/^<tare\.[0-9a-f]{16}\.1\.[0-9a-f]{16}@bot\.example>$/);
    expect(mailbox.arrived[0]).toMatchObject({
      from: "tare@bot.example",
      to: ["bo@mason.example", "ci@lists.lantern.example", "ada@lantern.example"],
    });
  });

  it("gets the same Message-ID from a second run, and another one for another base", async () => {
    await send(patch);
    await send(patch);
    const files = await exampleFiles();
    await using moved = await sampleRepository([{ ...files, "README.md": "Moved on\n" }]);
    await send(patch, settings(), moved.directory);
    const mails = await Promise.all(mailbox.arrived.map(({ raw }) => simpleParser(raw)));
    const [first, second, third] = mails.map((mail) => mail.messageId);
    expect(mails).toHaveLength(3);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it("is told git's error where it does not apply", async () => {
    const played = await send(patch.replaceAll("docker login", "docker logon"));
    expect(played).toMatchObject({ code: 0, left: [] });
    const mail = await onlyMail();
    expect(header(mail, "x-tare-result")).toBe("patch-does-not-apply");
    expect(mail.text?.trimEnd().split("\n")).toStrictEqual([
      "Nothing was measured.",
      "",
      `The patch does not apply to commit ${example.commits[0]?.slice(0, 12)}, not even with a`,
      "three-way merge.",
      "",
      `Rebase it on commit ${example.commits[0]?.slice(0, 12)}, or say what it applies to.`,
      "",
      "  error: patch failed: .gitlab-ci.d/container-template.yml:1",
      "  error: .gitlab-ci.d/container-template.yml: patch does not apply",
      "",
      "-- ",
      "Tare, a robot that weighs container caches before they are merged.",
    ]);
  });
});

describe("mail that nobody wants answered", () => {
  const marked = (line: string) => patch.replace("Date:", `${line}\nDate:`);
  const retitled = (subject: string) => patch.replace("[PATCH] gitlab-ci:", `${subject} gitlab-ci:`);
  const fixture = (name: string) => readFile(join(MAIL_FIXTURES, name));
  it.concurrent.each<[string, () => string | Promise<Buffer>, string]>([
    ["an automatic mail", () => marked("Auto-Submitted: auto-generated"), "Auto-Submitted is auto-generated"],
    [
      "its own mail",
      () => patch.replace("From: Bo Mason <bo@mason.example>", "From: Tare <tare+ci@bot.example>"),
      "it is from one of Tare's own addresses",
    ],
    ["a reply with a patch in it", () => retitled("Re: [PATCH]"), "it is a reply"],
    ["a reply that quotes a patch", () => fixture("reply-quoting.eml"), "it is a reply"],
    ["a pull request", () => fixture("pull-request.eml"), "it is a pull request"],
    ["a bounce", () => marked("Return-Path: <>"), "its return path is null: it is a bounce"],
    [
      "a letter",
      () => "From: ada@lantern.example\nSubject: Lunch\n\nAt noon?\n",
      'The mail "Lunch" holds no patch.',
    ],
    [
      "a patch to something else, though it does not apply",
      () => fixture("foreign.eml"),
      "it touches no template",
    ],
    [
      "a patch to a template that changes no recipe",
      () =>
        [
          "From: bo@mason.example",
          "Message-ID: <1@mason.example>",
          "Subject: [PATCH] ci: stages",
          "",
          "---",
          "diff --git a/.gitlab-ci.yml b/.gitlab-ci.yml",
          "--- a/.gitlab-ci.yml",
          "+++ b/.gitlab-ci.yml",
          "@@ -1,2 +1,3 @@",
          "+# The jobs are elsewhere.",
          " include:",
          "   - local: '/.gitlab-ci.d/project.yml'",
          "",
        ].join("\n"),
      "it changes no recipe",
    ],
  ])("is left alone, with the reason for the log: %s", async (_name, mail, why) => {
    await using box = await openMailbox(PASSWORD);
    const environment = { TARE_SMTP_URL: box.url, TARE_MAIL_FROM: FROM };
    const played: Played = await send(await mail(), environment);
    expect(played).toStrictEqual({ code: 0, stdout: "", stderr: `tare: not answered: ${why}\n`, left: [] });
    expect(box.arrived).toStrictEqual([]);
  });
});

describe("a mail door that is not set up", () => {
  it("names every fault at once, before it reads the mail", async () => {
    const environment = { TARE_MAIL_FROM: "nobody", TARE_MAIL_REPLY_TO: "a b", TARE_SMTP_URL: "http://x" };
    const played = await send(patch, environment);
    expect(played).toStrictEqual({
      code: 2,
      stdout: "",
      stderr: [
        "The mail door is not set up.",
        "Set the variables below in the environment.",
        "",
        "  TARE_MAIL_FROM: must be an address: Tare <tare@example.org>",
        "  TARE_MAIL_REPLY_TO: must be an address: Tare <tare@example.org>",
        "  TARE_SMTP_URL: must be smtp:// or smtps://",
        "",
      ].join("\n"),
      left: [],
    });
    const missing = await playTare(["mail", "--send"], { input: patch });
    expect(missing).toMatchObject({ code: 2, stdout: "", left: [] });
    expect(missing.stderr).toContain("TARE_MAIL_FROM: ");
    expect(missing.stderr).toContain("TARE_SMTP_URL: ");
  });

  it("tells that the server is down, without the password", async () => {
    const { url } = mailbox;
    await mailbox[Symbol.asyncDispose]();
    const played = await send(patch);
    const { host } = new URL(url);
    expect(played).toStrictEqual({
      code: 3,
      stdout: "",
      stderr: [
        `tare: The mail could not be sent through smtp://${host}: connect ECONNREFUSED ${host}`,
        "  Check the SMTP server, the account and the network, then try again.",
        "",
      ].join("\n"),
      left: [],
    });
    mailbox = await openMailbox(PASSWORD);
  });

  it("tells that the account is refused, without the password", async () => {
    const wrong = settings({ TARE_SMTP_URL: mailbox.url.replace(PASSWORD, "wrong-horse%2Fbattery") });
    const played = await send(patch, wrong);
    expect(played).toMatchObject({ code: 3, stdout: "", left: [] });
    expect(played.stderr).toContain("tare: The mail could not be sent through smtp://127.0.0.1:");
    expect(played.stderr).not.toMatch(/horse|battery/);
    expect(mailbox.arrived).toStrictEqual([]);
  });

  it("keeps a missing repository from the author", async () => {
    const played = await send(patch, settings(), "/nonexistent");
    expect(played).toMatchObject({ code: 2, stdout: "", left: [] });
    expect(played.stderr).toContain("/nonexistent is not a git repository that can be read.");
    expect(mailbox.arrived).toStrictEqual([]);
  });
});

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readMail } from "../../../src/series/read-mail.ts";
import { shouldAnswer } from "../../../src/channels/mail/should-answer.ts";
import { MAIL_FIXTURES } from "../../git/sample-repository.ts";

const OWN = ["tare@bot.example.org"];

async function answerTo(name: string, header = "") {
  const raw = await readFile(join(MAIL_FIXTURES, name), "latin1");
  const replaced = /^([^:]+):/.exec(header)?.[1];
  const rest = replaced === undefined ? raw : raw.replace(new RegExp(`^${replaced}:.*\n`, "im"), "");
  return shouldAnswer(await readMail(Buffer.from(header + rest, "latin1")), OWN);
}

describe("shouldAnswer", () => {
  it.each([
    ["8bit.eml", ""],
    ["in-body-from.eml", ""],
    ["8bit.eml", "Auto-Submitted: no\n"],
    ["8bit.eml", "Precedence: list\n"],
    ["8bit.eml", "Precedence: bulk\n"],
    // Old list programs mark all that they send so.
    ["in-body-from.eml", "Precedence: bulk\n"],
    ["8bit.eml", "Return-Path: <someone@example.org>\n"],
  ])("answers %s with %j", async (name, header) => {
    expect(await answerTo(name, header)).toEqual({ answer: true });
  });

  it.each([
    ["8bit.eml", "Auto-Submitted: auto-generated (by a bot)\n", "Auto-Submitted is auto-generated"],
    ["8bit.eml", "From: Tare <TARE@bot.example.org>\n", "it is from one of Tare's own addresses"],
    ["8bit.eml", "From: Tare <tare+run7@bot.example.org>\n", "it is from one of Tare's own addresses"],
    ["8bit.eml", "From: Mail <MAILER-DAEMON@example.org>\n", "it is from a mail system"],
    ["8bit.eml", "Return-Path: <>\n", "its return path is null: it is a bounce"],
    [
      "8bit.eml",
      "Content-Type: multipart/report; report-type=delivery-status; boundary=x\n",
      "it is a delivery report",
    ],
    ["8bit.eml", "Precedence: junk\n", "Precedence is junk"],
    ["format-patch.patch", "Precedence: bulk\n", "Precedence is bulk"],
    ["8bit.eml", "X-Patchwork-Hint: ignore\n", "X-Patchwork-Hint says ignore"],
    ["8bit.eml", "X-Tare: ignore\n", "X-Tare says ignore"],
    ["8bit.eml", "Subject: [PULL 0/3] containers\n", "it is a pull request"],
    ["pull-request.eml", "", "it is a pull request"],
    ["opt-out.eml", "", "a line of it says `tare: no`"],
    ["reply-quoting.eml", "", "it is a reply"],
    ["reply-with-diff.eml", "", "it is a reply"],
  ])("does not answer %s with %j", async (name, header, why) => {
    expect(await answerTo(name, header)).toEqual({ answer: false, why });
  });
});

import { describe, expect, it } from "vitest";
import { read } from "./mails.ts";

const robot = async (from: string, headers: readonly string[] = []) =>
  (await read({ subject: "[PATCH] oven", from, headers })).robot;

describe("robotOf", () => {
  it.each<[string, string[]]>([
    ["Jane <jane@dev.example>", []],
    ["Jane <jane@dev.example>", ["Auto-Submitted: no"]],
    ["Jane <jane@dev.example>", ["Precedence: list"]],
    ["Jane <jane@dev.example>", ["Precedence: bulk", "List-Id: <kitchen.example>"]],
    ["Abbot <abbot@dev.example>", []],
    ["Lois Bot <lois@bot.example>", []],
    ["Lucia <lucia@dev.example>", []],
    ["Jane <jane@dev.example>", ["List-Id: Kitchen <kitchen-devel.lists.example>"]],
    ["Jane <jane@dev.example>", ["Return-Path: <kitchen-bounces@lists.example>"]],
  ])("takes %s with %j for a person", async (from, headers) => expect(await robot(from, headers)).toBeNull());

  it.each<[string, string[], string]>([
    ["Jane <jane@dev.example>", ["Auto-Submitted: auto-replied"], "Auto-Submitted is auto-replied"],
    ["Jane <jane@dev.example>", ["Auto-Submitted: "], "Auto-Submitted is unreadable"],
    ["Jane <jane@dev.example>", ["Return-Path: <>"], "its return path is null: it is a bounce"],
    ["Jane <jane@dev.example>", ["X-Auto-Response-Suppress: All"], "X-Auto-Response-Suppress forbids it"],
    ["Jane <jane@dev.example>", ["Precedence: bulk"], "Precedence is bulk"],
    ["Jane <jane@dev.example>", ["Precedence: junk", "List-Id: <kitchen.example>"], "Precedence is junk"],
    ["Jane <jane@dev.example>", ["X-Autoreply: yes"], "it is an automatic reply"],
    ["Jane <jane@dev.example>", ["X-GitHub-Reason: author"], "it is from a forge"],
    ["Jane <jane@dev.example>", ["X-Gerrit-MessageType: newchange"], "it is from Gerrit"],
    ["Jane <jane@dev.example>", ["X-Bugzilla-Reason: CC"], "it is from a bug tracker"],
    ["Jane <jane@dev.example>", ["X-Tare-Run: 1"], "it is from another Tare"],
    ["Jane <jane@dev.example>", ["List-Id: <kitchen-commits.lists.example>"], "its list is for programs"],
    ["Mail <MAILER-DAEMON@dev.example>", [], "it is from a mail system"],
    ["kernel test robot <lkp@intel.example>", [], "it is from the kernel's test robot"],
    ["syzbot <syzbot+0123@syzkaller.appspotmail.com>", [], "it is from syzbot"],
    ["no-reply@patchew.org", [], "it is from Patchew"],
    ["patchwork-bot+kitchen@kernel.example", [], "it is from a robot of the list"],
    ["notifications@github.com", [], "it is from a forge"],
    ["CI <bot@ci.example>", [], "it is from a robot"],
    ["Sink <sink-bot@dev.example>", [], "it is from a robot"],
    ["noreply@dev.example", [], "its sender reads no answers"],
  ])("takes %s with %j for a program", async (from, headers, why) =>
    expect(await robot(from, headers)).toBe(why),
  );

  it.each([
    "Automatic reply: [PATCH] oven",
    "Undelivered Mail Returned to Sender",
    "Out of Office: back on Monday",
  ])("knows %j", async (subject) => {
    expect((await read({ subject, body: "away\n" })).robot).toBe("its subject is that of an automatic reply");
  });
});

import { describe, expect, it } from "vitest";
import { readMailConfig } from "../../src/config/mail.ts";
import { Problem } from "../../src/domain/problem.ts";

const full = {
  TARE_MAIL_FROM: "Tare <tare@lists.example.org>",
  TARE_MAIL_REPLY_TO: "people@example.org",
  TARE_SMTP_URL: "smtps://user:pass@mail.example.org:465",
};

function faultsOf(environment: Record<string, string | undefined>, send = true): readonly string[] {
  try {
    readMailConfig(environment, send);
  } catch (error) {
    if (error instanceof Problem && error.code === "configuration") return error.details;
    throw error;
  }
  return [];
}

describe("the mail door's settings", () => {
  it("are read", () => {
    expect(readMailConfig(full, true)).toStrictEqual({
      from: { name: "Tare", address: "tare@lists.example.org" },
      replyTo: { name: "", address: "people@example.org" },
      domain: "lists.example.org",
      smtpUrl: "smtps://user:pass@mail.example.org:465",
    });
  });

  it("are not needed where nothing is sent, and then no server is used", () => {
    expect(readMailConfig({ PATH: "/bin" }, false)).toStrictEqual({
      from: { name: "Tare", address: "tare@localhost" },
      replyTo: null,
      domain: "localhost",
      smtpUrl: null,
    });
    expect(readMailConfig(full, false)).toMatchObject({ domain: "lists.example.org", smtpUrl: null });
  });

  it("take empty variables for none", () => {
    expect(readMailConfig({ ...full, TARE_MAIL_REPLY_TO: "" }, true).replyTo).toBeNull();
    expect(faultsOf({ ...full, TARE_MAIL_FROM: "" })).toHaveLength(1);
  });

  it.each([
    ["Tare <tare@example.org>", "Tare", "tare@example.org"],
    ['"Tare, the bot" <tare@example.org>', "Tare, the bot", "tare@example.org"],
    ["<tare@example.org>", "", "tare@example.org"],
    ["tare@example.org", "", "tare@example.org"],
    ["Größe  <tare@example.org>", "Größe", "tare@example.org"],
  ])("read the mailbox %s", (text, name, address) => {
    expect(readMailConfig({ ...full, TARE_MAIL_FROM: text }, true).from).toStrictEqual({ name, address });
  });

  it.each([
    "Tare",
    "tare@",
    "@example.org",
    "Tare <tare example.org>",
    "Tare <a@b> <c@d>",
    "a@b, c@d",
    "Tare\r\nBcc: x@y <tare@example.org>",
    "tare@example.org\n",
  ])("refuse the mailbox %j", (text) => {
    expect(faultsOf({ ...full, TARE_MAIL_FROM: text })).toStrictEqual([
      "TARE_MAIL_FROM: must be an address: Tare <tare@example.org>",
    ]);
  });

  it("name everything that is missing to send, by variable", () => {
    const faults = faultsOf({});
    expect(faults.map((fault) => fault.split(":")[0])).toStrictEqual(["TARE_MAIL_FROM", "TARE_SMTP_URL"]);
  });

  it.each(["mail.example.org", "http://mail.example.org", "file:///etc/passwd", "smtp//x"])(
    "refuse the server %s, and say nothing of its words",
    (url) => {
      expect(faultsOf({ ...full, TARE_SMTP_URL: url })).toStrictEqual([
        "TARE_SMTP_URL: must be smtp:// or smtps://",
      ]);
    },
  );
});

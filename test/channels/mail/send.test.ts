import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";
import { describe, expect, it } from "vitest";
import { parsePatchMail } from "../../../src/series/parse-patch-mail.ts";
import { composeReply } from "../../../src/channels/mail/reply.ts";
import { createMailer } from "../../../src/channels/mail/send.ts";
import { shouldAnswer } from "../../../src/channels/mail/should-answer.ts";
import { MAIL_FIXTURES } from "../../git/sample-repository.ts";

const PASSWORD = "correct-horse-battery";

type Arrived = { raw: Buffer; from: string; to: string[] };

/** A real SMTP server on loopback that keeps what arrives; `refuse` rejects a recipient. */
async function smtpServer(refuse: (address: string) => boolean = () => false) {
  const arrived: Arrived[] = [];
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    allowInsecureAuth: true,
    onAuth: (auth, _session, done) =>
      auth.password === PASSWORD
        ? done(null, { user: auth.username })
        : done(new Error(`no ${auth.password}`)),
    onRcptTo: (address, _session, done) =>
      done(refuse(address.address) ? new Error("no such mailbox") : undefined),
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom ? mailFrom.address : "";
        arrived.push({ raw: Buffer.concat(chunks), from, to: rcptTo.map((one) => one.address) });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    arrived,
    url: (password = PASSWORD) => `smtp://tare:${password}@127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(resolve)),
  };
}

async function reply(body: string) {
  const mail = await parsePatchMail(await readFile(join(MAIL_FIXTURES, "8bit.eml")));
  return composeReply(mail, body, {
    from: { name: "Tare", address: "tare@bot.example.org" },
    domain: "bot.example.org",
    runHash: "9f8e7d6c",
    baseShort: "c7320e5c64a6",
    result: "worse",
  });
}

describe("a patch mail in, a reply out", () => {
  it("arrives over SMTP, threaded, readable and marked as automatic", async () => {
    await using server = await smtpServer();
    const body = "Größer: +2.1 GB (±0).\n\n.\nFrom a fork: nothing.\n";
    const message = await reply(body);
    const mailer = createMailer({ url: server.url(), date: () => new Date("2024-03-01T12:00:00Z") });
    expect(await mailer.send(message)).toEqual({ messageId: message.messageId });
    const [got] = server.arrived;
    if (!got) throw new Error("nothing arrived");
    expect(got.from).toBe("tare@bot.example.org");
    expect(got.to).toEqual([
      "zoe@example.org",
      "ci@lists.example.org",
      "jane@example.net",
      "soren@example.com",
    ]);
    expect(got.raw.toString("latin1").replaceAll("\r\n", "\n")).toBe(
      (await mailer.render(message)).toString("latin1"),
    );
    const mail = await simpleParser(got.raw);
    expect(mail).toMatchObject({
      subject: "Re: [PATCH v2 3/7] ci: build the images with kaniko",
      inReplyTo: "<20240301.1@example.org>",
      references: ["<20240229.9@example.org>", "<20240301.0@example.org>", "<20240301.1@example.org>"],
      messageId: message.messageId,
      text: body,
    });
    const header = (name: string) => mail.headers.get(name);
    expect(header("auto-submitted")).toBe("auto-replied");
    expect(header("x-auto-response-suppress")).toBe("All");
    expect(header("content-transfer-encoding")).toBe("quoted-printable");
    expect(header("x-tare-result")).toBe("worse");
    expect(
      Math.max(
        ...got.raw
          .toString("latin1")
          .split("\r\n")
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(78);
  });

  it("would not answer what it has sent itself", async () => {
    await using server = await smtpServer();
    await createMailer({ url: server.url() }).send(await reply("x"));
    const { readMail } = await import("../../../src/series/read-mail.ts");
    const back = await readMail(server.arrived[0]?.raw ?? Buffer.alloc(0));
    expect(shouldAnswer(back, [])).toEqual({ answer: false, why: "Auto-Submitted is auto-replied" });
    expect(shouldAnswer({ ...back, autoSubmitted: null }, ["tare@bot.example.org"])).toEqual({
      answer: false,
      why: "it is from one of Tare's own addresses",
    });
  });

  it("is an Outage without the password where the server refuses or is not there", async () => {
    await using server = await smtpServer(() => true);
    const wrong = "wrong-horse-battery";
    for (const url of [server.url(), server.url(wrong), `smtp://tare:${PASSWORD}@127.0.0.1:1`]) {
      await expect(createMailer({ url }).send(await reply("x"))).rejects.toSatisfy(
        (error: Error) =>
          error.name === "Outage" &&
          error.message.startsWith("The mail could not be sent through smtp://127.0.0.1:") &&
          !error.message.includes(PASSWORD) &&
          !error.message.includes(wrong),
      );
    }
    expect(server.arrived).toEqual([]);
  });

  it("sends nothing where nobody is named", async () => {
    await using server = await smtpServer();
    const message = { ...(await reply("x")), to: [], cc: [] };
    await expect(createMailer({ url: server.url() }).send(message)).rejects.toMatchObject({
      name: "Problem",
      code: "mail-unreadable",
    });
    expect(server.arrived).toEqual([]);
  });

  it.each(["", "localhost", "http://host", "smtp://"])("refuses %j as an SMTP address", (url) => {
    expect(() => createMailer({ url })).toThrow(
      expect.objectContaining({ name: "Problem", code: "configuration" }),
    );
  });
});

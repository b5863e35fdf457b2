import { createTransport } from "nodemailer";
import type { SendMailOptions } from "nodemailer";
import { z } from "zod";
import { Outage, Problem } from "../../domain/problem.ts";
import { errorText } from "../../lib/error-text.ts";
import { redact } from "../../lib/redact.ts";
import type { MailMessage } from "./reply.ts";

export type MailerOptions = {
  /** `smtp://user:password@host:port` (STARTTLS where offered) or `smtps://…`. */
  url: string;
  /** Milliseconds to connect, and between two answers of the server. */
  timeoutMs?: number;
  /** The Date of what is sent; the time of sending where it is left out. */
  date?: () => Date;
};

/**
 * What became of a mail. `later`: nothing of it was handed over. `never`: the server refused it. `unknown`: the connection
 * went while it was handed over, so that it may have been taken or not.
 */
export type Delivery = { kind: "sent" | "later" | "never" | "unknown"; why: string };

export type Mailer = {
  /** Sends one message. An Outage where the server cannot be reached or refuses it. */
  send(message: MailMessage): Promise<{ messageId: string }>;
  /** Sends one message and tells what became of it; never rejects for what the server or the network did. */
  deliver(message: MailMessage): Promise<Delivery>;
  /** The bytes that `send` would send, with LF line ends. */
  render(message: MailMessage): Promise<Buffer>;
};

const CLOSED = { disableFileAccess: true, disableUrlAccess: true };

/** A door out by SMTP. A URL that is none is a Problem `configuration`. */
export function createMailer(options: MailerOptions): Mailer {
  const url = URL.parse(options.url);
  if (url === null || !["smtp:", "smtps:"].includes(url.protocol) || url.hostname === "") {
    throw new Problem(
      "configuration",
      "The SMTP address is not a URL of the form smtp://user:password@host:port.",
      "Correct it; use smtps:// for a server that speaks TLS from the start.",
    );
  }
  const timeoutMs = options.timeoutMs ?? 30_000;
  const timeouts = { connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs };
  const paper = createTransport({ streamTransport: true, buffer: true, newline: "unix", ...CLOSED });
  const date = options.date ?? (() => new Date());
  const deliver = async (message: MailMessage): Promise<Delivery> => {
    if (message.to.length === 0) throw nobody();
    const { logger, isDataSaid } = dataWatch();
    const watched = { logger, transactionLog: true };
    const transport = createTransport({ url: url.href, ...CLOSED, ...timeouts, ...watched });
    try {
      const { response } = await transport.sendMail(mailOptions(message, date()));
      return { kind: "sent", why: response };
    } catch (error) {
      const secrets = [decodeURIComponent(url.password), url.password];
      return { kind: kindOf(error, isDataSaid()), why: redact(errorText(error), secrets) };
    }
  };
  return {
    deliver,
    send: async (message) => {
      const { kind, why } = await deliver(message);
      if (kind === "sent") return { messageId: message.messageId };
      const unknown = kind === "unknown" ? " It may have arrived: look before it is sent again." : "";
      throw new Outage(
        `The mail could not be sent through ${url.protocol}//${url.host}: ${why}${unknown}`,
        "Check the SMTP server, the account and the network, then try again.",
      );
    },
    render: async (message) => {
      const { message: bytes } = await paper.sendMail(mailOptions(message, date()));
      if (!Buffer.isBuffer(bytes))
        throw new TypeError("nodemailer gave a stream where a buffer was asked for");
      return bytes;
    },
  };
}

/**
 * Whether the server was told that the message comes. nodemailer names every loss of a connection alike, whatever had been
 * said; its log of what it says is the only place that tells. Nothing of it is kept.
 */
function dataWatch() {
  let said = false;
  const look = (entry: unknown, message: unknown) => {
    const { tnx } = z.looseObject({ tnx: z.string().optional() }).catch({}).parse(entry);
    if (tnx === "client" && message === "DATA") said = true;
  };
  const drop = () => {};
  const logger = {
    level() {},
    trace: look,
    debug: look,
    info: look,
    warn: drop,
    error: drop,
    fatal: drop,
  };
  return { logger, isDataSaid: () => said };
}

const smtpError = z
  .looseObject({ code: z.string().optional(), responseCode: z.number().optional() })
  .catch({});

function kindOf(error: unknown, isDataSaid: boolean): Delivery["kind"] {
  const { code, responseCode } = smtpError.parse(error);
  // An answer to the whole message: it was refused, and whatever the reason is, it is not sent a second time.
  if (code === "EMESSAGE") return "never";
  // An answer to sender, recipients or DATA itself: the message was not handed over. 5xx holds for good.
  if (code === "EENVELOPE") return responseCode === undefined || responseCode >= 500 ? "never" : "later";
  return isDataSaid ? "unknown" : "later";
}

function nobody(): Problem {
  return new Problem(
    "mail-unreadable",
    "The mail names nobody who could be answered.",
    "Give a mail with an address in From, or leave out --send and read the answer here.",
  );
}

/** Addresses stay objects: a string is parsed again, and a line break in one reached another recipient. */
function mailOptions(message: MailMessage, date: Date): SendMailOptions {
  return {
    from: message.from,
    to: message.to,
    cc: message.cc,
    ...(message.replyTo ? { replyTo: message.replyTo } : {}),
    subject: message.subject,
    messageId: message.messageId,
    ...(message.inReplyTo === null ? {} : { inReplyTo: message.inReplyTo }),
    references: message.references,
    headers: message.headers,
    text: message.text,
    // Never base64: lists archive and search the bytes as they come.
    textEncoding: "quoted-printable",
    date,
    ...CLOSED,
  };
}

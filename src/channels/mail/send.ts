import { createTransport } from "nodemailer";
import type { SendMailOptions } from "nodemailer";
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

export type Mailer = {
  /** Sends one message. An Outage where the server cannot be reached or refuses it. */
  send(message: MailMessage): Promise<{ messageId: string }>;
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
  const transport = createTransport({ url: url.href, ...CLOSED, ...timeouts });
  const paper = createTransport({ streamTransport: true, buffer: true, newline: "unix", ...CLOSED });
  const date = options.date ?? (() => new Date());
  return {
    send: async (message) => {
      if (message.to.length === 0) throw nobody();
      try {
        await transport.sendMail(mailOptions(message, date()));
        return { messageId: message.messageId };
      } catch (error) {
        const secrets = [decodeURIComponent(url.password), url.password];
        throw new Outage(
          `The mail could not be sent through ${url.protocol}//${url.host}: ${redact(errorText(error), secrets)}`,
          "Check the SMTP server, the account and the network, then try again.",
        );
      }
    },
    render: async (message) => {
      const { message: bytes } = await paper.sendMail(mailOptions(message, date()));
      if (!Buffer.isBuffer(bytes))
        throw new TypeError("nodemailer gave a stream where a buffer was asked for");
      return bytes;
    },
  };
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

import { z } from "zod";
import type { Person } from "../domain/change.ts";
import { Problem } from "../domain/problem.ts";

/** Who the replies are from and how they leave. `smtpUrl` is null where nothing is to be sent. */
export type MailConfig = { from: Person; replyTo: Person | null; domain: string; smtpUrl: string | null };

const mailbox = z
  .string()
  .regex(
    /^(?:[^<>\r\n]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/,
    "must be an address: Tare <tare@example.org>",
  )
  .transform((text): Person => {
    const [, name, address] = /^(.*)<([^<>]+)>$/.exec(text) ?? [];
    return { name: (name ?? "").trim().replaceAll('"', ""), address: address ?? text };
  });

const schema = z.object({
  TARE_MAIL_FROM: mailbox,
  TARE_MAIL_REPLY_TO: mailbox.optional(),
  TARE_SMTP_URL: z.url({ protocol: /^smtps?$/, message: "must be smtp:// or smtps://" }),
});

/** Reads the settings of the mail door. Without `send` nothing needs to be set: the reply is only printed. */
export function readMailConfig(environment: Record<string, string | undefined>, send: boolean): MailConfig {
  const defaults = send ? {} : { TARE_MAIL_FROM: "Tare <tare@localhost>", TARE_SMTP_URL: "smtp://localhost" };
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = schema.safeParse({ ...defaults, ...given });
  if (!parsed.success) {
    throw new Problem(
      "configuration",
      "The mail door is not set up.",
      "Set the variables below in the environment.",
      parsed.error.issues.map((issue) => {
        const name = issue.path.join(".");
        return `${name}: ${name in given ? issue.message : "is not set"}`;
      }),
    );
  }
  const { TARE_MAIL_FROM: from, TARE_MAIL_REPLY_TO: replyTo, TARE_SMTP_URL: smtpUrl } = parsed.data;
  const domain = from.address.slice(from.address.lastIndexOf("@") + 1);
  return { from, replyTo: replyTo ?? null, domain, smtpUrl: send ? smtpUrl : null };
}

import type { Logger } from "pino";
import { postReply, workOnChange, type AnswerEventOptions } from "./channels/answer-event.ts";
import { createGithubForge, type Patience } from "./channels/github.ts";
import { createGitlabForge } from "./channels/gitlab.ts";
import { parseKeptMessage } from "./channels/mail/kept-message.ts";
import type { Mailer } from "./channels/mail/send.ts";
import { parseStampFields } from "./channels/sticky-comment.ts";
import type { ChangeEvent, Forge } from "./channels/types.ts";
import type { ServeConfig } from "./config/serve.ts";
import type { OutboxPolicy } from "./queue/outbox-policy.ts";
import type { Secrets } from "./lib/secrets.ts";
import type { Store } from "./queue/store.ts";
import type { ClaimedReply, Sent } from "./queue/types.ts";

export type AnswerQueueOptions = Omit<AnswerEventOptions, "log"> & { log: Logger };

/** The forges that the settings name, as worker and sender use them. */
export type Forges = Partial<Record<ChangeEvent["channel"], Forge>>;

/** `patience` says who waits where a forge asks to: the worker's client by itself, or the outbox for the sender. */
export function openForges(
  { github, gitlab }: Pick<ServeConfig, "github" | "gitlab">,
  { log, secrets, patience }: { log: Logger; secrets: Secrets; patience: Patience },
): Forges {
  return {
    ...(github ? { github: createGithubForge(github, { log, secrets, patience }) } : {}),
    ...(gitlab ? { gitlab: createGitlabForge(gitlab) } : {}),
  };
}

/** Works on the requests of a store, one at a time. Those of a forge that is not set up are tried again, then failed. */
export async function workOnRequests(
  store: Store,
  forges: Forges,
  options: AnswerQueueOptions,
): Promise<void> {
  await store.work({
    async run(request, signal) {
      const log = options.log.child({ change: request.key, requestId: request.id });
      const forge = forgeOf(forges, request.channel);
      return workOnChange(forge.thread(request.reference, log), { ...options, log }, signal);
    },
  });
}

/** How replies leave: comments by the forges, mails by `mailer`, which is null where none is set up. */
export type SendOptions = {
  forges: Forges;
  mailer: Mailer | null;
  policy: OutboxPolicy;
  log: Logger;
  secrets: Pick<Secrets, "redact" | "redactTexts">;
};

/** Sends the replies of a store to their threads. What a worker elsewhere wrote may hold a secret of this process. */
export function sendReplies(store: Store, { forges, mailer, policy, log, secrets }: SendOptions): void {
  store.sendReplies({
    policy,
    async send(reply) {
      if (reply.channel === "mail") return sendMail(mailer, reply, secrets);
      const forge = forgeOf(forges, reply.channel);
      const thread = forge.thread(
        reply.reference,
        log.child({ change: reply.key, requestId: reply.requestId }),
      );
      const { kind, stamp } = reply;
      return postReply(thread, { kind, stamp: parseStampFields(stamp), body: secrets.redact(reply.body) });
    },
  });
}

async function sendMail(
  mailer: Mailer | null,
  reply: ClaimedReply,
  secrets: Pick<Secrets, "redactTexts">,
): Promise<Sent> {
  if (mailer === null) return { kind: "later", why: "the settings name no SMTP server (mail.smtpUrl)" };
  return mailer.deliver(secrets.redactTexts(parseKeptMessage(reply.message)));
}

function forgeOf(forges: Forges, channel: ChangeEvent["channel"]): Forge {
  const forge = forges[channel];
  if (forge === undefined) throw new Error(`the settings name no ${channel}`);
  return forge;
}

import type { Logger } from "pino";
import { postReply, workOnChange, type AnswerEventOptions } from "./channels/answer-event.ts";
import { createGithubForge } from "./channels/github.ts";
import { createGitlabForge } from "./channels/gitlab.ts";
import { parseStampFields } from "./channels/sticky-comment.ts";
import type { ChangeEvent, Forge } from "./channels/types.ts";
import type { ServeConfig } from "./config/serve.ts";
import type { Secrets } from "./lib/secrets.ts";
import type { Store } from "./queue/store.ts";

export type AnswerQueueOptions = Omit<AnswerEventOptions, "log"> & { log: Logger };

/** The forges that the settings name, as worker and sender use them. */
export type Forges = Partial<Record<ChangeEvent["channel"], Forge>>;

export function openForges(
  { github, gitlab }: Pick<ServeConfig, "github" | "gitlab">,
  log: Logger,
  secrets: Secrets,
): Forges {
  return {
    ...(github ? { github: createGithubForge(github, log, secrets) } : {}),
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

/** Sends the replies of a store to their threads. What a worker elsewhere wrote may hold a secret of this process. */
export function sendReplies(store: Store, forges: Forges, log: Logger, secrets: Secrets): void {
  store.sendReplies({
    async send(reply, signal) {
      const forge = forgeOf(forges, reply.channel);
      const thread = forge.thread(reply.reference, log.child({ change: reply.key }));
      return postReply(
        thread,
        { stamp: parseStampFields(reply.stamp), body: secrets.redact(reply.body) },
        signal,
      );
    },
  });
}

function forgeOf(forges: Forges, channel: ChangeEvent["channel"]): Forge {
  const forge = forges[channel];
  if (forge === undefined) throw new Error(`the settings name no ${channel}`);
  return forge;
}

import { Gitlab } from "@gitbeaker/rest";
import type { Logger } from "pino";
import { z } from "zod";
import { answerEvent, type AnswerEventOptions } from "./answer-event.ts";
import type { BodyReader } from "./body-reader.ts";
import type { ChangeQueue } from "./change-queue.ts";
import { createGitlabThread, type GitlabClient } from "./gitlab-thread.ts";
import type { SeenDeliveries } from "./seen-deliveries.ts";
import { verifyGitlab } from "./signatures.ts";
import type { Door } from "./types.ts";
import { createWebhookDoor } from "./webhook-door.ts";

/** A GitLab account and the webhooks of its projects. The token and the secrets are secret. */
export type GitlabOptions = {
  /** `https://gitlab.com` or the instance's own address. */
  url: string;
  /** A personal, group or project access token with the scope `api`. */
  token: string;
  /** One or two: `whsec_…` signs (Standard Webhooks), anything else is compared with `X-Gitlab-Token`. */
  webhookSecrets: string[];
  webhookPath: string;
};

type Parts = Omit<AnswerEventOptions, "log"> & {
  log: Logger;
  queue: ChangeQueue;
  reader: BodyReader;
  seen: SeenDeliveries;
};

// Only what leads to the change: everything else is read again by API.
const mergeRequestEvent = z.object({
  object_kind: z.literal("merge_request"),
  project: z.object({ id: z.number(), path_with_namespace: z.string() }),
  object_attributes: z.object({
    iid: z.number(),
    action: z.string().optional(),
    /** Only where an update brought new commits. */
    oldrev: z.string().nullish(),
    updated_at: z.string().nullish(),
    last_commit: z.object({ id: z.string() }),
  }),
  changes: z.object({ draft: z.object({ current: z.boolean().nullish() }).nullish() }).nullish(),
});

/** GitLab's door: merge request events in, one note out through @gitbeaker/rest. */
export function createGitlabDoor(options: GitlabOptions, parts: Parts): Door {
  const client: GitlabClient = new Gitlab({ host: options.url, token: options.token, queryTimeout: 30_000 });
  return createWebhookDoor({
    ...parts,
    name: "gitlab",
    path: options.webhookPath,
    verify: (headers) => verifyGitlab(headers, options.webhookSecrets, parts.now().getTime()),
    // The same value twice, the first one signed. Not X-Gitlab-Webhook-UUID, new at each attempt, and not X-Gitlab-Event-UUID, shared by a recursion.
    deliveryId: (headers) => String(headers["webhook-id"] ?? headers["idempotency-key"] ?? ""),
    async receive({ deliveryId, payload }) {
      queueMergeRequest(client, options, parts, deliveryId, payload);
    },
  });
}

function queueMergeRequest(
  client: GitlabClient,
  options: GitlabOptions,
  parts: Parts,
  deliveryId: string,
  payload: unknown,
): void {
  const parsed = mergeRequestEvent.safeParse(payload);
  if (!parsed.success) return parts.log.debug({ delivery: deliveryId }, "not a merge request event");
  const { project, object_attributes: attributes, changes } = parsed.data;
  const wanted =
    attributes.action === "open" ||
    attributes.action === "reopen" ||
    (attributes.action === "update" && (Boolean(attributes.oldrev) || changes?.draft?.current === false));
  if (!wanted) return;
  const key = `gitlab:${project.path_with_namespace}!${attributes.iid}`;
  const log = parts.log.child({ change: key, delivery: deliveryId });
  const reference = { projectId: project.id, iid: attributes.iid };
  const admission = parts.queue.add({
    key,
    head: attributes.last_commit.id,
    atMs: Date.parse(attributes.updated_at ?? "") || 0,
    work: (signal) =>
      answerEvent(createGitlabThread(client, options.token, reference), { ...parts, log }, signal),
    failed: () => parts.seen.forget(deliveryId),
  });
  log.info({ head: attributes.last_commit.id, admission }, "merge request event");
}

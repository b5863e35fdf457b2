import { Gitlab } from "@gitbeaker/rest";
import type { Logger } from "pino";
import { z } from "zod";
import type { BodyReader } from "./body-reader.ts";
import { createGitlabThread, type GitlabClient } from "./gitlab-thread.ts";
import { verifyGitlab } from "./signatures.ts";
import type { Admission, Admit, Door, Forge } from "./types.ts";
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

type Parts = { log: Logger; admit: Admit; reader: BodyReader; now(): Date };

const mergeReference = z.object({ projectId: z.number(), iid: z.number() });

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

/** GitLab as the worker and the sender use it, through @gitbeaker/rest. */
export function createGitlabForge(options: GitlabOptions): Forge {
  const client: GitlabClient = new Gitlab({ host: options.url, token: options.token, queryTimeout: 30_000 });
  return {
    thread: (reference) => createGitlabThread(client, options, mergeReference.parse(reference)),
  };
}

/** GitLab's door: merge request events in. */
export function createGitlabDoor(options: GitlabOptions, parts: Parts): Door {
  return createWebhookDoor({
    ...parts,
    name: "gitlab",
    path: options.webhookPath,
    verify: (headers) => verifyGitlab(headers, options.webhookSecrets, parts.now().getTime()),
    // The same value twice, the first one signed. Not X-Gitlab-Webhook-UUID, new at each attempt, and not X-Gitlab-Event-UUID, shared by a recursion.
    deliveryId: (headers) => String(headers["webhook-id"] ?? headers["idempotency-key"] ?? ""),
    receive: async ({ deliveryId, payload }) => admitMergeRequest(parts, deliveryId, payload),
  });
}

async function admitMergeRequest(
  parts: Parts,
  deliveryId: string,
  payload: unknown,
): Promise<Admission | null> {
  const parsed = mergeRequestEvent.safeParse(payload);
  if (!parsed.success) {
    parts.log.debug({ delivery: deliveryId }, "not a merge request event");
    return null;
  }
  const { project, object_attributes: attributes, changes } = parsed.data;
  const wanted =
    attributes.action === "open" ||
    attributes.action === "reopen" ||
    (attributes.action === "update" && (Boolean(attributes.oldrev) || changes?.draft?.current === false));
  if (!wanted) return null;
  const key = `gitlab:${project.path_with_namespace}!${attributes.iid}`;
  const head = attributes.last_commit.id;
  const admission = await parts.admit({
    channel: "gitlab",
    deliveryId,
    key,
    project: project.path_with_namespace,
    head,
    atMs: Date.parse(attributes.updated_at ?? "") || 0,
    reference: { projectId: project.id, iid: attributes.iid },
  });
  parts.log.info({ change: key, delivery: deliveryId, head, admission }, "merge request event");
  return admission;
}

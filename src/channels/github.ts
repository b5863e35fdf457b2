import { App, Octokit } from "octokit";
import { Probot } from "probot";
import type { Logger } from "pino";
import { z } from "zod";
import type { BodyReader } from "./body-reader.ts";
import { errorFields } from "./error-fields.ts";
import type { Secrets } from "../lib/secrets.ts";
import { fetchWithDeadline } from "./fetch-with-deadline.ts";
import { createGithubThread, type PullReference } from "./github-thread.ts";
import { noteAuthorization } from "./note-authorization.ts";
import { verifyGithub } from "./signatures.ts";
import type { Admission, Admit, Door, Forge } from "./types.ts";
import { createWebhookDoor } from "./webhook-door.ts";

/** A GitHub App and its webhook. The key and the secrets are secret. */
export type GithubOptions = {
  appId: number;
  /** PEM. */
  privateKey: string;
  /** One or two, each of at least 32 characters: two while one replaces the other. */
  webhookSecrets: string[];
  /** `https://api.github.com`, or `https://host/api/v3` of a GitHub Enterprise Server. */
  apiUrl: string;
  webhookPath: string;
};

type Parts = { log: Logger; admit: Admit; reader: BodyReader };

const pullReference = z.object({
  installationId: z.number(),
  repositoryId: z.number(),
  owner: z.string(),
  repo: z.string(),
  number: z.number(),
});

// Only what leads to the change: everything else is read again by API.
const pullRequestEvent = z.object({
  installation: z.object({ id: z.number() }),
  repository: z.object({ id: z.number(), name: z.string(), owner: z.object({ login: z.string() }) }),
  pull_request: z.object({
    number: z.number(),
    updated_at: z.string(),
    head: z.object({ sha: z.string() }),
  }),
});

/** Whatever an app of this GitHub needs beside its options. */
export type GithubParts = {
  log: Logger;
  secrets: Pick<Secrets, "add">;
  /**
   * Who waits where GitHub asks to. `client`: octokit, and it asks again by itself, as a worker has the time; `outbox`: every
   * refusal is handed on at once, as the sender has its own budgets and pauses.
   */
  patience: Patience;
};

export type Patience = "client" | "outbox";

/** GitHub as the worker and the sender use it, through octokit. */
export function createGithubForge(options: GithubOptions, parts: GithubParts): Forge {
  const app = createApp(options, parts);
  return { thread: (reference) => createGithubThread(app, pullReference.parse(reference), parts.secrets) };
}

/** GitHub's door: signed `pull_request` events in through Probot. */
export async function createGithubDoor(options: GithubOptions, parts: Parts): Promise<Door> {
  // Handlers of Probot return nothing: what became of a delivery is kept here until it is answered.
  const admissions = new Map<string, Admission>();
  const events = await createEvents(options, parts.log, async (id, payload) => {
    const admission = await admitPull(parts, id, payload);
    if (admission !== null) admissions.set(id, admission);
  });
  return createWebhookDoor({
    ...parts,
    name: "github",
    path: options.webhookPath,
    verify: (headers) => verifyGithub(headers, options.webhookSecrets),
    deliveryId: (headers) => String(headers["x-github-delivery"] ?? ""),
    async receive({ deliveryId, headers, payload }) {
      const name = String(headers["x-github-event"] ?? "");
      try {
        await events.receive(deliveryId, name, payload);
        return admissions.get(deliveryId) ?? null;
      } finally {
        // Two attempts of one delivery at once get the same answer; the map holds what is being answered.
        setImmediate(() => admissions.delete(deliveryId));
      }
    },
  });
}

async function admitPull(parts: Parts, deliveryId: string, payload: unknown): Promise<Admission | null> {
  const parsed = pullRequestEvent.safeParse(payload);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => issue.path.join("."));
    parts.log.warn({ delivery: deliveryId, fields }, "pull_request event without what an App's has");
    return null;
  }
  const { installation, repository, pull_request: pull } = parsed.data;
  const reference: PullReference = {
    installationId: installation.id,
    repositoryId: repository.id,
    owner: repository.owner.login,
    repo: repository.name,
    number: pull.number,
  };
  const project = `${reference.owner}/${reference.repo}`;
  const key = `github:${project}#${reference.number}`;
  const admission = await parts.admit({
    channel: "github",
    deliveryId,
    key,
    project,
    head: pull.head.sha,
    atMs: Date.parse(pull.updated_at) || 0,
    reference,
  });
  parts.log.info({ change: key, delivery: deliveryId, head: pull.head.sha, admission }, "pull request event");
  return admission;
}

type Events = { receive(id: string, name: string, payload: unknown): Promise<void> };

/** Probot as the router of authentic events. Its own server and log are not used: they buffer and log whole payloads. */
async function createEvents(
  options: GithubOptions,
  log: Logger,
  onPull: (deliveryId: string, payload: unknown) => Promise<void>,
): Promise<Events> {
  const [secret] = options.webhookSecrets;
  if (!secret) throw new RangeError("a GitHub door needs a webhook secret");
  const probot = new Probot({
    appId: options.appId,
    privateKey: options.privateKey,
    secret,
    baseUrl: options.apiUrl,
    log: log.child(
      {},
      { serializers: { err: (error: unknown) => errorFields(error).error, event: () => "withheld" } },
    ),
  });
  await probot.ready();
  const actions = ["opened", "synchronize", "reopened", "ready_for_review"] as const;
  for (const action of actions) {
    probot.on(`pull_request.${action}`, (context) => onPull(context.id, context.payload));
  }
  return {
    async receive(id, name, payload) {
      // An authentic event that is no object has no handler here.
      if (typeof payload !== "object" || payload === null) return;
      const event = { id, name, payload } as Parameters<typeof probot.webhooks.receive>[0];
      await probot.webhooks.receive(event);
    },
  };
}

function createApp(options: GithubOptions, { log, secrets, patience }: GithubParts): App {
  const clientLog = {
    debug() {},
    info() {},
    warn: (message: string) => log.warn({ client: "octokit" }, message),
    error: (message: string) => log.error({ client: "octokit" }, message),
  };
  const limit =
    (kind: string) => (retryAfter: number, _request: unknown, _client: unknown, retryCount: number) => {
      log.warn({ kind, retryAfterS: retryAfter, retryCount }, "GitHub asks to slow down");
      return patience === "client" && retryCount < 2;
    };
  return new App({
    appId: options.appId,
    privateKey: options.privateKey,
    log: clientLog,
    Octokit: Octokit.defaults({
      baseUrl: options.apiUrl,
      log: clientLog,
      request: { fetch: noteAuthorization(fetchWithDeadline(30_000), secrets) },
      ...(patience === "outbox" ? { retry: { enabled: false } } : {}),
      throttle: {
        // Writes are paced per App, not per process.
        id: `${options.apiUrl} ${options.appId}`,
        onRateLimit: limit("primary"),
        onSecondaryRateLimit: limit("secondary"),
      },
    }),
  });
}

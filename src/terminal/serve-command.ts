import { readFileSync } from "node:fs";
import { once } from "node:events";
import { createAnswerForge, touchesTemplate, type TryChange } from "../answer-forge.ts";
import { openForges, sendReplies, workOnRequests } from "../answer-queue.ts";
import { createMailer, type Mailer } from "../channels/mail/send.ts";
import { readMailConfig } from "../config/mail.ts";
import { readServeConfig } from "../config/serve.ts";
import { sweepRepositories } from "../git/repository.ts";
import { outboxPolicy } from "../queue/outbox-policy.ts";
import { createWebLog } from "../web/log.ts";
import type { Secrets } from "../lib/secrets.ts";
import { createWebServer } from "../web/server.ts";
import type { ExitCode } from "./exit-code.ts";
import { cacheDirectory } from "../lib/cache-directory.ts";
import { knownSecrets } from "./known-secrets.ts";
import { openServiceStore, openWorkerStore } from "./open-store.ts";
import type { TrialWishes } from "./request.ts";
import { interruption } from "./session.ts";
import { operatorOutbox, settingsEnvironment } from "./settings-environment.ts";
import { runTrial } from "./trial-command.ts";
import { typedCommand } from "./typed-command.ts";

const KEYS = ["github", "gitlab", "web"];
/** The sender's, beside. */
const MAIL_KEYS = ["mail"];

/** `tare serve`: webhooks in, comments and notes out. `works`: it has a worker of its own. */
export async function serveCommand(options: { works: boolean }): Promise<ExitCode> {
  const environment = await settingsEnvironment(...KEYS, ...MAIL_KEYS);
  const config = readServeConfig(environment, (path) => readFileSync(path, "utf8"));
  const mailer = mailerOf(environment);
  const policy = outboxPolicy(await operatorOutbox());
  const secrets = await knownSecrets();
  const log = createWebLog({ secrets });
  const lost = new AbortController();
  const { store, close } = await openServiceStore(environment, { log, secrets }, (why) => {
    log.error({ why }, "the database is gone: leaving, so that another start can have it");
    lost.abort();
  });
  const server = createWebServer({ config, store, log, secrets, now: () => new Date() });
  const stop = interruption();
  try {
    if (options.works) {
      await sweepRepositories();
      const forges = openForges(config, { log, secrets, patience: "client" });
      await workOnRequests(store, forges, { ...answering(secrets), log });
    }
    const forges = openForges(config, { log, secrets, patience: "outbox" });
    sendReplies(store, { forges, mailer, policy, log, secrets });
    await server.listen();
    await once(AbortSignal.any([stop.signal, lost.signal]), "abort");
    return lost.signal.aborted ? 3 : 0;
  } finally {
    await server.close();
    await close();
    stop.dispose();
  }
}

/** `tare worker`: works on the requests that a service takes in. Any number of them may run. */
export async function workerCommand(): Promise<ExitCode> {
  const environment = await settingsEnvironment(...KEYS);
  const config = readServeConfig(environment, (path) => readFileSync(path, "utf8"));
  const secrets = await knownSecrets();
  const log = createWebLog({ secrets });
  const { store, close } = await openWorkerStore(environment, { log, secrets });
  const stop = interruption();
  try {
    await sweepRepositories();
    const forges = openForges(config, { log, secrets, patience: "client" });
    await workOnRequests(store, forges, { ...answering(secrets), log });
    log.info({}, "working");
    await once(stop.signal, "abort");
    return 0;
  } finally {
    await close();
    stop.dispose();
  }
}

/** Sends mails where an SMTP server is named; null where none is. */
function mailerOf(environment: NodeJS.ProcessEnv): Mailer | null {
  const { smtpUrl } = readMailConfig(environment, (environment["TARE_SMTP_URL"] ?? "") !== "");
  return smtpUrl === null ? null : createMailer({ url: smtpUrl });
}

function answering(secrets: Secrets) {
  return {
    answerChange: createAnswerForge({
      cacheDirectory: cacheDirectory(process.env),
      tryChange: tryWith(secrets),
    }),
    touchesTemplate,
    now: () => new Date(),
  };
}

const tryWith =
  (secrets: Secrets): TryChange =>
  async (repository, change, reading, projectPath, signal) => {
    const argv = [
      "trial",
      "--rev",
      change.head.commit ?? change.head.tree,
      "--base",
      change.base.commit ?? change.base.tree,
      "--project",
      projectPath,
    ];
    const request: TrialWishes & { yes: boolean; secrets: Secrets } = {
      secrets,
      wishes: {},
      downloads: "cache",
      thread: [],
      forks: "readable",
      projectPath,
      command: typedCommand(argv),
      argv,
      yes: true,
    };
    return runTrial(repository, change, reading, request, signal);
  };

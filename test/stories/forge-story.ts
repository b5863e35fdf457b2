import type { AnswerChange, ForgeChange, TouchesTemplate } from "../../src/channels/types.ts";
import type { ServeConfig } from "../../src/config/serve.ts";
import { openForges, sendReplies, workOnRequests } from "../../src/answer-queue.ts";
import { openStore } from "../../src/queue/store.ts";
import type { OutboxPolicy } from "../../src/queue/outbox-policy.ts";
import { atOnce, openDatabases, type Databases } from "../fixtures/queue/databases.ts";
import { createSecrets, type Secrets } from "../../src/lib/secrets.ts";
import { createWebLog } from "../../src/web/log.ts";
import { createWebServer, type WebServer } from "../../src/web/server.ts";
import type { WebhookRequest } from "../fakes/github.ts";

/** Fixed clock of the stories. */
export const storyTime = new Date("2026-01-02T03:04:05.000Z");

export const templateFiles = { ".gitlab-ci.yml": "a: 1\n", "README.md": "Hello\n" };

/** What opens the pages of a story. */
export const PAGES_TOKEN = "a-token-for-pages-of-32-characters";

export type Story = {
  server: WebServer;
  url: string;
  /** Every change the line was asked about. */
  asked: ForgeChange[];
  log: string[];
  /** Resolves once nothing waits, nothing runs and no reply is to be sent. */
  idle(): Promise<void>;
  /** Sends a delivery and returns the status. */
  deliver: (request: WebhookRequest) => Promise<number>;
  close(): Promise<void>;
};

let databases: Databases | null = null;

/** The private database of this test file's stories; ended with the process that runs them. */
async function storyDatabase(): Promise<Databases> {
  databases ??= await openDatabases();
  return databases;
}

/** Ends what the stories of a file shared. */
export async function closeStories(): Promise<void> {
  await databases?.close();
  databases = null;
}

/** The real web process, store, worker and sender, with a line that answers as told. */
export async function startStory(options: {
  forge: Pick<ServeConfig, "github" | "gitlab">;
  answer?: AnswerChange;
  /** Without it only the entry file of GitLab CI counts as a template. */
  touchesTemplate?: TouchesTemplate;
  now?: () => Date;
  /** Without it nothing is held, and no budget is met. */
  policy?: OutboxPolicy;
  /** What the process holds. */
  secrets?: Secrets;
}): Promise<Story> {
  const asked: ForgeChange[] = [];
  const lines: string[] = [];
  const secrets = options.secrets ?? createSecrets();
  const log = createWebLog({
    secrets,
    level: "debug",
    destination: { write: (line) => void lines.push(line) },
  });
  const answer: AnswerChange = options.answer ?? (async (change) => answerOf(change));
  const now = options.now ?? (() => storyTime);
  const { ready } = await storyDatabase();
  const store = await openStore({ address: await ready(), log, secrets, retries: 0 });
  const forges = openForges(options.forge, { log, secrets, patience: "client" });
  const server = createWebServer({
    config: { host: "127.0.0.1", port: 0, pagesToken: PAGES_TOKEN, ...options.forge },
    store,
    log,
    secrets,
    now,
  });
  await workOnRequests(store, forges, {
    answerChange: (change, signal) => {
      asked.push(change);
      return answer(change, signal);
    },
    touchesTemplate:
      options.touchesTemplate ?? ((paths) => paths.some((path) => path.endsWith(".gitlab-ci.yml"))),
    log,
    now,
  });
  sendReplies(store, {
    forges: openForges(options.forge, { log, secrets, patience: "outbox" }),
    mailer: null,
    policy: options.policy ?? atOnce,
    log,
    secrets,
  });
  const { url } = await server.listen();
  const path = options.forge.github ? "/github/hooks" : "/gitlab/hooks";
  return {
    server,
    url,
    asked,
    log: lines,
    async idle() {
      for (;;) {
        const { waiting, running, replies } = await store.size();
        if (waiting + running + replies === 0) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async deliver(request) {
      const response = await fetch(`${url}${path}`, request);
      await response.text();
      return response.status;
    },
    async close() {
      await server.close();
      await store.close();
    },
  };
}

/** The injected line's answer: a refusal for strangers, a report otherwise. */
export function answerOf(change: ForgeChange): { kind: "report" | "refusal"; body: string } {
  return change.trust === "stranger"
    ? { kind: "refusal", body: `Nothing of ${change.head.commit.slice(0, 7)} was built.\n` }
    : { kind: "report", body: `Weighed ${change.head.commit.slice(0, 7)}.\n` };
}

import type { AnswerChange, ForgeChange, TouchesTemplate } from "../../src/channels/types.ts";
import type { ServeConfig } from "../../src/config/serve.ts";
import { createWebLog } from "../../src/web/log.ts";
import { createWebServer, type WebServer } from "../../src/web/server.ts";
import type { WebhookRequest } from "../fakes/github.ts";

/** Fixed clock of the stories. */
export const storyTime = new Date("2026-01-02T03:04:05.000Z");

export const templateFiles = { ".gitlab-ci.yml": "a: 1\n", "README.md": "Hello\n" };

export type Story = {
  server: WebServer;
  url: string;
  /** Every change the line was asked about. */
  asked: ForgeChange[];
  log: string[];
  /** Sends a delivery and returns the status. */
  deliver: (request: WebhookRequest) => Promise<number>;
  close(): Promise<void>;
};

/** The real web process with a line that answers as told. */
export async function startStory(options: {
  forge: Pick<ServeConfig, "github" | "gitlab">;
  answer?: AnswerChange;
  /** Without it only the entry file of GitLab CI counts as a template. */
  touchesTemplate?: TouchesTemplate;
  now?: () => Date;
}): Promise<Story> {
  const asked: ForgeChange[] = [];
  const log: string[] = [];
  const answer: AnswerChange = options.answer ?? (async (change) => answerOf(change));
  const server = createWebServer({
    config: { host: "127.0.0.1", port: 0, ...options.forge },
    answerChange: (change, signal) => {
      asked.push(change);
      return answer(change, signal);
    },
    touchesTemplate:
      options.touchesTemplate ?? ((paths) => paths.some((path) => path.endsWith(".gitlab-ci.yml"))),
    log: createWebLog({ level: "debug", destination: { write: (line) => void log.push(line) } }),
    now: options.now ?? (() => storyTime),
  });
  const { url } = await server.listen();
  const path = options.forge.github ? "/github/hooks" : "/gitlab/hooks";
  return {
    server,
    url,
    asked,
    log,
    async deliver(request) {
      const response = await fetch(`${url}${path}`, request);
      await response.text();
      return response.status;
    },
    close: () => server.close(),
  };
}

/** The injected line's answer: a refusal for strangers, a report otherwise. */
export function answerOf(change: ForgeChange): { kind: "report" | "refusal"; body: string } {
  return change.trust === "stranger"
    ? { kind: "refusal", body: `Nothing of ${change.head.commit.slice(0, 7)} was built.\n` }
    : { kind: "report", body: `Weighed ${change.head.commit.slice(0, 7)}.\n` };
}

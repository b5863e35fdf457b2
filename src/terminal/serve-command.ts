import { readFileSync } from "node:fs";
import { once } from "node:events";
import { createAnswerForge, touchesTemplate, type TryChange } from "../answer-forge.ts";
import { readServeConfig } from "../config/serve.ts";
import { sweepRepositories } from "../git/repository.ts";
import { createWebLog } from "../web/log.ts";
import { createWebServer } from "../web/server.ts";
import type { ExitCode } from "./exit-code.ts";
import { cacheDirectory } from "../lib/cache-directory.ts";
import type { TrialWishes } from "./request.ts";
import { interruption } from "./session.ts";
import { settingsEnvironment } from "./settings-environment.ts";
import { runTrial } from "./trial-command.ts";
import { typedCommand } from "./typed-command.ts";

/** `tare serve`: webhooks in, comments and notes out. In memory, one change at a time. */
export async function serveCommand(): Promise<ExitCode> {
  const environment = await settingsEnvironment("github", "gitlab", "web");
  const config = readServeConfig(environment, (path) => readFileSync(path, "utf8"));
  await sweepRepositories();
  const tryChange: TryChange = (repository, change, reading, projectPath, signal) => {
    const argv = [
      "trial",
      "--rev",
      change.head.commit ?? change.head.tree,
      "--base",
      change.base.commit ?? change.base.tree,
      "--project",
      projectPath,
    ];
    const request: TrialWishes & { yes: boolean } = {
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
  const server = createWebServer({
    config,
    answerChange: createAnswerForge({ cacheDirectory: cacheDirectory(process.env), tryChange }),
    touchesTemplate,
    log: createWebLog(),
    now: () => new Date(),
  });
  const stop = interruption();
  try {
    await server.listen();
    await once(stop.signal, "abort");
    return 0;
  } finally {
    await server.close();
    stop.dispose();
  }
}

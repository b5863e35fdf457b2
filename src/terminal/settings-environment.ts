import { readFileSync } from "node:fs";
import { openOperatorFile } from "../config/open-operator-file.ts";
import { operatorEnvironment } from "../config/operator-environment.ts";
import { outboxSettings } from "../config/outbox.ts";
import type { OutboxSettings } from "../domain/outbox-settings.ts";
import { withSecretFiles } from "../config/secret-files.ts";
import { mirrorsOf, type OperatorSettings } from "../config/operator-file.ts";
import type { TestbedOptions } from "../images/testbed.ts";

/** The environment with these keys of the operator's file filled in; variables that are set win. Never given to a child process. */
export async function settingsEnvironment(...keys: string[]): Promise<NodeJS.ProcessEnv> {
  const { settings } = await openOperatorFile(process.env);
  return filled(settings, keys);
}

/** What the operator says of replies. */
export async function operatorOutbox(): Promise<OutboxSettings> {
  const { settings } = await openOperatorFile(process.env);
  return outboxSettings(settings.outbox);
}

function filled(settings: OperatorSettings, keys: string[]): NodeJS.ProcessEnv {
  const read = (path: string) => readFileSync(path, "utf8");
  return operatorEnvironment(settings, withSecretFiles(process.env, read), keys, read);
}

/** Keys that say how jobs are run. */
const ENGINE_KEYS = ["privileges", "builderImages"];

/** What the operator says of the engine, of the images of builders, and of where base images are pulled. */
export async function engineSettings(): Promise<
  Required<Pick<TestbedOptions, "environment" | "named" | "mirrors" | "egress">>
> {
  const { settings } = await openOperatorFile(process.env);
  return {
    environment: filled(settings, ENGINE_KEYS),
    named: settings.builders ?? {},
    mirrors: mirrorsOf(settings),
    egress: settings.egress ?? [],
  };
}

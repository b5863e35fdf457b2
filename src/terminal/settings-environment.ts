import { readFileSync } from "node:fs";
import { openOperatorFile } from "../config/open-operator-file.ts";
import { operatorEnvironment } from "../config/operator-environment.ts";

/** The environment with these keys of the operator's file filled in; variables that are set win. Never given to a child process. */
export async function settingsEnvironment(...keys: string[]): Promise<NodeJS.ProcessEnv> {
  const { settings } = await openOperatorFile(process.env);
  return operatorEnvironment(settings, process.env, keys, (path) => readFileSync(path, "utf8"));
}

/** Keys that say how jobs are run. */
export const ENGINE_KEYS = ["privileges", "builderImages"];

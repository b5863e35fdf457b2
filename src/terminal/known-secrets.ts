import { readFileSync } from "node:fs";
import { secretsIn } from "../config/secrets.ts";
import { createSecrets, type Secrets } from "../lib/secrets.ts";
import { settingsEnvironment } from "./settings-environment.ts";

const KEYS = ["github", "gitlab", "web", "mail"];

/** The secrets of the environment and of the operator's file. A file that cannot be read holds none: others say so. */
export async function knownSecrets(): Promise<Secrets> {
  const filled = await Promise.all(
    KEYS.map(async (key) => settingsEnvironment(key).catch(() => process.env)),
  );
  return createSecrets(
    filled.flatMap((environment) => secretsIn(environment, (path) => readFileSync(path, "utf8"))),
  );
}

import { Problem } from "../domain/problem.ts";
import type { OperatorSettings } from "./operator-file.ts";
import { secretInFile } from "./secret-files.ts";
import type { Secret } from "./value-schemas.ts";

type Environment = Record<string, string | undefined>;

/** Where a setting of the environment came from, by the variable's name; the value itself is not here. */
export type EnvironmentOrigins = Record<string, { key: string; from: string }>;

export type FilledEnvironment = { environment: Environment; origins: EnvironmentOrigins; faults: string[] };

/**
 * The environment with keys of the operator's file filled in where their variables are not set: the settings of
 * src/config read variables alone, so that both ways are one. `keys` are whole keys or the mappings that hold them.
 * `readSecret` gets the path of a file that holds a secret. A secret that is not there is a fault, a line each.
 */
export function fillEnvironment(
  operator: OperatorSettings,
  environment: Environment,
  keys: readonly string[],
  readSecret: (path: string) => string,
): FilledEnvironment {
  const filled: FilledEnvironment = { environment: { ...environment }, origins: {}, faults: [] };
  const wanted = variablesOf(operator).filter(({ key }) =>
    keys.some((name) => key === name || key.startsWith(`${name}.`)),
  );
  for (const { key, variable, value } of wanted) {
    const winner = [variable, ...(ALSO[variable] ?? [])].find((name) => isSet(environment, name));
    if (winner !== undefined) filled.origins[variable] = { key, from: winner };
    if (winner !== undefined || value === undefined) continue;
    const found = typeof value === "object" ? secretOf(value, environment, readSecret) : String(value);
    if (found === null)
      filled.faults.push(`${key}: ${placeOf(value)} is not there, is empty, or cannot be read`);
    else {
      filled.environment[variable] = found;
      filled.origins[variable] = { key, from: placeOf(value) };
    }
  }
  return filled;
}

/** `fillEnvironment`, with a Problem `configuration` for secrets that are not where the file says. */
export function operatorEnvironment(...asked: Parameters<typeof fillEnvironment>): Environment {
  const { environment, faults } = fillEnvironment(...asked);
  if (faults.length === 0) return environment;
  throw new Problem(
    "configuration",
    "A secret is not where the operator's file says.",
    "Put it there, or name another place.",
    faults,
  );
}

/** Variables that say the same in another way. */
const ALSO: Readonly<Record<string, readonly string[]>> = { GITHUB_PRIVATE_KEY: ["GITHUB_PRIVATE_KEY_FILE"] };

type Variable = { key: string; variable: string; value: Secret | string | number | undefined };

/** Keys of the file that are variables of the environment, too. */
function variablesOf(operator: OperatorSettings): Variable[] {
  const { mail = {}, github = {}, gitlab = {}, web = {}, privileges, builderImages } = operator;
  const entry = (key: string, variable: string, value: Variable["value"]) => ({ key, variable, value });
  return [
    // `auto` is what holds where the variable is not set.
    entry("privileges", "TARE_PRIVILEGES", privileges === "auto" ? undefined : privileges),
    entry("builderImages", "TARE_IMAGES", builderImages === "auto" ? undefined : builderImages),
    entry("mail.from", "TARE_MAIL_FROM", mail.from),
    entry("mail.replyTo", "TARE_MAIL_REPLY_TO", mail.replyTo),
    entry("mail.smtpUrl", "TARE_SMTP_URL", mail.smtpUrl),
    entry("github.appId", "GITHUB_APP_ID", github.appId),
    entry("github.privateKey", "GITHUB_PRIVATE_KEY", github.privateKey),
    entry("github.webhookSecret", "GITHUB_WEBHOOK_SECRET", github.webhookSecret),
    entry("github.apiUrl", "GITHUB_API_URL", github.apiUrl),
    entry("github.webhookPath", "GITHUB_WEBHOOK_PATH", github.webhookPath),
    entry("gitlab.url", "GITLAB_URL", gitlab.url),
    entry("gitlab.token", "GITLAB_TOKEN", gitlab.token),
    entry("gitlab.webhookSecret", "GITLAB_WEBHOOK_SECRET", gitlab.webhookSecret),
    entry("gitlab.webhookPath", "GITLAB_WEBHOOK_PATH", gitlab.webhookPath),
    entry("web.host", "TARE_HOST", web.host),
    entry("web.port", "TARE_PORT", web.port),
  ];
}

function isSet(environment: Environment, name: string): boolean {
  return (environment[name] ?? "").trim() !== "";
}

function placeOf(value: Variable["value"]): string {
  if (typeof value !== "object") return "tare.yml";
  return value.file ?? `the variable ${value.variable ?? ""}`;
}

function secretOf(
  { file, variable }: Secret,
  environment: Environment,
  readSecret: (path: string) => string,
): string | null {
  if (file === undefined) return environment[variable ?? ""]?.trim() || null;
  return secretInFile(file, readSecret);
}

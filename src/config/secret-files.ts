import { Problem } from "../domain/problem.ts";

type Environment = Record<string, string | undefined>;

/** Secrets of the environment that may stand in a file instead: container engines hand secrets over as files. */
const IN_FILES = [
  "DATABASE_URL",
  "GITHUB_WEBHOOK_SECRET",
  "GITLAB_TOKEN",
  "GITLAB_WEBHOOK_SECRET",
  "TARE_PAGES_TOKEN",
  "TARE_SMTP_URL",
] as const;

/**
 * The environment with each `NAME_FILE` read into `NAME`. Problem `configuration` where a file cannot be read or is empty,
 * or where both are set: one of them would be believed to hold.
 */
export function withSecretFiles(environment: Environment, readSecret: (path: string) => string): Environment {
  const filled = { ...environment };
  const faults: string[] = [];
  for (const name of IN_FILES) {
    const path = environment[`${name}_FILE`]?.trim() ?? "";
    if (path === "") continue;
    if ((environment[name] ?? "").trim() !== "") {
      faults.push(`${name}_FILE: ${name} is set as well`);
      continue;
    }
    const secret = secretInFile(path, readSecret);
    if (secret === null) faults.push(`${name}_FILE: is empty or cannot be read`);
    else filled[name] = secret;
  }
  if (faults.length === 0) return filled;
  throw new Problem(
    "configuration",
    "A secret is not where a variable says.",
    "Put it there, or unset the variable.",
    faults,
  );
}

/** The secret in a file; null where it is empty or cannot be read. */
export function secretInFile(path: string, readSecret: (path: string) => string): string | null {
  try {
    // Editors end a file with a line break that is no part of the secret.
    return readSecret(path).trim() || null;
  } catch {
    return null;
  }
}

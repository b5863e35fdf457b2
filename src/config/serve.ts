import { createPrivateKey } from "node:crypto";
import { z } from "zod";
import type { GithubOptions } from "../channels/github.ts";
import type { GitlabOptions } from "../channels/gitlab.ts";
import { formatCount } from "../domain/quantities.ts";
import { Problem } from "../domain/problem.ts";

/** Settings of the web process; a forge that is not set up is null, and at least one is. */
export type ServeConfig = {
  host: string;
  port: number;
  /** Opens the pages; without one there are none. Secret. */
  pagesToken: string | null;
  github: GithubOptions | null;
  gitlab: GitlabOptions | null;
};

type Environment = Record<string, string | undefined>;

/** Shorter ones can be guessed from one captured event. */
const minSecretChars = 32;

const secret = z
  .string()
  .refine(
    (value) => value.length >= minSecretChars,
    `each secret needs at least ${minSecretChars} characters`,
  );

const secrets = z
  .string()
  .transform((value) => value.split(",").map((part) => part.trim()))
  .pipe(z.array(secret).max(2, "at most two secrets can be live, separated by a comma"));

const gitlabSecrets = secrets.refine(
  (values) => values.every((value) => !value.startsWith("whsec_") || isSigningSecret(value)),
  "a whsec_ secret is base64 of at least 24 bytes",
);

const apiUrl = z
  .string()
  .refine(isSafeUrl, "must be https:// without user name, query or fragment (http:// on loopback only)")
  .transform((value) => value.replace(/\/+$/, ""));

const privateKey = z
  .string()
  // One-line form, as files of variables hold it.
  .transform((value) => value.replaceAll("\\n", "\n"))
  .refine(isRsaKey, "must be the App's RSA private key in PEM form");

const path = z.string().regex(/^\/[\w./-]*$/, "must be a path that starts with /");

const githubSchema = z.object({
  GITHUB_APP_ID: z
    .string()
    .regex(/^[1-9]\d*$/, "must be the App's number")
    .transform(Number),
  GITHUB_PRIVATE_KEY: privateKey,
  GITHUB_WEBHOOK_SECRET: secrets,
  GITHUB_API_URL: apiUrl.default("https://api.github.com"),
  GITHUB_WEBHOOK_PATH: path.default("/github/hooks"),
});

const gitlabSchema = z.object({
  GITLAB_URL: apiUrl,
  GITLAB_TOKEN: z.string(),
  GITLAB_WEBHOOK_SECRET: gitlabSecrets,
  GITLAB_WEBHOOK_PATH: path.default("/gitlab/hooks"),
});

const webSchema = z.object({
  TARE_HOST: z.string().default("127.0.0.1"),
  TARE_PORT: z
    .string()
    .default("3000")
    .refine((value) => /^\d{1,5}$/.test(value) && Number(value) < 65_536, "must be a port, 0 to 65535")
    .transform(Number),
  TARE_PAGES_TOKEN: secret.optional(),
});

/**
 * Reads the settings from environment variables; `readFile` gets the path in GITHUB_PRIVATE_KEY_FILE.
 * Throws one Problem("configuration") with a line for each fault. Values are never shown: some are secret.
 */
export function readServeConfig(environment: Environment, readFile: (path: string) => string): ServeConfig {
  // An empty variable is one that is not set.
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
  const faults: string[] = [];
  const wanted = (prefix: string): boolean => Object.keys(set).some((name) => tareOwns(name, prefix));
  const web = check(webSchema, set, faults);
  const github = wanted("GITHUB_") ? check(githubSchema, withKeyFile(set, readFile, faults), faults) : null;
  const gitlab = wanted("GITLAB_") ? check(gitlabSchema, set, faults) : null;
  if (!wanted("GITHUB_") && !wanted("GITLAB_")) {
    faults.push("no forge: set GITHUB_APP_ID or GITLAB_URL and what belongs to it");
  }
  if (github && gitlab && github.GITHUB_WEBHOOK_PATH === gitlab.GITLAB_WEBHOOK_PATH) {
    faults.push("GITLAB_WEBHOOK_PATH: must differ from GITHUB_WEBHOOK_PATH");
  }
  if (faults.length > 0 || !web) {
    throw new Problem(
      "configuration",
      `The settings have ${formatCount(faults.length, "fault")}.`,
      "Set these environment variables.",
      faults,
    );
  }
  return {
    host: web.TARE_HOST,
    port: web.TARE_PORT,
    pagesToken: web.TARE_PAGES_TOKEN ?? null,
    github: github && toGithub(github),
    gitlab: gitlab && toGitlab(gitlab),
  };
}

function toGithub(values: z.infer<typeof githubSchema>): GithubOptions {
  return {
    appId: values.GITHUB_APP_ID,
    privateKey: values.GITHUB_PRIVATE_KEY,
    webhookSecrets: values.GITHUB_WEBHOOK_SECRET,
    apiUrl: values.GITHUB_API_URL,
    webhookPath: values.GITHUB_WEBHOOK_PATH,
  };
}

function toGitlab(values: z.infer<typeof gitlabSchema>): GitlabOptions {
  return {
    url: values.GITLAB_URL,
    token: values.GITLAB_TOKEN,
    webhookSecrets: values.GITLAB_WEBHOOK_SECRET,
    webhookPath: values.GITLAB_WEBHOOK_PATH,
  };
}

// Runners of both forges set many GITHUB_ and GITLAB_ variables of their own.
const ownNames = new Set([
  ...Object.keys(githubSchema.shape),
  "GITHUB_PRIVATE_KEY_FILE",
  ...Object.keys(gitlabSchema.shape),
]);

function tareOwns(name: string, prefix: string): boolean {
  return name.startsWith(prefix) && ownNames.has(name) && name !== "GITHUB_API_URL";
}

function check<T extends z.ZodType>(schema: T, values: Environment, faults: string[]): z.infer<T> | null {
  const result = schema.safeParse(values);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const name = String(issue.path[0] ?? "");
    faults.push(`${name}: ${values[name] === undefined ? "is not set" : issue.message}`);
  }
  return null;
}

function withKeyFile(values: Environment, readFile: (path: string) => string, faults: string[]): Environment {
  const file = values["GITHUB_PRIVATE_KEY_FILE"];
  if (file === undefined || values["GITHUB_PRIVATE_KEY"] !== undefined) return values;
  try {
    return { ...values, GITHUB_PRIVATE_KEY: readFile(file) };
  } catch {
    faults.push("GITHUB_PRIVATE_KEY_FILE: cannot be read");
    return values;
  }
}

function isSigningSecret(value: string): boolean {
  const text = value.slice("whsec_".length);
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) && Buffer.from(text, "base64").length >= 24;
}

function isRsaKey(value: string): boolean {
  try {
    return createPrivateKey(value).asymmetricKeyType === "rsa";
  } catch {
    return false;
  }
}

function isSafeUrl(value: string): boolean {
  const url = URL.parse(value);
  if (!url || url.username || url.password || url.search || url.hash) return false;
  const loopback = ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
  return url.protocol === "https:" || (url.protocol === "http:" && loopback);
}

import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readServeConfig } from "../../src/config/serve.ts";
import { Problem } from "../../src/domain/problem.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const pem = rsa.export({ type: "pkcs1", format: "pem" }).toString();
const secret = "a-webhook-secret-of-32-characters";
const signing = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

const github = { GITHUB_APP_ID: "42", GITHUB_PRIVATE_KEY: pem, GITHUB_WEBHOOK_SECRET: secret };
const gitlab = {
  GITLAB_URL: "https://gitlab.example.org/",
  GITLAB_TOKEN: "glpat-x",
  GITLAB_WEBHOOK_SECRET: signing,
};

const noFile = (): string => {
  throw new Error("no such file");
};

function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    readServeConfig(environment, noFile);
  } catch (error) {
    if (error instanceof Problem && error.code === "configuration") return error.details;
    throw error;
  }
  return [];
}

describe("the web process's settings", () => {
  it("are read with their defaults", () => {
    expect(readServeConfig({ ...github, ...gitlab }, noFile)).toEqual({
      host: "127.0.0.1",
      port: 3000,
      pagesToken: null,
      github: {
        appId: 42,
        privateKey: pem,
        webhookSecrets: [secret],
        apiUrl: "https://api.github.com",
        webhookPath: "/github/hooks",
      },
      gitlab: {
        url: "https://gitlab.example.org",
        token: "glpat-x",
        webhookSecrets: [signing],
        webhookPath: "/gitlab/hooks",
      },
    });
  });

  it("need one forge only, and take two live secrets", () => {
    const config = readServeConfig({ ...github, GITHUB_WEBHOOK_SECRET: `${secret}, ${secret}2` }, noFile);
    expect(config.gitlab).toBe(null);
    expect(config.github?.webhookSecrets).toEqual([secret, `${secret}2`]);
    expect(readServeConfig(gitlab, noFile).github).toBe(null);
  });

  it("take the key from a file, or on one line", () => {
    const { GITHUB_PRIVATE_KEY: _, ...rest } = github;
    const read = (path: string): string => (path === "/etc/tare.pem" ? pem : noFile());
    const fromFile = readServeConfig({ ...rest, GITHUB_PRIVATE_KEY_FILE: "/etc/tare.pem" }, read);
    expect(fromFile.github?.privateKey).toBe(pem);
    const oneLine = readServeConfig({ ...rest, GITHUB_PRIVATE_KEY: pem.replaceAll("\n", "\\n") }, noFile);
    expect(oneLine.github?.privateKey).toBe(pem);
  });

  it("ignore what the forges' own runners set", () => {
    const runner = { GITHUB_API_URL: "https://api.github.com", GITHUB_SHA: "abc", GITLAB_USER_ID: "1" };
    expect(faultsOf(runner)).toEqual(["no forge: set GITHUB_APP_ID or GITLAB_URL and what belongs to it"]);
  });

  it("have all faults told at once, and no value shown", () => {
    const faults = faultsOf({
      TARE_PORT: "70000",
      GITHUB_APP_ID: "canary",
      GITHUB_PRIVATE_KEY_FILE: "/canary.pem",
      GITHUB_WEBHOOK_SECRET: "canary",
      GITHUB_API_URL: "http://canary.example.org",
      GITLAB_URL: "https://user:canary@gitlab.example.org",
      GITLAB_WEBHOOK_SECRET: `${secret},${secret},${secret}`,
    });
    expect(faults).toEqual([
      "TARE_PORT: must be a port, 0 to 65535",
      "GITHUB_PRIVATE_KEY_FILE: cannot be read",
      "GITHUB_APP_ID: must be the App's number",
      "GITHUB_PRIVATE_KEY: is not set",
      "GITHUB_WEBHOOK_SECRET: each secret needs at least 32 characters",
      "GITHUB_API_URL: must be https:// without user name, query or fragment (http:// on loopback only)",
      "GITLAB_URL: must be https:// without user name, query or fragment (http:// on loopback only)",
      "GITLAB_TOKEN: is not set",
      "GITLAB_WEBHOOK_SECRET: at most two secrets can be live, separated by a comma",
    ]);
    expect(faults.join("\n")).not.toContain("canary");
  });

  it("refuse a key that is none, the default secret, and a short signing secret", () => {
    expect(faultsOf({ ...github, GITHUB_PRIVATE_KEY: "canary" })).toEqual([
      "GITHUB_PRIVATE_KEY: must be the App's RSA private key in PEM form",
    ]);
    expect(faultsOf({ ...github, GITHUB_WEBHOOK_SECRET: "development" })).toEqual([
      "GITHUB_WEBHOOK_SECRET: each secret needs at least 32 characters",
    ]);
    expect(faultsOf({ ...gitlab, GITLAB_WEBHOOK_SECRET: `whsec_${"!".repeat(40)}` })).toEqual([
      "GITLAB_WEBHOOK_SECRET: a whsec_ secret is base64 of at least 24 bytes",
    ]);
  });

  it("refuse one path for both doors", () => {
    expect(faultsOf({ ...github, ...gitlab, GITHUB_WEBHOOK_PATH: "/gitlab/hooks" })).toEqual([
      "GITLAB_WEBHOOK_PATH: must differ from GITHUB_WEBHOOK_PATH",
    ]);
  });
});

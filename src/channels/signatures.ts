import { createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { equalInConstantTime } from "../lib/constant-time.ts";

/** Decides over a body while it streams past. */
export type Verification = { update(chunk: Uint8Array): void; authentic(): boolean };

/** Standard Webhooks: a signature older or newer than this is refused. */
const windowMs = 5 * 60_000;

/** GitHub's `X-Hub-Signature-256` against each live secret; null where there is no such signature. */
export function verifyGithub(headers: IncomingHttpHeaders, secrets: readonly string[]): Verification | null {
  const signature = /^sha256=([0-9a-f]{64})$/i.exec(single(headers["x-hub-signature-256"]))?.[1];
  if (!signature) return null;
  return verifyHmac(
    secrets.map((secret) => Buffer.from(secret)),
    [Buffer.from(signature, "hex")],
    "",
  );
}

/**
 * GitLab's two ways: the Standard Webhooks signature where one is sent and a `whsec_` secret is set,
 * `X-Gitlab-Token` otherwise. Null where the headers alone forbid it.
 */
export function verifyGitlab(
  headers: IncomingHttpHeaders,
  secrets: readonly string[],
  nowMs: number,
): Verification | null {
  const signing = secrets.filter((secret) => secret.startsWith("whsec_"));
  if (signing.length > 0 && headers["webhook-signature"] !== undefined) {
    return verifyStandardWebhook(headers, signing, nowMs);
  }
  const token = single(headers["x-gitlab-token"]);
  const matches = secrets
    .filter((secret) => !secret.startsWith("whsec_"))
    .map((secret) => equalInConstantTime(token, secret));
  return token !== "" && matches.includes(true) ? { update() {}, authentic: () => true } : null;
}

function verifyStandardWebhook(
  headers: IncomingHttpHeaders,
  secrets: readonly string[],
  nowMs: number,
): Verification | null {
  const id = single(headers["webhook-id"]);
  const timestamp = single(headers["webhook-timestamp"]);
  if (id === "" || !/^\d{1,12}$/.test(timestamp)) return null;
  if (Math.abs(nowMs - Number(timestamp) * 1000) > windowMs) return null;
  const signatures = single(headers["webhook-signature"])
    .split(" ", 10)
    .filter((signature) => signature.startsWith("v1,"))
    .map((signature) => Buffer.from(signature.slice("v1,".length), "base64"));
  if (signatures.length === 0) return null;
  const keys = secrets.map((secret) => Buffer.from(secret.slice("whsec_".length), "base64"));
  return verifyHmac(keys, signatures, `${id}.${timestamp}.`);
}

function verifyHmac(keys: readonly Buffer[], signatures: readonly Buffer[], prefix: string): Verification {
  const hmacs = keys.map((key) => createHmac("sha256", key).update(prefix));
  return {
    update(chunk) {
      for (const hmac of hmacs) hmac.update(chunk);
    },
    authentic() {
      const expected = hmacs.map((hmac) => hmac.digest());
      // Every pair is compared: which one fits shows in no time.
      const matches = expected.flatMap((digest) =>
        signatures.map((signature) => equalInConstantTime(signature, digest)),
      );
      return matches.includes(true);
    },
  };
}

function single(value: string | string[] | undefined): string {
  return typeof value === "string" ? value : "";
}

import { createHash } from "node:crypto";
import { Outage } from "../domain/problem.ts";

/** OCI's algorithms (image-spec, descriptor.md); what names another one cannot be checked here. */
const ALGORITHMS: ReadonlySet<string> = new Set(["sha256", "sha512"]);

export function sha256Of(bytes: Uint8Array): string {
  return digestBy("sha256", bytes);
}

function digestBy(algorithm: string, bytes: Uint8Array): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

/** Whether a reference is a digest; a tag holds no colon. */
export function isDigest(reference: string): boolean {
  return reference.includes(":");
}

/** Throws Outage unless the bytes are those that the digest names. */
export function verifyDigest(where: string, bytes: Uint8Array, digest: string): void {
  const [algorithm = ""] = digest.split(":");
  if (!ALGORITHMS.has(algorithm)) {
    throw new Outage(
      `${where} has a digest that cannot be checked: ${digest}.`,
      "Push it with a SHA-256 digest.",
    );
  }
  const actual = digestBy(algorithm, bytes);
  if (actual !== digest) {
    throw new Outage(
      `${where} is not what its digest names: ${digest} was asked for or announced, the bytes are ${actual}.`,
      "Do not trust this registry's content; look at its storage.",
    );
  }
}

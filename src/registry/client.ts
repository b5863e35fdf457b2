import { createHash } from "node:crypto";
import { Outage } from "../domain/problem.ts";
import type { Descriptor, Manifest } from "../domain/registry.ts";
import { errorText } from "../lib/error-text.ts";

const LOOK = "Look at what was pushed there.";

/** Every kind of manifest that a registry may hold; asked for all at once, so that nothing is converted. */
const MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Reads one registry over the OCI distribution API (v1.1). `name` is a repository's path without the host. */
export type RegistryClient = {
  /** Lists repositories by `_catalog`: only Tare's own registry is asked for it. */
  repositories(): Promise<string[]>;
  tags(name: string): Promise<string[]>;
  manifest(name: string, reference: string): Promise<Manifest>;
  /** JSON content of a small blob: an image's configuration. */
  config(name: string, digest: string): Promise<unknown>;
};

/** Client of the registry at `origin`, for example `http://127.0.0.1:5000`. Throws Outage where it does not answer as it should. */
export function createRegistryClient(origin: string): RegistryClient {
  return {
    repositories: () => pages(origin, "/v2/_catalog?n=1000", "repositories"),
    tags: (name) => pages(origin, `/v2/${name}/tags/list?n=1000`, "tags"),
    async manifest(name, reference) {
      const path = `/v2/${name}/manifests/${reference}`;
      const response = await request(origin, path, { accept: MANIFEST_TYPES.join(", ") });
      const bytes = await bytesOf(path, response);
      const digest = response.headers.get("docker-content-digest");
      const type = response.headers.get("content-type");
      return readManifest(path, bytes, digest ?? digestOf(bytes), type);
    },
    async config(name, digest) {
      const path = `/v2/${name}/blobs/${digest}`;
      return readJson(path, await bytesOf(path, await request(origin, path, {})));
    },
  };
}

async function request(
  origin: string,
  path: string,
  headers: Record<string, string>,
  accepted: readonly number[] = [],
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(origin + path, { headers });
  } catch (error) {
    throw noAnswer(path, error);
  }
  if (response.ok || accepted.includes(response.status)) return response;
  throw new Outage(`The registry answered ${response.status} to ${path}.`, "Run it again.");
}

function noAnswer(path: string, error: unknown): Outage {
  return new Outage(`The registry does not answer: ${errorText(error)} (${path})`, "Run it again.", {
    cause: error,
  });
}

/** The body of an answer, up to the size of a manifest. */
async function bytesOf(path: string, response: Response): Promise<Buffer> {
  const tooLarge = new Outage(`${path} is larger than ${MAX_MANIFEST_BYTES} bytes.`, LOOK);
  if (Number(response.headers.get("content-length") ?? 0) > MAX_MANIFEST_BYTES) {
    await response.body?.cancel();
    throw tooLarge;
  }
  try {
    const bytes = Buffer.from(await response.arrayBuffer());
    if (bytes.length <= MAX_MANIFEST_BYTES) return bytes;
  } catch (error) {
    throw noAnswer(path, error);
  }
  throw tooLarge;
}

function readJson(where: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    throw new Outage(`${where} is no JSON.`, LOOK, { cause: error });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

async function pages(origin: string, first: string, field: "repositories" | "tags"): Promise<string[]> {
  const names: string[] = [];
  const asked = new Set<string>();
  let path: string | null = first;
  while (path !== null) {
    if (asked.has(path)) throw new Outage(`The pages of ${first} lead in a circle.`, LOOK);
    asked.add(path);
    // A push that was killed leaves a repository with blobs and without tags: CNCF Distribution answers 404 then.
    const response: Response = await request(origin, path, {}, field === "tags" ? [404] : []);
    const bytes = await bytesOf(path, response);
    if (response.status === 404) return names;
    const body = readJson(path, bytes);
    const page = isObject(body) ? body[field] : undefined;
    if (Array.isArray(page)) names.push(...page.filter((name): name is string => typeof name === "string"));
    const next = /<([^>]+)>;\s*rel="?next"?/.exec(response.headers.get("link") ?? "")?.[1];
    path = next === undefined ? null : pathOf(new URL(next, origin + path));
  }
  return names;
}

/** A registry may name itself by another host in its links. */
function pathOf(url: URL): string {
  return url.pathname + url.search;
}

/** Reads a manifest's bytes into what is charged. Entries of an index that are no manifests are its layers (BuildKit caches). */
export function readManifest(
  where: string,
  bytes: Uint8Array,
  digest: string,
  contentType: string | null,
): Manifest {
  const raw = readJson(where, bytes);
  if (!isObject(raw)) throw new Outage(`${where} is no manifest.`, LOOK);
  const entries = descriptors(where, raw["manifests"]);
  const mediaType = typeof raw["mediaType"] === "string" ? raw["mediaType"] : (contentType ?? "");
  return {
    digest,
    bytes: bytes.length,
    mediaType,
    config: raw["config"] === undefined ? null : descriptor(where, raw["config"]),
    layers: [
      ...descriptors(where, raw["layers"]),
      ...entries.filter((entry) => !MANIFEST_TYPES.includes(entry.mediaType)),
    ],
    children: entries
      .filter((entry) => MANIFEST_TYPES.includes(entry.mediaType))
      .map((entry) => entry.digest),
  };
}

function descriptors(where: string, list: unknown): Descriptor[] {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new Outage(`${where} is no manifest.`, LOOK);
  return list.map((raw) => descriptor(where, raw));
}

function descriptor(where: string, raw: unknown): Descriptor {
  const { digest, size, mediaType, urls } = isObject(raw) ? raw : {};
  if (typeof digest !== "string" || typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw new Outage(`${where} holds a descriptor without digest or size.`, LOOK);
  }
  const type = typeof mediaType === "string" ? mediaType : "";
  const foreign =
    (Array.isArray(urls) && urls.length > 0) || type.includes("foreign") || type.includes("nondistributable");
  return { digest, bytes: size, mediaType: type, foreign };
}

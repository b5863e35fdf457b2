import { Outage } from "../domain/problem.ts";
import type { Descriptor, Manifest } from "../domain/registry.ts";
import { errorText } from "../lib/error-text.ts";

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
      const bytes = Buffer.from(await response.arrayBuffer());
      if (bytes.length > MAX_MANIFEST_BYTES) {
        throw new Outage(
          `${path} is larger than ${MAX_MANIFEST_BYTES} bytes.`,
          "Look at what was pushed there.",
        );
      }
      const digest = response.headers.get("docker-content-digest");
      return readManifest(path, bytes, digest ?? reference, response.headers.get("content-type"));
    },
    async config(name, digest) {
      return (await request(origin, `/v2/${name}/blobs/${digest}`, {})).json();
    },
  };
}

async function request(origin: string, path: string, headers: Record<string, string>): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(origin + path, { headers });
  } catch (error) {
    throw new Outage(`The registry does not answer: ${errorText(error)} (${path})`, "Run it again.", {
      cause: error,
    });
  }
  if (!response.ok) throw new Outage(`The registry answered ${response.status} to ${path}.`, "Run it again.");
  return response;
}

async function pages(origin: string, first: string, field: "repositories" | "tags"): Promise<string[]> {
  const names: string[] = [];
  let path: string | null = first;
  while (path !== null) {
    const response: Response = await request(origin, path, {});
    const body = (await response.json()) as Record<string, unknown>;
    const page = body[field];
    if (Array.isArray(page)) names.push(...page.filter((name): name is string => typeof name === "string"));
    const next = /<([^>]+)>;\s*rel="?next"?/.exec(response.headers.get("link") ?? "")?.[1];
    path = next === undefined ? null : new URL(next, origin + path).href.slice(origin.length);
  }
  return names;
}

type RawDescriptor = { digest?: unknown; size?: unknown; mediaType?: unknown; urls?: unknown };
type RawManifest = {
  mediaType?: unknown;
  config?: RawDescriptor;
  layers?: RawDescriptor[];
  manifests?: RawDescriptor[];
};

/** Reads a manifest's bytes into what is charged. Entries of an index that are no manifests are its layers (BuildKit caches). */
export function readManifest(
  where: string,
  bytes: Uint8Array,
  digest: string,
  contentType: string | null,
): Manifest {
  let raw: RawManifest;
  try {
    raw = JSON.parse(Buffer.from(bytes).toString("utf8")) as RawManifest;
  } catch (error) {
    throw new Outage(`${where} is no JSON.`, "Look at what was pushed there.", { cause: error });
  }
  const entries = (raw.manifests ?? []).map((entry) => descriptor(where, entry));
  const mediaType = typeof raw.mediaType === "string" ? raw.mediaType : (contentType ?? "");
  return {
    digest,
    bytes: bytes.length,
    mediaType,
    config: raw.config === undefined ? null : descriptor(where, raw.config),
    layers: [
      ...(raw.layers ?? []).map((layer) => descriptor(where, layer)),
      ...entries.filter((entry) => !MANIFEST_TYPES.includes(entry.mediaType)),
    ],
    children: entries
      .filter((entry) => MANIFEST_TYPES.includes(entry.mediaType))
      .map((entry) => entry.digest),
  };
}

function descriptor(where: string, raw: RawDescriptor): Descriptor {
  const { digest, size, mediaType, urls } = raw;
  if (typeof digest !== "string" || typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw new Outage(`${where} holds a descriptor without digest or size.`, "Look at what was pushed there.");
  }
  const type = typeof mediaType === "string" ? mediaType : "";
  const foreign =
    (Array.isArray(urls) && urls.length > 0) || type.includes("foreign") || type.includes("nondistributable");
  return { digest, bytes: size, mediaType: type, foreign };
}

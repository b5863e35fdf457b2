import { Outage } from "../domain/problem.ts";
import type { Descriptor, Manifest } from "../domain/registry.ts";

const LOOK = "Look at what was pushed there.";

const SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws";
const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** Every kind of manifest that a registry may hold; asked for all at once, so that nothing is converted. */
export const MANIFEST_TYPES: readonly string[] = [
  OCI_INDEX,
  OCI_MANIFEST,
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  // Artifacts before OCI 1.1 settled on image manifests: `blobs` instead of `layers`.
  "application/vnd.oci.artifact.manifest.v1+json",
  "application/vnd.cncf.oras.artifact.manifest.v1+json",
  SCHEMA_1,
  "application/vnd.docker.distribution.manifest.v1+json",
];

/** BuildKit's cache configuration, a blob that its older caches list among the "manifests" of an index. */
const CACHE_CONFIG = "application/vnd.buildkit.cacheconfig.v0";

/** Types that are blobs for certain, of image and cache: OCI's, Docker's and BuildKit's. */
const BLOB_TYPE =
  /^application\/vnd\.(?:oci\.image\.layer\.|docker\.image\.rootfs\.|docker\.container\.image\.|oci\.image\.config\.|buildkit\.)/;

/** Characters of a foreign text in a message. */
const MAX_SHOWN = 100;

/** OCI image-spec, descriptor.md. */
const DIGEST = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[A-Za-z0-9=_-]+$/;

/** A manifest, and what its own bytes leave open. */
export type ReadManifest = {
  manifest: Manifest;
  /** Children as they were described, to be compared with what they are. */
  described: Descriptor[];
  /** Entries of an index whose type says neither manifest nor blob, or that have none: the registry must be asked. */
  unsettled: Descriptor[];
  /** Whether layers have no sizes (schema 1): they stand as 0 bytes until the blobs are asked. */
  unsized: boolean;
  /** Manifest that this one says something about: a signature's image, for instance. */
  subject: string | null;
  /** Whether the type is none of `MANIFEST_TYPES`: what was found by the usual fields is all that is counted. */
  unknownType: boolean;
};

/**
 * Reads a manifest's bytes into what is charged. Types and fields: OCI image-spec 1.1 (manifest.md, image-index.md),
 * Docker's image manifest v2 schema 1 and 2, BuildKit's cache/remotecache/export.go. Throws Outage where it is no manifest.
 */
export function readManifest(
  where: string,
  bytes: Uint8Array,
  digest: string,
  contentType: string | null,
): ReadManifest {
  const raw = readJson(where, bytes);
  if (!isObject(raw)) throw new Outage(`${where} is no manifest.`, LOOK);
  const mediaType = typeOf(raw, contentType);
  const entries = descriptors(where, raw["manifests"]);
  const listed = sortEntries(entries);
  const own = raw["config"] === undefined ? null : descriptor(where, raw["config"]);
  const schema1 = raw["fsLayers"] === undefined ? [] : fsLayers(where, raw["fsLayers"]);
  return {
    manifest: {
      digest,
      bytes: bytes.length,
      mediaType,
      config: own ?? listed.config,
      layers: [
        ...descriptors(where, raw["layers"]),
        ...descriptors(where, raw["blobs"]),
        ...listed.blobs,
        ...schema1,
      ],
      children: listed.children.map((entry) => entry.digest),
    },
    described: listed.children,
    unsettled: listed.unsettled,
    unsized: schema1.length > 0,
    subject: isObject(raw["subject"]) ? descriptor(where, raw["subject"]).digest : null,
    unknownType: !MANIFEST_TYPES.includes(mediaType),
  };
}

/** The manifest's own type, the registry's, or by its fields where neither names a kind: OCI leaves the field free. */
function typeOf(raw: Record<string, unknown>, contentType: string | null): string {
  const named = raw["mediaType"];
  if (typeof named === "string" && named !== "") return named.slice(0, 255);
  const served = contentType?.split(";")[0]?.trim() ?? "";
  if (served.startsWith("application/vnd.")) return served;
  if (raw["fsLayers"] !== undefined) return SCHEMA_1;
  if (raw["manifests"] !== undefined) return OCI_INDEX;
  return raw["config"] === undefined ? served : OCI_MANIFEST;
}

/** Entries of an index by what they are. The first cache configuration is the index's own, as GitLab reads it too. */
function sortEntries(entries: readonly Descriptor[]) {
  const children = entries.filter(({ mediaType }) => MANIFEST_TYPES.includes(mediaType));
  const config = entries.find(({ mediaType }) => mediaType === CACHE_CONFIG) ?? null;
  const blobs = entries.filter((entry) => isBlob(entry) && entry !== config);
  const unsettled = entries.filter((entry) => !MANIFEST_TYPES.includes(entry.mediaType) && !isBlob(entry));
  return { children, config, blobs, unsettled };
}

function isBlob({ mediaType }: Descriptor): boolean {
  return BLOB_TYPE.test(mediaType);
}

/** Layers of schema 1: digests without sizes, the empty layer as often as instructions changed nothing. */
function fsLayers(where: string, list: unknown): Descriptor[] {
  if (!Array.isArray(list)) throw new Outage(`${where} is no manifest.`, LOOK);
  return list.map((raw) => {
    const digest = isObject(raw) ? raw["blobSum"] : undefined;
    return descriptor(where, {
      digest,
      size: 0,
      mediaType: "application/vnd.docker.container.image.rootfs.diff+x-gtar",
    });
  });
}

/** JSON of an answer's bytes; Outage where it is none, a truncated one for instance. */
export function readJson(where: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    throw new Outage(`${where} is no JSON.`, LOOK, { cause: error });
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function descriptors(where: string, list: unknown): Descriptor[] {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new Outage(`${where} is no manifest.`, LOOK);
  return list.map((raw) => descriptor(where, raw));
}

function descriptor(where: string, raw: unknown): Descriptor {
  const { digest, size, mediaType, urls } = isObject(raw) ? raw : {};
  if (typeof digest !== "string" || typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw new Outage(`${where} holds a descriptor without digest or size.`, LOOK);
  }
  // A digest becomes part of a path: nothing else may.
  if (!DIGEST.test(digest))
    throw new Outage(`${where} holds a digest that is none: ${digest.slice(0, MAX_SHOWN)}`, LOOK);
  // RFC 6838 allows 127 characters on each side of the slash.
  const type = typeof mediaType === "string" && mediaType.length <= 255 ? mediaType : "";
  const foreign =
    (Array.isArray(urls) && urls.length > 0) || type.includes("foreign") || type.includes("nondistributable");
  return { digest, bytes: size, mediaType: type, foreign };
}

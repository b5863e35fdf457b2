import { Outage } from "../domain/problem.ts";
import { isDigest, sha256Of, verifyDigest } from "./digest.ts";
import {
  descriptors,
  isObject,
  MANIFEST_TYPES,
  readJson,
  readManifest,
  type ReadManifest,
} from "./read-manifest.ts";
import {
  LOOK,
  PATIENCE,
  registryHttp,
  type Ask,
  type Authorize,
  type RegistryPatience,
} from "./registry-http.ts";
import { namedBytes } from "./schema1.ts";

/** Pages and names of one list, far above what any registry of builds holds. */
const MAX_PAGES = 2_000;
const MAX_NAMES = 500_000;

/** Answers to a question for referrers that say "no such endpoint" (distribution-spec 1.1: 404). */
const WITHOUT_REFERRERS = [404, 405, 501];

/** Unlike other types this one stands last: a registry that knows more kinds than Tare may still show them. */
const ACCEPT = [...MANIFEST_TYPES, "*/*;q=0.1"].join(", ");

/** Reads one registry over the OCI distribution API (v1.1). `name` is a repository's path without the host. */
export type RegistryClient = {
  /** Lists repositories by `_catalog`: only Tare's own registry is asked for it. */
  repositories(): Promise<string[]>;
  tags(name: string): Promise<string[]>;
  /** By tag or digest; the bytes are checked against every digest that names them. Null where there is none. */
  manifest(name: string, reference: string): Promise<ReadManifest | null>;
  /** JSON content of a small blob, checked against its digest: an image's configuration. */
  config(name: string, digest: string): Promise<unknown>;
  /** Size of a blob as the repository holds it; null where it does not. */
  blobBytes(name: string, digest: string): Promise<number | null>;
  /** Digests of manifests whose subject is this one; "unsupported" where the registry has no such list. */
  referrers(name: string, digest: string): Promise<string[] | "unsupported">;
};

/**
 * Client of the registry at `origin`, for example `http://127.0.0.1:5000`. Throws Outage, with the path, where the
 * registry does not answer as it should or shows bytes that their digest does not name.
 */
export function createRegistryClient(
  origin: string,
  patience: RegistryPatience = PATIENCE,
  authorize?: Authorize,
): RegistryClient {
  const ask = registryHttp(origin, patience, authorize);
  return {
    repositories: async () => texts(await pages(ask, origin, "/v2/_catalog?n=1000", "repositories", [])),
    // A push that was killed leaves a repository with blobs and without tags: CNCF Distribution answers 404 then.
    tags: async (name) => texts(await pages(ask, origin, `/v2/${name}/tags/list?n=1000`, "tags", [404])),
    manifest: (name, reference) => fetchManifest(ask, name, reference),
    async config(name, digest) {
      const path = `/v2/${name}/blobs/${digest}`;
      const { bytes } = await ask({ path });
      verifyDigest(path, bytes, digest);
      return readJson(path, bytes);
    },
    async blobBytes(name, digest) {
      const path = `/v2/${name}/blobs/${digest}`;
      const { status, headers } = await ask({ path, method: "HEAD", accepted: [404] });
      if (status === 404) return null;
      const length = headers.get("content-length") ?? "";
      if (!/^\d{1,15}$/.test(length)) {
        throw new Outage(`The registry does not tell the size of ${path}.`, LOOK);
      }
      return Number(length);
    },
    async referrers(name, digest) {
      const path = `/v2/${name}/referrers/${digest}`;
      const list = await pages(ask, origin, path, "manifests", WITHOUT_REFERRERS);
      return list === null ? "unsupported" : descriptors(path, list).map((entry) => entry.digest);
    },
  };
}

async function fetchManifest(ask: Ask, name: string, reference: string): Promise<ReadManifest | null> {
  // What a registry lists as a tag may hold anything; a digest was checked when it was read.
  const last = isDigest(reference) ? reference : encodeURIComponent(reference);
  const path = `/v2/${name}/manifests/${last}`;
  const { status, headers, bytes } = await ask({ path, headers: { accept: ACCEPT }, accepted: [404] });
  if (status === 404) return null;
  const contentType = headers.get("content-type");
  const named = namedBytes(path, bytes, contentType);
  const announced = headers.get("docker-content-digest");
  if (announced !== null) verifyDigest(path, named, announced);
  if (isDigest(reference)) verifyDigest(path, named, reference);
  return readManifest(
    path,
    named,
    isDigest(reference) ? reference : (announced ?? sha256Of(named)),
    contentType,
  );
}

const texts = (list: readonly unknown[] | null): string[] =>
  (list ?? []).filter((name): name is string => typeof name === "string");

/** Entries of a list that comes in pages; null where the first answer is one of `absent`. */
async function pages(
  ask: Ask,
  origin: string,
  first: string,
  field: string,
  absent: readonly number[],
): Promise<unknown[] | null> {
  const entries: unknown[] = [];
  const asked = new Set<string>();
  let path: string | null = first;
  while (path !== null) {
    if (asked.has(path)) throw new Outage(`The pages of ${first} lead in a circle.`, LOOK);
    if (asked.size >= MAX_PAGES)
      throw new Outage(`The pages of ${first} do not end: ${MAX_PAGES} were read.`, LOOK);
    asked.add(path);
    const { status, headers, bytes } = await ask({ path, accepted: absent });
    if (absent.includes(status)) return asked.size === 1 ? null : entries;
    const body = readJson(path, bytes);
    const page = isObject(body) ? body[field] : undefined;
    if (Array.isArray(page)) for (const entry of page) entries.push(entry);
    if (entries.length > MAX_NAMES) throw new Outage(`${first} lists more than ${MAX_NAMES} names.`, LOOK);
    const next = /<([^>]+)>;\s*rel="?next"?/.exec(headers.get("link") ?? "")?.[1];
    path = next === undefined ? null : pathOf(first, next, origin + path);
  }
  return entries;
}

/** A registry may name itself by another host in its links: only the path is followed. */
function pathOf(first: string, link: string, base: string): string {
  const url = URL.parse(link, base);
  if (url === null) throw new Outage(`The pages of ${first} lead to no address: ${link}`, LOOK);
  return url.pathname + url.search;
}

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One manifest as it was pushed. `digest` is that of its bytes unless the pusher lied. */
type Stored = { bytes: Buffer; mediaType: string; digest: string };
type Repository = { tags: Map<string, string>; manifests: Map<string, Stored>; blobs: Set<string> };
type State = { blobs: Map<string, Buffer>; repositories: Map<string, Repository> };

/**
 * An answer in the place of the real one, to each request whose path fits, or to the first `times` of them. `cutAfter`
 * ends the connection after so many bytes of the body; `silent` never answers; `chunked` announces no length.
 */
type Disturbance = {
  path: RegExp;
  method?: string;
  times?: number;
  status?: number;
  body?: string;
  headers?: Record<string, string>;
  cutAfter?: number;
  silent?: boolean;
  chunked?: boolean;
};

/**
 * A registry on loopback that behaves like CNCF Distribution 2.8 towards a reader: catalog and tags in pages with a
 * Link header, manifests by tag and digest, blobs, 404 for tags of a repository without one. Pushes are calls.
 */
export type FakeRegistry = {
  origin: string;
  port: number;
  /** `METHOD path?query` of every request, in order. */
  requests: string[];
  /** Lines of the access log: of every request, and of the uploads that a push over the network would make. */
  log: string[];
  /** Lines of its own log, which a test writes: what it says of requests that it answered with an error. */
  complaints: string[];
  /** Puts a blob there; returns its digest. */
  blob(repository: string, content: Uint8Array | string): string;
  /** Puts a manifest there, under a tag unless it is null; returns its digest, which is `digest` where given. */
  manifest(repository: string, tag: string | null, manifest: Pushed): string;
  disturb(disturbance: Disturbance): void;
  /** Loses a blob or a manifest from a repository and the disk, whatever still names it. */
  lose(repository: string, digest: string): void;
  /** The most requests that were under way at one time. */
  mostAtOnce(): number;
  /** Blob files on the disk: digest to bytes. */
  stored(): Record<string, number>;
  /** A copy of everything, and the way back to it. */
  mark(): void;
  rollBack(): void;
  close(): Promise<void>;
};

export type Pushed = { body: unknown; mediaType: string; digest?: string };

export type FakeRegistryOptions = {
  port?: number;
  /** Names or tags in one page, whatever is asked for. */
  pageSize?: number;
  /** Whether answers carry Docker-Content-Digest. */
  digestHeader?: boolean;
  /** Whether there is a list of referrers (OCI 1.1), in pages of `pageSize`; Distribution 2.8 has none. */
  referrers?: boolean;
  /** How long each answer takes. */
  delayMs?: number;
};

export const sha256 = (content: Uint8Array | string): string =>
  `sha256:${createHash("sha256").update(content).digest("hex")}`;

export async function startFakeRegistry(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  let state: State = { blobs: new Map(), repositories: new Map() };
  let marked = state;
  const requests: string[] = [];
  const log: string[] = [];
  const disturbances: Disturbance[] = [];
  let underWay = 0;
  let mostAtOnce = 0;
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    mostAtOnce = Math.max(mostAtOnce, (underWay += 1));
    response.once("close", () => (underWay -= 1));
    const reply = () => {
      const written = answer(state, options, disturbances, request, response);
      log.push(logLine(request.method ?? "", request.url ?? "", response.statusCode, written));
    };
    if (options.delayMs === undefined) reply();
    else setTimeout(reply, options.delayMs);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(options.port ?? 0, "127.0.0.1", resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  const repositoryOf = (name: string): Repository => {
    const found = state.repositories.get(name) ?? { tags: new Map(), manifests: new Map(), blobs: new Set() };
    state.repositories.set(name, found);
    return found;
  };
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    requests,
    log,
    complaints: [],
    blob(repository, content) {
      const bytes = Buffer.from(content);
      const digest = sha256(bytes);
      state.blobs.set(digest, bytes);
      repositoryOf(repository).blobs.add(digest);
      log.push(uploadLine(repository, digest));
      return digest;
    },
    manifest(repository, tag, { body, mediaType, digest: claimed }) {
      const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
      const digest = claimed ?? sha256(bytes);
      const into = repositoryOf(repository);
      into.manifests.set(digest, { bytes, mediaType, digest });
      if (tag !== null) into.tags.set(tag, digest);
      state.blobs.set(digest, bytes);
      log.push(logLine("PUT", `/v2/${repository}/manifests/${tag ?? digest}`, 201, 0));
      return digest;
    },
    // Copied, for `times` is counted down.
    disturb: (disturbance) => void disturbances.push({ ...disturbance }),
    lose(repository, digest) {
      state.repositories.get(repository)?.blobs.delete(digest);
      state.repositories.get(repository)?.manifests.delete(digest);
      state.blobs.delete(digest);
    },
    mostAtOnce: () => mostAtOnce,
    stored: () => Object.fromEntries([...state.blobs].map(([digest, bytes]) => [digest, bytes.length])),
    mark() {
      marked = structuredClone(state);
    },
    rollBack() {
      state = structuredClone(marked);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function logLine(method: string, uri: string, status: number, bytes: number): string {
  return `127.0.0.1 - - [24/Nov/2026:00:01:02 +0000] "${method} ${uri} HTTP/1.1" ${status} ${bytes} "" "docker/20.10"`;
}

function uploadLine(repository: string, digest: string): string {
  const uri = `/v2/${repository}/blobs/uploads/1f2e?_state=avQr6&digest=${encodeURIComponent(digest)}`;
  return logLine("PUT", uri, 201, 0);
}

type Reply = { status: number; body?: Buffer | string; headers?: Record<string, string> };

/** Answers one request and returns the bytes of the body. */
function answer(
  state: State,
  options: FakeRegistryOptions,
  disturbances: readonly Disturbance[],
  request: IncomingMessage,
  response: ServerResponse,
): number {
  const url = new URL(request.url ?? "/", "http://registry");
  const real = replyTo(state, options, url, request.headers.accept ?? "");
  const disturbed = disturbances.find((each) => fits(each, url, request.method));
  if (disturbed?.times !== undefined) disturbed.times -= 1;
  if (disturbed?.silent === true) return 0;
  const status = disturbed?.status ?? real.status;
  const headers = { ...real.headers, ...disturbed?.headers };
  const body = Buffer.from(disturbed?.body ?? real.body ?? "");
  const length = disturbed?.chunked === true ? {} : { "content-length": body.length };
  response.writeHead(status, { ...length, ...headers });
  if (disturbed?.cutAfter === undefined) response.end(body);
  else response.write(body.subarray(0, disturbed.cutAfter), () => response.destroy());
  return body.length;
}

function fits(disturbance: Disturbance, url: URL, method: string | undefined): boolean {
  if (disturbance.times === 0) return false;
  if (disturbance.method !== undefined && disturbance.method !== method) return false;
  return disturbance.path.test(url.pathname);
}

function replyTo(state: State, options: FakeRegistryOptions, url: URL, accept: string): Reply {
  const { pathname } = url;
  if (pathname === "/v2/") return json({});
  if (pathname === "/v2/_catalog") {
    return page([...state.repositories.keys()], "repositories", url, options, {});
  }
  const tags = /^\/v2\/(.+)\/tags\/list$/.exec(pathname)?.[1];
  if (tags !== undefined) {
    const repository = state.repositories.get(tags);
    if (repository === undefined || repository.tags.size === 0) return unknown("NAME_UNKNOWN");
    return page([...repository.tags.keys()], "tags", url, options, { name: tags });
  }
  const [, name = "", kind, reference = ""] =
    /^\/v2\/(.+)\/(manifests|blobs|referrers)\/([^/]+)$/.exec(pathname) ?? [];
  const repository = state.repositories.get(name);
  if (kind === "referrers" && options.referrers === true) {
    return page(referrersOf(repository, reference), "manifests", url, options, {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
    });
  }
  if (kind === "blobs" && repository?.blobs.has(reference) === true) {
    return { status: 200, body: state.blobs.get(reference) ?? "" };
  }
  const digest = repository?.tags.get(reference) ?? reference;
  const manifest = kind === "manifests" ? repository?.manifests.get(digest) : undefined;
  // Distribution answers 404 to who does not say that he reads OCI's types; all types do not stand for them.
  const oci = manifest?.mediaType.startsWith("application/vnd.oci.image.") === true;
  const readable = accept.includes(manifest?.mediaType ?? "") || (!oci && accept.includes("*/*"));
  if (manifest === undefined || !readable) return unknown("MANIFEST_UNKNOWN");
  const digestHeader = options.digestHeader === false ? {} : { "docker-content-digest": manifest.digest };
  return {
    status: 200,
    body: manifest.bytes,
    headers: { "content-type": manifest.mediaType, ...digestHeader },
  };
}

function json(value: unknown): Reply {
  return { status: 200, body: JSON.stringify(value), headers: { "content-type": "application/json" } };
}

function unknown(code: string): Reply {
  return { ...json({ errors: [{ code, message: "not known to registry" }] }), status: 404 };
}

/** Descriptors of manifests whose subject is this digest, in order of their digests. */
function referrersOf(repository: Repository | undefined, subject: string): Named[] {
  const manifests = [...(repository?.manifests.values() ?? [])];
  return manifests
    .filter(({ bytes }) => bytes.includes(`"subject":`) && bytes.includes(subject))
    .filter(({ bytes }) => (JSON.parse(bytes.toString()) as { subject?: Named }).subject?.digest === subject)
    .map(({ digest, mediaType, bytes }) => ({ digest, mediaType, size: bytes.length }));
}

type Named = { digest: string; mediaType: string; size: number };

/** One page in lexical order; the Link header is relative, as Distribution's is. */
function page(
  entries: readonly (string | Named)[],
  field: string,
  url: URL,
  options: FakeRegistryOptions,
  more: Record<string, unknown>,
): Reply {
  const nameOf = (entry: string | Named) => (typeof entry === "string" ? entry : entry.digest);
  const last = url.searchParams.get("last") ?? "";
  const left = entries
    .filter((entry) => nameOf(entry) > last)
    .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const size = Math.min(Number(url.searchParams.get("n") ?? 100), options.pageSize ?? 1000);
  const shown = left.slice(0, size);
  const reply = json({ ...more, [field]: shown });
  const end = shown.at(-1);
  if (end === undefined || shown.length === left.length) return reply;
  const next = `${url.pathname}?last=${encodeURIComponent(nameOf(end))}&n=${size}`;
  return { ...reply, headers: { ...reply.headers, link: `<${next}>; rel="next"` } };
}

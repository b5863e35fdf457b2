import { randomUUID } from "node:crypto";
import { createServer } from "node:net";
import { cutOff, listenOnLoopback } from "../lib/listen.ts";
import { Outage, Problem } from "../domain/problem.ts";
import type { Service, ServiceSpec } from "../domain/job.ts";
import type { Denial, Snapshot, Traffic } from "../domain/registry.ts";
import { readTraffic, uploadedDigests } from "./access-log.ts";
import { createRegistryClient, type RegistryClient } from "./client.ts";
import { ownAuthorization } from "./own-authorization.ts";
import { configuration, ROOT } from "./registry-configuration.ts";
import { PATIENCE, registryHttp, type Authorize } from "./registry-http.ts";
import { NO_REASON, readServerErrors } from "./server-errors.ts";
import { takeSnapshot } from "./snapshot.ts";
import { createTokenServer, type Login, type TokenServer } from "./token-server.ts";

const DATA = `${ROOT}/docker/registry/v2`;
const READY_LIMIT_MS = 15_000;
const LOG_LIMIT_MS = 10_000;
const REASON_LIMIT_MS = 2_000;

/** A registry of a trial's own on loopback: one process, one directory, gone with the trial. */
export type TrialRegistry = {
  /** host:port as image references name it. */
  host: string;
  client: RegistryClient;
  snapshot(): Promise<Snapshot>;
  /** Bytes over the link, and errors of the registry's own, since the last call. */
  traffic(): Promise<Traffic>;
  /** Remembers everything stored, and goes back to it. */
  mark(): Promise<void>;
  rollBack(): Promise<void>;
  remove(): Promise<void>;
  /** Who may do what; null where everybody may do everything. */
  access: RegistryAccess | null;
};

/** Users of a registry that enforces what they may do. */
export type RegistryAccess = {
  /** Address where tokens are asked for. */
  realm: string;
  login(user: "upstream" | "contributor"): Login;
  letUpstreamBeRead(readable: boolean): void;
  /** What was asked for and not given since the last call. */
  takeDenied(): Denial[];
};

export type RegistryOptions = {
  name: string;
  image: string;
  /** Named volume that keeps the storage; null for storage that goes with the registry. */
  volume: string | null;
  /** Root namespace of a fork: then users have passwords and rights. Left out, everybody may do everything. */
  contributor?: string;
  startService(spec: ServiceSpec): Promise<Service>;
};

/** A TCP port of loopback that nothing listens on now. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server);
  await cutOff(server, []);
  return port;
}

/** Starts a registry; another process may take the port in between, so that it is tried three times. */
export async function startRegistry(options: RegistryOptions): Promise<TrialRegistry> {
  const { contributor } = options;
  const tokens = contributor === undefined ? null : await createTokenServer({ contributor });
  try {
    return await startWith(options, tokens);
  } catch (error) {
    await tokens?.close();
    throw error;
  }
}

async function startWith(options: RegistryOptions, tokens: TokenServer | null): Promise<TrialRegistry> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const service = await options.startService({
      name: `${options.name}-${attempt}`,
      image: options.image,
      main: ["registry", "serve", "/etc/tare/registry.yml"],
      environment: { OTEL_TRACES_EXPORTER: "none" },
      files: configuration(port, tokens),
      volumes: [{ path: ROOT, name: options.volume }],
    });
    if (await answers(service, port)) return trialRegistry(service, port, tokens);
    const said = await service.tail();
    await service.remove();
    if (attempt === 3) {
      throw new Problem("port-taken", "The registry of the trial did not start.", "Run it again.", said);
    }
  }
}

async function answers(service: Service, port: number): Promise<boolean> {
  const deadline = performance.now() + READY_LIMIT_MS;
  while (performance.now() < deadline) {
    try {
      const signal = AbortSignal.timeout(READY_LIMIT_MS);
      const response = await fetch(`http://127.0.0.1:${port}/v2/`, { signal });
      // Another program that took the port would answer in the registry's place.
      if (response.ok || response.status === 401) return await service.running();
    } catch {
      if (!(await service.running())) return false;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return false;
}

function trialRegistry(service: Service, port: number, tokens: TokenServer | null): TrialRegistry {
  const authorize = tokens === null ? undefined : ownAuthorization(tokens);
  const client = createRegistryClient(`http://127.0.0.1:${port}`, PATIENCE, authorize);
  let linesRead = 0;
  /** Answers of 5xx before, those to clients that hung up included. */
  let errorsRead = 0;
  /** Sizes of blobs by what was listed so far: a digest has one size for ever. */
  const sizes = new Map<string, number>();
  const listBlobs = async (): Promise<Record<string, number>> => {
    const stored = await storedBlobs(service);
    for (const [digest, bytes] of Object.entries(stored)) sizes.set(digest, bytes);
    return stored;
  };
  return {
    host: `127.0.0.1:${port}`,
    client,
    async snapshot() {
      const stored = await listBlobs();
      return takeSnapshot(client, await client.repositories(), stored);
    },
    async traffic() {
      const lines = await settledLog(service, port, authorize);
      const fresh = lines.slice(linesRead);
      if (uploadedDigests(fresh).some((digest) => !sizes.has(digest))) await listBlobs();
      const bytes = readTraffic(fresh, sizes);
      linesRead = lines.length;
      if (bytes.serverErrors === 0) return bytes;
      const reasons = await settledReasons(service, errorsRead, bytes.serverErrors);
      errorsRead += bytes.serverErrors;
      const [first, ...more] = reasons.filter((reason) => reason !== null);
      if (first === undefined) return { ...bytes, serverErrors: 0 };
      return { ...bytes, serverErrors: 1 + more.length, firstServerError: first };
    },
    async mark() {
      // Blob files never change once they are there: links to them are as good as copies.
      await service.exec(["sh", "-c", MARK]);
    },
    async rollBack() {
      await service.exec(["sh", "-c", ROLL_BACK]);
      await service.restart();
      if (!(await answers(service, port)))
        throw new Outage("The registry did not come back.", "Run it again.");
    },
    async remove() {
      await tokens?.close();
      await service.remove();
    },
    access: tokens,
  };
}

/**
 * The access log with everything in it that was answered before now. The engine hands lines on with a delay: a question
 * of Tare's own, which no ledger counts, is the sign that those before it have arrived.
 */
async function settledLog(service: Service, port: number, authorize?: Authorize): Promise<string[]> {
  const sign = `/v2/?tare=${randomUUID()}`;
  const ask = registryHttp(`http://127.0.0.1:${port}`, { ...PATIENCE, timeoutMs: LOG_LIMIT_MS }, authorize);
  await ask({ path: sign, method: "HEAD" });
  const deadline = performance.now() + LOG_LIMIT_MS;
  for (;;) {
    const lines = await service.output();
    if (lines.some((line) => line.includes(sign))) return lines;
    if (performance.now() > deadline) {
      throw new Outage("The registry's access log does not go on.", "Run it again.");
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What the registry says of the answers of 5xx behind those `before`; its standard error arrives by itself, and may be later. */
async function settledReasons(service: Service, before: number, answers: number): Promise<(string | null)[]> {
  const deadline = performance.now() + REASON_LIMIT_MS;
  for (;;) {
    const reasons = readServerErrors(await service.errors()).slice(before, before + answers);
    if (reasons.length === answers) return reasons;
    // An answer without a reason is still one that no client asked for.
    if (performance.now() > deadline)
      return Array.from({ length: answers }, (_, index) => reasons[index] ?? NO_REASON);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const MARK = `set -e; rm -rf ${ROOT}/mark; mkdir -p ${DATA}/blobs ${DATA}/repositories ${ROOT}/mark
cp -al ${DATA}/blobs ${ROOT}/mark/blobs; cp -a ${DATA}/repositories ${ROOT}/mark/repositories`;
const ROLL_BACK = `set -e; rm -rf ${DATA}/blobs ${DATA}/repositories
cp -al ${ROOT}/mark/blobs ${DATA}/blobs; cp -a ${ROOT}/mark/repositories ${DATA}/repositories`;

/** Digest to bytes of every blob file on the registry's disk. */
async function storedBlobs(service: Service): Promise<Record<string, number>> {
  const listing = await service.exec([
    "sh",
    "-c",
    `mkdir -p ${DATA}/blobs; find ${DATA}/blobs -name data -exec stat -c '%s %n' {} +`,
  ]);
  const blobs: Record<string, number> = {};
  for (const line of listing.split("\n")) {
    const [, bytes, algorithm, hex] = /^(\d+) .*\/blobs\/([^/]+)\/[^/]+\/([0-9a-f]+)\/data$/.exec(line) ?? [];
    if (hex !== undefined) blobs[`${algorithm}:${hex}`] = Number(bytes);
  }
  return blobs;
}

import { setTimeout as wait } from "node:timers/promises";
import { Outage } from "../domain/problem.ts";
import { errorText } from "../lib/error-text.ts";

export const LOOK = "Look at what was pushed there.";
const AGAIN = "Run it again.";

/** Largest body that is read: a manifest, a page of names, an image's configuration. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** How long a registry is waited for. */
export type RegistryPatience = {
  /** For one answer, body and all. */
  timeoutMs: number;
  /** Before a request is made once more, where the registry does not name a time itself. */
  retryWaitMs: number;
  /** At most, whatever Retry-After says. */
  longestWaitMs: number;
};

export const PATIENCE: RegistryPatience = { timeoutMs: 60_000, retryWaitMs: 500, longestWaitMs: 10_000 };

export type Request = {
  path: string;
  method?: "GET" | "HEAD";
  headers?: Record<string, string>;
  /** Statuses that are an answer although they are no success. */
  accepted?: readonly number[];
};

export type Answer = { status: number; headers: Headers; bytes: Buffer };

/** Asks one registry; throws Outage, with the path, for everything that is no answer. */
export type Ask = (request: Request) => Promise<Answer>;

/** The Authorization header for a path; null where the registry asks for none. */
export type Authorize = (path: string) => Promise<string | null>;

/** Reads of the registry at `origin`. 429 and 5xx are asked once more; a body ends at 4 MiB. */
export function registryHttp(
  origin: string,
  patience: RegistryPatience,
  authorize: Authorize = async () => null,
): Ask {
  return async (asked) => {
    const authorization = await authorize(asked.path);
    const own: Record<string, string> = authorization === null ? {} : { authorization };
    const request = { ...asked, headers: { ...asked.headers, ...own } };
    const first = await attempt(origin, request, patience);
    if (!("refusedWith" in first)) return first;
    await wait(first.waitMs);
    const second = await attempt(origin, request, patience);
    if (!("refusedWith" in second)) return second;
    throw refused(request.path, second.refusedWith);
  };
}

/** An answer that another try may better. */
type Refusal = { refusedWith: number; waitMs: number };

async function attempt(
  origin: string,
  request: Request,
  patience: RegistryPatience,
): Promise<Answer | Refusal> {
  const { path, method = "GET", headers = {}, accepted = [] } = request;
  try {
    const signal = AbortSignal.timeout(patience.timeoutMs);
    const response = await fetch(origin + path, { method, headers, signal });
    const { status } = response;
    // What answers HEAD announces a length and has no body.
    const bytes = response.ok && method === "GET" ? await bodyOf(path, response) : Buffer.alloc(0);
    if (!response.ok) await response.body?.cancel();
    if (response.ok || accepted.includes(status)) return { status, headers: response.headers, bytes };
    if (status === 429 || status >= 500) {
      return { refusedWith: status, waitMs: waitOf(response.headers, patience) };
    }
    throw refused(path, status);
  } catch (error) {
    if (error instanceof Outage) throw error;
    throw new Outage(`The registry does not answer: ${reason(error)} (${path})`, AGAIN, { cause: error });
  }
}

function refused(path: string, status: number): Outage {
  return new Outage(`The registry answered ${status} to ${path}.`, AGAIN);
}

/** What fetch says is "fetch failed"; why is in its cause. */
function reason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? errorText(error) : `${errorText(error)}: ${errorText(cause)}`;
}

/** Retry-After is seconds or a date (RFC 9110, 10.2.3). */
function waitOf(headers: Headers, { retryWaitMs, longestWaitMs }: RegistryPatience): number {
  const named = headers.get("retry-after");
  if (named === null) return retryWaitMs;
  const waitMs = /^\d+$/.test(named) ? Number(named) * 1000 : Date.parse(named) - Date.now();
  return Number.isNaN(waitMs) ? retryWaitMs : Math.min(Math.max(waitMs, 0), longestWaitMs);
}

/** Reads no more than the limit, whatever length was announced. */
async function bodyOf(path: string, response: Response): Promise<Buffer> {
  const tooLarge = new Outage(`${path} is larger than ${MAX_BODY_BYTES} bytes.`, LOOK);
  const announced = Number(response.headers.get("content-length") ?? 0);
  const { body } = response;
  if (body === null) return Buffer.alloc(0);
  if (announced > MAX_BODY_BYTES) {
    await body.cancel();
    throw tooLarge;
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

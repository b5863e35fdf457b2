import { ImapFlow, type ImapFlowOptions } from "imapflow";
import { z } from "zod";
import { MAX_MAIL_BYTES } from "../domain/mail.ts";
import { Outage, Problem } from "../domain/problem.ts";
import { codeOf, errorText } from "../lib/error-text.ts";
import { redact } from "../lib/redact.ts";
import { BATCH_BYTES, BATCH_MESSAGES, messageOf, tooLarge } from "./batcher.ts";
import { waitMs } from "./wait.ts";
import type { MailBatch, MailSource, Position, SourceMessage } from "./types.ts";

export type ImapOptions = {
  id: string;
  host: string;
  port: number;
  /** `implicit` from the first byte, `starttls` or nothing; `none` goes to loopback alone. */
  tls: "implicit" | "starttls" | "none";
  user: string;
  /** A password, or a token for XOAUTH2; asked for at each connection, because tokens change. Secret. */
  secret: () => string;
  login: "password" | "xoauth2";
  mailbox: string;
  pollMs?: number;
  /** Silence after which a connection is given up. */
  timeoutMs?: number;
  /** PEM certificates that are trusted beside the machine's. */
  ca?: string;
};

const positionSchema = z.strictObject({ uidValidity: z.string().regex(/^\d+$/), uid: z.int().min(0) });
type ImapPosition = z.output<typeof positionSchema>;

/** Servers may end an IDLE after half an hour, and routers forget a silent connection sooner. */
const IDLE_MS = 9 * 60_000;
/** Some servers do not tell of all that comes. */
const POLL_MS = 120_000;

/**
 * Reads a mailbox by UID, read-only: it sets no flag. When the server has numbered the mailbox anew (UIDVALIDITY), everything is
 * delivered again, and the store knows by Message-ID and content what it has. A lost connection is an Outage; a new call
 * makes a new one, because the client cannot connect twice.
 */
export function createImapSource(options: ImapOptions): MailSource {
  if (options.tls === "none" && !isLoopback(options.host)) {
    throw new Problem(
      "configuration",
      `${options.host} would be given the password without TLS.`,
      "Use tls: implicit or starttls; without TLS only this machine itself is asked.",
    );
  }
  const outsized = rememberOutsized();
  return { id: options.id, read: (from, signal) => readMailbox(options, outsized, from, signal) };
}

async function* readMailbox(
  options: ImapOptions,
  outsized: Outsized,
  from: Position,
  signal: AbortSignal,
): AsyncGenerator<MailBatch> {
  const secret = options.secret();
  const link = connect(options, secret, signal);
  try {
    await link.client.connect();
    const { uidValidity } = await link.client.mailboxOpen(options.mailbox, { readOnly: true });
    let position = startAt(from, String(uidValidity));
    while (!signal.aborted) {
      for await (const { messages, uid } of readAfter(link.client, position.uid, outsized)) {
        position = { uidValidity: position.uidValidity, uid };
        yield { messages, position };
      }
      link.check();
      await link.news(options.pollMs ?? POLL_MS, signal);
      link.check();
    }
  } catch (error) {
    const reason = link.failure() ?? error;
    outsized.learn(reason);
    if (!signal.aborted) throw explain(reason, options, secret);
  } finally {
    link.close();
  }
}

/** Numbers of another UIDVALIDITY say nothing. */
function startAt(from: Position, uidValidity: string): ImapPosition {
  const position = from === null ? null : positionSchema.parse(from);
  return position?.uidValidity === uidValidity ? position : { uidValidity, uid: 0 };
}

/** Messages behind a UID in the order of UIDs. Sizes are asked for first, so that nothing above the cap is sent. */
async function* readAfter(
  client: ImapFlow,
  last: number,
  outsized: Outsized,
): AsyncGenerator<{ messages: SourceMessage[]; uid: number }> {
  const found = (await client.search({ uid: `${last + 1}:*` }, { uid: true })) || [];
  // `n:*` has the last message even where its UID is below n.
  const uids = found.filter((uid) => uid > last).toSorted((a, b) => a - b);
  for (let at = 0; at < uids.length; at += BATCH_MESSAGES) {
    const sizes = await sizesOf(client, uids.slice(at, at + BATCH_MESSAGES));
    for (const group of groups([...sizes], outsized.groupBytes())) {
      yield { messages: await readGroup(client, group, outsized), uid: group.at(-1)?.[0] ?? last };
    }
  }
}

/** What was removed since is not there. */
async function sizesOf(client: ImapFlow, uids: readonly number[]): Promise<Map<number, number>> {
  const sizes = new Map<number, number>();
  const query = { uid: true, size: true } as const;
  for await (const { uid, size } of client.fetch(uids.join(","), query, { uid: true }))
    sizes.set(uid, size ?? 0);
  return new Map([...sizes].toSorted(([a], [b]) => a - b));
}

type Sized = [uid: number, bytes: number];

function groups(sized: readonly Sized[], mostBytes: number): Sized[][] {
  const all: Sized[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const entry of sized) {
    if (bytes + entry[1] > mostBytes) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)?.push(entry);
    bytes += entry[1] > MAX_MAIL_BYTES ? 0 : entry[1];
  }
  return all;
}

async function readGroup(
  client: ImapFlow,
  group: readonly Sized[],
  outsized: Outsized,
): Promise<SourceMessage[]> {
  const sizeOf = ([uid, bytes]: Sized) => outsized.sizes.get(uid) ?? bytes;
  const wanted = group.filter((entry) => sizeOf(entry) <= MAX_MAIL_BYTES).map(([uid]) => uid);
  const raws = new Map<number, Buffer>();
  if (wanted.length > 0) {
    outsized.asked = wanted;
    // BODY.PEEK: reading sets no flag.
    for await (const { uid, source } of client.fetch(
      wanted.join(","),
      { uid: true, source: true },
      { uid: true },
    ))
      if (source) raws.set(uid, source);
  }
  return group.flatMap((entry) => {
    const [uid] = entry;
    const raw = raws.get(uid);
    if (raw) return [messageOf(raw, uid)];
    return sizeOf(entry) > MAX_MAIL_BYTES ? [tooLarge(sizeOf(entry), uid)] : [];
  });
}

/**
 * Servers may tell a wrong size, and a literal above the limit ends the connection. After that messages are asked for one by
 * one, and the one that ends it again is told as too large.
 */
type Outsized = {
  sizes: Map<number, number>;
  asked: readonly number[];
  groupBytes(): number;
  learn(error: unknown): void;
};

function rememberOutsized(): Outsized {
  let isCareful = false;
  return {
    sizes: new Map(),
    asked: [],
    groupBytes: () => (isCareful ? 0 : BATCH_BYTES),
    learn(error) {
      if (codeOf(error) !== "LiteralTooLarge") return;
      const [uid] = this.asked;
      if (isCareful && uid !== undefined && this.asked.length === 1) this.sizes.set(uid, MAX_MAIL_BYTES + 1);
      isCareful = true;
    },
  };
}

type Link = {
  client: ImapFlow;
  /** Why the connection ended, where it did. */
  failure(): Error | null;
  check(): void;
  news(atMostMs: number, signal: AbortSignal): Promise<void>;
  close(): void;
};

function connect(options: ImapOptions, secret: string, signal: AbortSignal): Link {
  const client = new ImapFlow(settings(options, secret));
  let failure: Error | null = null;
  let isNew = false;
  let wake = (): void => {};
  const end = (error: Error): void => {
    failure ??= error;
    wake();
  };
  client.on("error", end);
  client.on("close", () => end(new Error("the server closed the connection")));
  client.on("exists", () => {
    isNew = true;
    wake();
  });
  const onAbort = () => {
    client.close();
    wake();
  };
  signal.addEventListener("abort", onAbort);
  return {
    client,
    failure: () => failure,
    check() {
      if (failure) throw failure;
    },
    async news(atMostMs, stop) {
      if (!isNew && !failure && !stop.aborted) {
        const early = new AbortController();
        wake = () => early.abort();
        // It ends when the next command is given, or with the connection, which tells its failure itself.
        client.idle().catch(() => {});
        await waitMs(atMostMs, AbortSignal.any([stop, early.signal]));
      }
      isNew = false;
    },
    close() {
      signal.removeEventListener("abort", onAbort);
      client.close();
    },
  };
}

function settings(options: ImapOptions, secret: string): ImapFlowOptions {
  const { host, port, user, login, tls, timeoutMs = 60_000, ca } = options;
  return {
    host,
    port,
    secure: tls === "implicit",
    ...(tls === "implicit" ? {} : { doSTARTTLS: tls === "starttls" }),
    auth: login === "password" ? { user, pass: secret } : { user, accessToken: secret },
    tls: { minVersion: "TLSv1.2", ...(ca === undefined ? {} : { ca }) },
    logger: false,
    maxIdleTime: IDLE_MS,
    maxLiteralSize: MAX_MAIL_BYTES,
    maxResponseSize: MAX_MAIL_BYTES + 1_000_000,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    // Polling speaks more often than that.
    socketTimeout: Math.max(timeoutMs, (options.pollMs ?? POLL_MS) * 2),
  };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** What the operator must mend is a Problem; a network that fails comes back by itself. */
function explain(error: unknown, options: ImapOptions, secret: string): Error {
  if (error instanceof z.ZodError) return error;
  const said = redact(`${errorText(error)}${responseOf(error)}`, [secret]);
  const place = `${options.host}:${options.port}`;
  if (isRefusedLogin(error)) {
    return new Problem(
      "configuration",
      `${place} refuses the login of ${options.user}: ${said}`,
      "Correct mail.sources: user and secret.",
    );
  }
  return new Outage(
    `Reading ${options.mailbox} at ${place} failed: ${said}`,
    "Check the server and the network; it will be tried again.",
    { cause: codeOf(error) },
  );
}

function isRefusedLogin(error: unknown): boolean {
  if (typeof error !== "object" || error === null || !("authenticationFailed" in error)) return false;
  // A connection that ended while it logged in refused nothing.
  return "serverResponseCode" in error && error.serverResponseCode === "AUTHENTICATIONFAILED";
}

function responseOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("responseText" in error)) return "";
  return typeof error.responseText === "string" ? ` (${error.responseText})` : "";
}

import { unlink } from "node:fs/promises";
import { createConnection } from "node:net";
import { SMTPServer, type SMTPServerDataStream } from "smtp-server";
import { MAX_MAIL_BYTES } from "../domain/mail.ts";
import { Problem } from "../domain/problem.ts";
import { plainAddress } from "../channels/mail/own-address.ts";
import { codeOf, errorText } from "../lib/error-text.ts";
import { isFull, messageOf } from "./batcher.ts";
import type { MailBatch, MailSource } from "./types.ts";

export type SmtpOptions = {
  id: string;
  protocol: "lmtp" | "smtp";
  /** A unix socket's path, or an address and a port; 0 asks for a free one. */
  listen: { socket: string } | { host: string; port: number };
  /** Own addresses: mail to others is refused. `tare+list@example.org` is one of `tare@example.org`. */
  recipients: readonly string[];
  /** Told where it listens. */
  onListening?: (address: string | { host: string; port: number }) => void;
};

type Waiting = { raw: Buffer; settle: (stored: boolean) => void };

/** Sessions at once: more are told to come again. */
const MOST_SESSIONS = 10;

/**
 * A server for mail that is handed over. A sender gets 250 when its message is stored, 451 when the store fails, and 552
 * above the cap. It keeps no position: what was not acknowledged is the sender's to send again.
 */
export function createSmtpSource(options: SmtpOptions): MailSource {
  return { id: options.id, read: (_, signal) => serve(options, signal) };
}

async function* serve(options: SmtpOptions, signal: AbortSignal): AsyncGenerator<MailBatch> {
  const waiting: Waiting[] = [];
  let wake = (): void => {};
  const broken: Error[] = [];
  const server = createServer(options, (item) => {
    waiting.push(item);
    wake();
  });
  server.on("error", (error) => {
    // A sender that hangs up is no failure of the server.
    if (server.server.listening) return;
    broken.push(error);
    wake();
  });
  const onAbort = () => wake();
  signal.addEventListener("abort", onAbort);
  const taken: Waiting[] = [];
  try {
    await listen(server, options);
    while (!signal.aborted && broken.length === 0) {
      taken.length = 0;
      const messages: ReturnType<typeof messageOf>[] = [];
      while (waiting.length > 0 && !isFull(messages)) {
        const item = waiting.shift();
        if (!item) break;
        taken.push(item);
        messages.push(messageOf(item.raw, null));
      }
      if (messages.length === 0) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      const items = [...taken];
      yield {
        messages,
        position: null,
        answer: (stored) => items.forEach(({ settle }) => settle(stored)),
      };
    }
    if (broken[0]) throw broken[0];
  } finally {
    signal.removeEventListener("abort", onAbort);
    for (const { settle } of [...taken, ...waiting]) settle(false);
    await close(server);
  }
}

function createServer(options: SmtpOptions, onMessage: (item: Waiting) => void): SMTPServer {
  const own = new Set(options.recipients.map(plainAddress));
  return new SMTPServer({
    lmtp: options.protocol === "lmtp",
    size: MAX_MAIL_BYTES,
    maxClients: MOST_SESSIONS,
    authOptional: true,
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 1000,
    onRcptTo: ({ address }, _, callback) =>
      own.has(plainAddress(address)) ? callback() : callback(refusal(550, "No such mailbox here")),
    onData: (stream, _, callback) => void take(stream, callback, onMessage),
  });
}

async function take(
  stream: SMTPServerDataStream,
  callback: (error?: Error | null, text?: string) => void,
  onMessage: (item: Waiting) => void,
): Promise<void> {
  try {
    const raw = await collect(stream);
    if (raw === null) callback(refusal(552, "Message exceeds the size limit"));
    else onMessage({ raw, settle: once((stored) => callback(stored ? null : notStored(), "Stored")) });
  } catch (error) {
    callback(refusal(451, errorText(error)));
  }
}

function notStored(): Error {
  return refusal(451, "Not stored, try again later");
}

/** The message as it was sent; null above the cap, where the rest is read and thrown away as the protocol wants. */
async function collect(stream: SMTPServerDataStream): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_MAIL_BYTES) chunks.push(chunk);
    else chunks.length = 0;
  }
  return bytes > MAX_MAIL_BYTES || stream.sizeExceeded ? null : Buffer.concat(chunks);
}

/** A sender is answered once, by who comes first: the store, or the end of the server. */
function once(task: (stored: boolean) => void): (stored: boolean) => void {
  let isDone = false;
  return (stored) => {
    if (isDone) return;
    isDone = true;
    task(stored);
  };
}

function refusal(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}

async function listen(server: SMTPServer, { listen: place, onListening }: SmtpOptions): Promise<void> {
  if ("socket" in place) await removeStale(place.socket);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.server.once("error", reject);
  if ("socket" in place) server.listen(place.socket, () => resolve());
  else server.listen(place.port, place.host, () => resolve());
  try {
    await promise;
  } catch (error) {
    if (codeOf(error) !== "EADDRINUSE" && codeOf(error) !== "EACCES") throw error;
    const name = "socket" in place ? place.socket : `${place.host}:${place.port}`;
    throw new Problem(
      "port-taken",
      `${name} cannot be listened on: ${errorText(error)}`,
      "Name another one.",
    );
  }
  server.server.off("error", reject);
  const address = server.server.address();
  if (address === null || typeof address === "string") onListening?.(address ?? "");
  else onListening?.({ host: address.address, port: address.port });
}

/** A socket file outlives a killed process; one that somebody answers on is left. */
async function removeStale(path: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const probe = createConnection(path, () => resolve(null));
  probe.on("error", (error) => resolve(codeOf(error)));
  const code = await promise;
  probe.destroy();
  if (code === "ECONNREFUSED") await unlink(path);
}

function close(server: SMTPServer): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  return promise;
}

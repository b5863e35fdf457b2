import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  AddressRefused,
  guardedLookup,
  refuseLiteral,
  type AllowAddress,
  type Resolve,
} from "./addresses.ts";

const CONNECT_LIMIT_MS = 30_000;

/** What was tunnelled to a host: nobody can look into HTTPS, so it is fetched anew each time. */
export type Tunnel = {
  /** host:port */
  host: string;
  connections: number;
  /** Bytes from the host. */
  bytes: number;
};

/**
 * Answers a CONNECT: carries bytes both ways until both ends have ended. `count` hears of connections and of bytes from
 * the host. A tunnel that fails ends quietly; a host that cannot be reached is answered 502, one not allowed 403.
 */
export async function openTunnel(
  authority: string,
  near: Duplex,
  head: Buffer,
  allow: (port: number) => AllowAddress,
  count: (host: string, part: { connections?: number; bytes?: number }) => void,
  lookUp?: Resolve,
): Promise<void> {
  near.on("error", () => near.destroy());
  let far: Socket;
  try {
    far = await reach(authority, allow, lookUp);
  } catch (error) {
    const status = error instanceof AddressRefused ? "403 Forbidden" : "502 Bad Gateway";
    near.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
    return;
  }
  if (near.destroyed) {
    far.destroy();
    return;
  }
  count(authority, { connections: 1 });
  far.on("data", (chunk: Buffer) => count(authority, { bytes: chunk.length }));
  near.write("HTTP/1.1 200 Connection established\r\n\r\n");
  if (head.length > 0) far.write(head);
  await carryBoth(near, far);
}

/** Answers a CONNECT that is not allowed. */
export function refuseTunnel(near: Duplex): void {
  near.on("error", () => near.destroy());
  near.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

/** Carries bytes both ways until both ends have ended, or one fails. */
export async function carryBoth(near: Duplex, far: Duplex): Promise<void> {
  await Promise.all([pipeline(near, far), pipeline(far, near)]).catch(() => {});
  near.destroy();
  far.destroy();
}

/** Connects to `host:port` where its address is allowed: to the address that was looked at, not to the name again. */
export async function reach(
  authority: string,
  allow: (port: number) => AllowAddress,
  lookUp?: Resolve,
): Promise<Socket> {
  const [, host = "", port = ""] = /^(\[[0-9a-fA-F:.]+\]|[^\s:/@]+):(\d{1,5})$/.exec(authority) ?? [];
  // The parser of URLs knows the other spellings of an address, `127.1` and `2130706433`.
  const { hostname } = new URL(`http://${host}/`);
  const allowed = allow(Number(port));
  refuseLiteral(hostname, allowed);
  const far = connect({
    host: hostname.replaceAll(/[[\]]/g, ""),
    port: Number(port),
    allowHalfOpen: true,
    noDelay: true,
    lookup: guardedLookup(allowed, lookUp),
  });
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  far.setTimeout(CONNECT_LIMIT_MS, () => far.destroy(new Error("no connection in time")));
  far.once("connect", () => {
    far.setTimeout(0);
    resolve(far);
  });
  far.on("error", reject);
  return promise;
}

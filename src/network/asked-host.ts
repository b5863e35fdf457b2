import type { IncomingMessage } from "node:http";

/** The host and port that a request to a proxy is for. */
export type AskedHost = { host: string; port: number };

/** Of a CONNECT: host:port and nothing else; null where it is written in another way, or as an address of version 6. */
export function hostOfConnect(authority: string): AskedHost | null {
  const [, host, port] = /^([^\s:/@[\]?#\\]+):(\d{1,5})$/.exec(authority) ?? [];
  return host === undefined ? null : { host, port: Number(port) };
}

/**
 * The http address that a request is for: a proxy is asked for the whole of it, a server for a path with the host
 * beside it. null for anything else.
 */
export function addressAsked({ url = "", headers }: Pick<IncomingMessage, "url" | "headers">): URL | null {
  const asked = url.startsWith("/") ? URL.parse(`http://${headers.host ?? ""}${url}`) : URL.parse(url);
  if (asked === null || asked.protocol !== "http:" || asked.username !== "" || asked.password !== "")
    return null;
  return asked;
}

export function hostOfUrl(url: URL): AskedHost {
  return { host: url.hostname, port: Number(url.port || 80) };
}

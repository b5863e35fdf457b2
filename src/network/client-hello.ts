/** What the first bytes of a TLS connection say: a server's name, that there is none, or that more must come. */
export type ServerName = { kind: "name"; name: string } | { kind: "more" } | { kind: "none"; why: string };

const HANDSHAKE_RECORD = 22;
const MAJOR_VERSION = 3;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;
/** A record may hold 16 kB; a client hello with keys of every kind is some 2 kB. */
const LARGEST_HELLO = 16_384;

/** Reads the server's name (RFC 6066) of a client hello, which may be cut over several records. Throws nothing. */
export function readServerName(bytes: Buffer): ServerName {
  const hello = helloOf(bytes);
  if (!Buffer.isBuffer(hello)) return hello;
  try {
    return nameIn(hello);
  } catch (error) {
    if (error instanceof RangeError) return none("a client hello that is cut off");
    throw error;
  }
}

const none = (why: string): ServerName => ({ kind: "none", why });

/** The body of the client hello, records put together. */
function helloOf(bytes: Buffer): Buffer | ServerName {
  let handshake = Buffer.alloc(0);
  for (let at = 0; ;) {
    const seen = bodyOf(handshake);
    if (seen !== null) return seen;
    // The last record is not whole, and nothing lies behind it.
    if (at >= bytes.length) return { kind: "more" };
    if (bytes[at] !== HANDSHAKE_RECORD || (bytes[at + 1] ?? MAJOR_VERSION) !== MAJOR_VERSION)
      return none("no TLS handshake");
    if (at + 5 > bytes.length) return { kind: "more" };
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > LARGEST_HELLO) return none("a record of no length that there is");
    handshake = Buffer.concat([handshake, bytes.subarray(at + 5, at + 5 + length)]);
    at += 5 + length;
  }
}

/** What has come of a handshake: a whole client hello, something else, or null where that cannot be told yet. */
function bodyOf(handshake: Buffer): Buffer | ServerName | null {
  if (handshake.length > 0 && handshake[0] !== CLIENT_HELLO) return none("no client hello");
  if (handshake.length < 4) return null;
  const end = 4 + handshake.readUIntBE(1, 3);
  if (end > LARGEST_HELLO) return none("a client hello that is too long");
  return handshake.length < end ? null : handshake.subarray(4, end);
}

function nameIn(hello: Buffer): ServerName {
  // Version and random, then three lists that are passed over.
  let at = 34;
  at += 1 + hello.readUInt8(at);
  at += 2 + hello.readUInt16BE(at);
  at += 1 + hello.readUInt8(at);
  if (at >= hello.length) return none("no server name");
  const end = at + 2 + hello.readUInt16BE(at);
  if (end > hello.length) throw new RangeError("extensions beyond the end");
  let name: string | null = null;
  for (at += 2; at < end;) {
    const type = hello.readUInt16BE(at);
    const length = hello.readUInt16BE(at + 2);
    if (at + 4 + length > end) throw new RangeError("an extension beyond the end");
    if (type === SERVER_NAME) {
      // Whoever reads the first of two names may think of another one than who reads the last.
      if (name !== null) return none("two server names");
      name = onlyName(hello.subarray(at + 4, at + 4 + length));
      if (name === null) return none("a server name that is none");
    }
    at += 4 + length;
  }
  return name === null ? none("no server name") : { kind: "name", name };
}

/** The one host name of the extension's list. */
function onlyName(list: Buffer): string | null {
  if (list.readUInt16BE(0) !== list.length - 2 || list.readUInt8(2) !== HOST_NAME) return null;
  const length = list.readUInt16BE(3);
  if (length !== list.length - 5) return null;
  return list.subarray(5).toString("latin1");
}

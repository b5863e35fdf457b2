import type { Socket } from "node:net";
import { readServerName, type ServerName } from "./client-hello.ts";
import type { Egress } from "./egress.ts";
import { carryBoth, reach } from "./tunnel.ts";

const HELLO_LIMIT_MS = 10_000;
const LARGEST_BYTES = 65_536;
const HTTPS = 443;

/**
 * Takes a connection to port 443 where the name in its client hello is listed; all others are cut, without a word. The
 * bytes are carried as they are: nobody looks into what is encrypted.
 */
export async function passTls(near: Socket, egress: Egress): Promise<void> {
  near.on("error", () => near.destroy());
  near.setNoDelay(true);
  const { seen, bytes } = await firstBytes(near);
  if (seen.kind !== "name" || !egress.allowsHost(seen.name, HTTPS)) {
    near.destroy();
    return;
  }
  try {
    const far = await reach(`${seen.name}:${HTTPS}`, () => egress.allowsAddress, egress.resolve);
    if (near.destroyed) {
      far.destroy();
      return;
    }
    far.write(bytes);
    await carryBoth(near, far);
  } catch {
    // Not allowed by its address, or not there: a TLS client has no words for either.
    near.destroy();
  }
}

/** Reads until the client hello says something; nothing of what was read is lost. */
function firstBytes(near: Socket): Promise<{ seen: ServerName; bytes: Buffer }> {
  const { promise, resolve } = Promise.withResolvers<{ seen: ServerName; bytes: Buffer }>();
  let bytes = Buffer.alloc(0);
  const settle = (seen: ServerName) => {
    near.off("data", take).off("close", gone).off("end", gone).pause();
    clearTimeout(timer);
    resolve({ seen, bytes });
  };
  const take = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    const seen = readServerName(bytes);
    if (seen.kind !== "more") settle(seen);
    else if (bytes.length > LARGEST_BYTES) gone();
  };
  const gone = () => settle({ kind: "none", why: "no client hello" });
  const timer = setTimeout(gone, HELLO_LIMIT_MS);
  near.on("data", take).on("close", gone).on("end", gone);
  return promise;
}

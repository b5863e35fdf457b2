import type { IncomingMessage } from "node:http";
import type { Verification } from "./signatures.ts";

/** `gone`: the sender hung up before the end. */
export type ReadBody =
  | { kind: "authentic"; body: Buffer }
  | { kind: "refused"; status: 401 | 413 | 503 }
  | { kind: "gone" };

export type BodyReader = {
  read(request: IncomingMessage, verification: Verification): Promise<ReadBody>;
};

/** GitHub never sends more than 25 MB; one MiB of room. */
export const maxBodyBytes = 26 * 1024 * 1024;

/**
 * Reads bodies while their signature is computed, each up to `maxBytes`, all at the same time up to
 * `maxBytesTogether`: nobody proves who he is before the last byte, so memory is what must be guarded.
 */
export function createBodyReader(options: { maxBytes?: number; maxBytesTogether?: number } = {}): BodyReader {
  const maxBytes = options.maxBytes ?? maxBodyBytes;
  const maxBytesTogether = options.maxBytesTogether ?? 4 * maxBytes;
  let heldBytes = 0;

  async function collect(request: IncomingMessage, verification: Verification): Promise<ReadBody> {
    if (Number(request.headers["content-length"] ?? 0) > maxBytes) return { kind: "refused", status: 413 };
    const chunks: Buffer[] = [];
    let bytes = 0;
    const { promise, resolve } = Promise.withResolvers<ReadBody>();
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      heldBytes += chunk.length;
      if (bytes > maxBytes) resolve({ kind: "refused", status: 413 });
      else if (heldBytes > maxBytesTogether) resolve({ kind: "refused", status: 503 });
      else {
        verification.update(chunk);
        chunks.push(chunk);
        return;
      }
      request.off("data", onData);
    };
    request.on("data", onData);
    request.once("end", () => {
      resolve(
        verification.authentic()
          ? { kind: "authentic", body: Buffer.concat(chunks) }
          : { kind: "refused", status: 401 },
      );
    });
    request.once("error", () => resolve({ kind: "gone" }));
    request.once("close", () => resolve({ kind: "gone" }));
    const result = await promise;
    request.off("data", onData);
    heldBytes -= bytes;
    return result;
  }
  return { read: collect };
}

import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { createServer } from "node:net";

/**
 * Holds a directory for this process, until it is released or the process ends, however that comes: Linux takes an abstract
 * socket's name away with its owner. null where another process holds it. Elsewhere nothing is held.
 */
export async function holdDirectory(directory: string): Promise<{ release(): void } | null> {
  if (process.platform !== "linux") return { release() {} };
  const name = createHash("sha256").update(realpathSync(directory)).digest("hex");
  const server = createServer((socket) => socket.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  server.once("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EADDRINUSE") resolve(false);
    else reject(error);
  });
  server.listen({ path: `\0tare-${name}` }, () => resolve(true));
  if (!(await promise)) return null;
  server.unref();
  return { release: () => void server.close() };
}

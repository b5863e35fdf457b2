import type { AddressInfo, Server } from "node:net";

/** Listens on 127.0.0.1 and tells the port; 0 asks for a free one. Rejects where it is taken. */
export function listenOnLoopback(server: Server, port = 0): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once("error", reject);
  server.listen(port, "127.0.0.1", () => {
    server.off("error", reject);
    resolve((server.address() as AddressInfo).port);
  });
  return promise;
}

import type { AddressInfo, Server, Socket } from "node:net";

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

/** Closes a server with the connections that are open: a server does not know those that were upgraded. */
export async function cutOff(server: Server, sockets: Iterable<Socket>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // A server that is closed already says so with an error: that is as good.
  server.close(() => resolve());
  for (const socket of sockets) socket.destroy();
  await promise;
}

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A TCP server on loopback for one test. */
export type TestServer = { host: string; port: number; close(): void };

export async function serveTcp(answer: (socket: Socket) => void): Promise<TestServer> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    answer(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    port,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A connection to host:port; errors are for those who listen. */
export async function dial(host: string): Promise<Socket> {
  const [address, port] = host.split(":");
  const socket = connect({ host: address ?? "", port: Number(port), allowHalfOpen: true });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Everything that a socket says until it ends or breaks. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once("end", resolve).once("close", () => resolve());
  await promise;
  return Buffer.concat(chunks);
}

/** Waits until a condition holds; fails the test after the limit. */
export async function until(holds: () => boolean, limitMs = 5000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error("it did not come true in time");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

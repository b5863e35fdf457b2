import { createSocket, type Socket as Datagrams } from "node:dgram";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { networkInterfaces } from "node:os";

/** A server that waits to be reached by somebody who must not: connections and bytes that came, by TCP and by UDP. */
export type Canary = { address: string; port: number; heard(): { connections: number; bytes: number } };

export type Canaries = {
  /** The one on 127.0.0.1 that a door leads to: it shows that the others could have been heard. */
  door: Canary;
  /** On loopback and on each address of this machine. */
  denied: Canary[];
  close(): void;
};

/** Addresses of this machine that can be listened on: those of a link take a scope and are left out. */
export function machineAddresses(): string[] {
  const found = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const addresses = found.filter(({ address }) => !/^fe80:/i.test(address)).map(({ address }) => address);
  return [...new Set(["127.0.0.1", ...addresses])];
}

export async function openCanaries(addresses: readonly string[] = machineAddresses()): Promise<Canaries> {
  const closers: (() => void)[] = [];
  const open = async (address: string): Promise<Canary> => {
    const heard = { connections: 0, bytes: 0 };
    const take = (bytes: number) => void (heard.bytes += bytes);
    const { server, sockets } = await listenTcp(address, () => (heard.connections += 1), take);
    const { port } = server.address() as AddressInfo;
    const datagrams = await listenUdp(address, port, take);
    closers.push(() => {
      server.close();
      datagrams?.close();
      for (const socket of sockets) socket.destroy();
    });
    return { address, port, heard: () => ({ ...heard }) };
  };
  const door = await open("127.0.0.1");
  const denied = await Promise.all(addresses.map((address) => open(address)));
  return { door, denied, close: () => closers.forEach((close) => close()) };
}

type Listening = { server: Server; sockets: Set<Socket> };

async function listenTcp(
  host: string,
  connected: () => void,
  take: (bytes: number) => void,
): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connected();
    sockets.add(socket);
    socket.on("data", (chunk) => take(chunk.length));
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    socket.end("canary\n");
  });
  server.listen(0, host);
  await once(server, "listening");
  return { server, sockets };
}

/** null where another program has the port: TCP alone is heard then. */
async function listenUdp(
  address: string,
  port: number,
  take: (bytes: number) => void,
): Promise<Datagrams | null> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("message", (message) => take(Math.max(1, message.length)));
  socket.bind(port, address);
  try {
    await once(socket, "listening");
    socket.on("error", () => {});
    return socket;
  } catch {
    return null;
  }
}

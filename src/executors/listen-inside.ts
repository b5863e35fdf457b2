import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/**
 * A program of its own, which Tare starts inside the network of a job: it listens where it is told, hands the sockets to
 * Tare and ends. A socket stays in the network where it was made, so that Tare answers inside and the job needs no way
 * out to it.
 */
type Wanted = { key: string; kind: "tcp" | "udp"; address: string; port: number };

const wanted = JSON.parse(process.argv[2] ?? "[]") as Wanted[];

for (const { key, kind, address, port } of wanted) {
  if (kind === "udp") {
    const socket = createSocket("udp4");
    socket.bind({ address, port, exclusive: true }, () => void process.send?.({ key }, socket));
  } else {
    const server = createServer();
    server.listen({ host: address, port, exclusive: true }, () => void process.send?.({ key }, server));
  }
}

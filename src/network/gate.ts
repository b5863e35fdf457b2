import type { Socket as Datagrams } from "node:dgram";
import { connect, isIP, type Server, type Socket } from "node:net";
import type { JobService } from "../domain/job.ts";
import { cutOff } from "../lib/listen.ts";
import { isLoopback } from "./addresses.ts";
import type { Egress } from "./egress.ts";
import { answerName } from "./gate-dns.ts";
import { createGateHttp, createReadOnly, type Front } from "./gate-http.ts";
import { passTls } from "./gate-tls.ts";
import { carryBoth } from "./tunnel.ts";

/**
 * The gate's address inside a job's network: of the range for benchmarks (RFC 2544), which nobody has. Not of loopback:
 * C libraries ask for no IPv4 addresses where the machine has none but loopback's, and daemons drop such name servers.
 */
export const GATE_ADDRESS = "198.18.0.1";
/** Where the gate is a proxy, for whoever is told. */
export const GATE_PROXY_PORT = 3128;

/** Connections of one job at once at each opening: no more memory of Tare's than that. */
const MOST_CONNECTIONS = 512;

/** What is listened on inside a job's network. */
export type Opening = { key: string; kind: "tcp" | "udp"; address: string; port: number };

/** Sockets that listen inside, by the keys of their openings. */
export type GateSockets = { tcp: ReadonlyMap<string, Server>; udp: ReadonlyMap<string, Datagrams> };

export type Gate = { close(): Promise<void> };

const own = (key: string, kind: Opening["kind"], port: number): Opening => ({
  key,
  kind,
  address: GATE_ADDRESS,
  port,
});

/** Where the gate listens; servers on loopback are where they are outside. Throws RangeError for one that is elsewhere. */
export function openingsOf(services: readonly JobService[]): Opening[] {
  return [
    own("names", "udp", 53),
    own("http", "tcp", 80),
    own("https", "tcp", 443),
    own("proxy", "tcp", GATE_PROXY_PORT),
    ...services.map(({ host }): Opening => ({ key: host, kind: "tcp", ...addressOf(host) })),
  ];
}

function addressOf(host: string): { address: string; port: number } {
  const [address = "", port = ""] = host.split(":");
  if (isIP(address) !== 4 || !isLoopback(address) || !/^\d{1,5}$/.test(port))
    throw new RangeError(`${host} is no server on loopback: a gate does not lead there`);
  return { address, port: Number(port) };
}

/** Answers at the openings of one job until it is closed; nothing else of the job's network leads anywhere. */
export function openGate(sockets: GateSockets, services: readonly JobService[], egress: Egress): Gate {
  const open = new Set<Socket>();
  const fronts: Front[] = [];
  const serve = (key: string, take: (socket: Socket) => void) => {
    const server = sockets.tcp.get(key);
    if (server === undefined) throw new RangeError(`nothing listens for ${key}`);
    server.maxConnections = MOST_CONNECTIONS;
    // Its sockets came from another process, which told no options: an end that has said all may still hear.
    (server as Server & { allowHalfOpen: boolean }).allowHalfOpen = true;
    server.on("connection", (socket) => {
      open.add(socket);
      socket.once("close", () => open.delete(socket));
      socket.on("error", () => socket.destroy());
      take(socket);
    });
  };
  const behind = (front: Front) => {
    fronts.push(front);
    return (socket: Socket) => void front.server.emit("connection", socket);
  };
  const http = behind(createGateHttp(egress));
  serve("http", http);
  serve("proxy", http);
  serve("https", (socket) => void passTls(socket, egress));
  for (const { host, readOnly } of services)
    serve(host, readOnly ? behind(createReadOnly(host)) : (socket) => relay(socket, host));
  const names = sockets.udp.get("names");
  if (names === undefined) throw new RangeError("nothing listens for names");
  answerNames(names, egress);
  return {
    async close() {
      for (const front of fronts) front.close();
      names.close();
      await Promise.all([...sockets.tcp.values()].map((server) => cutOff(server, open)));
    },
  };
}

/** Carries a connection to the server at the same address outside. */
function relay(near: Socket, host: string): void {
  const { address, port } = addressOf(host);
  const far = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
  near.setNoDelay(true);
  far.on("error", () => near.destroy());
  void carryBoth(near, far);
}

function answerNames(names: Datagrams, egress: Egress): void {
  names.on("error", () => {});
  names.on("message", (message, from) => {
    const answer = answerName(message, GATE_ADDRESS, egress.knowsHost);
    // A job that is gone meanwhile hears nothing.
    if (answer !== null) names.send(answer, from.port, from.address, () => {});
  });
}

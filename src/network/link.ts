import { connect, createServer, type Socket } from "node:net";
import { createCarrier, type Carrier } from "./carrier.ts";
import { cutOff, listenOnLoopback } from "../lib/listen.ts";
import { createPace } from "./pace.ts";

/** The link between builder and registry: a relay on loopback that holds every byte to one rate. */
export type Link = {
  /** host:port that image references name; whoever connects there reaches the target. */
  host: string;
  /** Bytes so far from the target to those who connected, and back: everything TCP carried, HTTP's own heads included. */
  pulledBytes(): number;
  pushedBytes(): number;
  /** Cuts every connection. */
  close(): Promise<void>;
};

export type LinkOptions = {
  /** host:port behind the link. */
  targetHost: string;
  /** Rate of each direction, shared by all connections; null: as fast as the machine relays. */
  bytesPerSecond: number | null;
  /**
   * Delay of each direction, 0 without. A connection has 256 kB under way at most, as with a TCP window of that size:
   * more than 256 kB per `latencyMs` are not carried by one connection. Connecting itself is not delayed.
   */
  latencyMs?: number;
};

/**
 * Starts a relay on a free port of 127.0.0.1. Each direction has a token bucket that its connections share in turns;
 * a connection keeps some 300 kB per direction at most, and a connection that fails takes nothing else with it.
 */
export async function createLink(options: LinkOptions): Promise<Link> {
  const down = createCarrier(createPace(options.bytesPerSecond), options.latencyMs ?? 0);
  const up = createCarrier(createPace(options.bytesPerSecond), options.latencyMs ?? 0);
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    relay(near, targetAddress(options.targetHost), { down, up }, sockets);
  });
  const port = await listenOnLoopback(server);
  return {
    host: `127.0.0.1:${port}`,
    pulledBytes: () => down.carriedBytes(),
    pushedBytes: () => up.carriedBytes(),
    close: () => cutOff(server, sockets),
  };
}

function targetAddress(host: string): { host: string; port: number } {
  const { hostname, port } = new URL(`tcp://${host}`);
  return { host: hostname.replaceAll(/[[\]]/g, ""), port: Number(port) };
}

function relay(
  near: Socket,
  target: { host: string; port: number },
  carriers: { down: Carrier; up: Carrier },
  sockets: Set<Socket>,
): void {
  const far = connect({ ...target, allowHalfOpen: true, noDelay: true });
  // Both ends end together where one fails: half a connection is of no use to anybody.
  const cut = () => {
    near.resetAndDestroy();
    if (far.connecting) far.destroy();
    else far.resetAndDestroy();
  };
  for (const socket of [near, far]) {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", cut);
  }
  carriers.up.carry(near, far).catch(cut);
  carriers.down.carry(far, near).catch(cut);
}

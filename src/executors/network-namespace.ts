import { spawn } from "node:child_process";
import { Socket as Datagrams } from "node:dgram";
import { Server } from "node:net";
import { extname } from "node:path";
import type Docker from "dockerode";
import { Outage } from "../domain/problem.ts";
import { run } from "../lib/spawn.ts";
import { createFromImage } from "./create-container.ts";

/**
 * A network with nothing in it but its own loopback, held by a container that does nothing: what joins it can reach
 * nobody, whatever capabilities it has. No bridge, no route, no rule of a packet filter that could be wrong.
 */
export type NetworkNamespace = {
  /** As the engine takes it for a container that joins. */
  mode: string;
  /** Gives the loopback one more address. */
  addAddress(address: string): Promise<void>;
  /** Sockets that listen inside and are answered in this process. */
  listen(openings: readonly Opening[]): Promise<Sockets>;
  remove(): Promise<void>;
};

export type Opening = { key: string; kind: "tcp" | "udp"; address: string; port: number };
export type Sockets = { tcp: Map<string, Server>; udp: Map<string, Datagrams> };

export type HolderOptions = { name: string; image: string; labels: Record<string, string> };

/** A week and more: the holder is removed long before. */
const HOLD_SECONDS = "2147483647";
const LISTEN_LIMIT_MS = 15_000;

export async function holdNamespace(docker: Docker, options: HolderOptions): Promise<NetworkNamespace> {
  const container = await createFromImage(docker, {
    name: `tare-${options.name}-gate`,
    Image: options.image,
    Entrypoint: ["sleep"],
    Cmd: [HOLD_SECONDS],
    Hostname: "runner",
    User: "65534:65534",
    Labels: options.labels,
    HostConfig: {
      NetworkMode: "none",
      Memory: 64 * 1024 ** 2,
      MemorySwap: 64 * 1024 ** 2,
      PidsLimit: 16,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      ReadonlyRootfs: true,
    },
  });
  const remove = async () => {
    await container.remove({ force: true, v: true }).catch(() => {});
  };
  try {
    await container.start();
    const { State } = await container.inspect();
    const path = `/proc/${State.Pid}/ns/net`;
    return { mode: `container:${container.id}`, ...namespaceAt(path), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A network by the path that names it under /proc. */
export function namespaceAt(path: string): Pick<NetworkNamespace, "addAddress" | "listen"> {
  return {
    addAddress: (address) => inside(path, ["ip", "address", "add", `${address}/32`, "dev", "lo"]),
    listen: (openings) => listenInside(path, openings),
  };
}

/** Programs are looked for where distributions put those of root. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

async function inside(namespace: string, argv: readonly string[]): Promise<void> {
  const signal = AbortSignal.timeout(LISTEN_LIMIT_MS);
  const result = await run("nsenter", [`--net=${namespace}`, "--", ...argv], { env: { PATH }, signal });
  if (result.exitCode === 0) return;
  throw new Outage(
    `${argv.join(" ")} failed in the network of a job: ${result.stderr.trim()}`,
    "Run `tare doctor`: it tells what this machine can enforce.",
  );
}

/** The program beside this file, in a checkout or as it was compiled. */
const PROGRAM = new URL(`./listen-inside${extname(import.meta.filename)}`, import.meta.url).pathname;

async function listenInside(namespace: string, openings: readonly Opening[]): Promise<Sockets> {
  const argv = [`--net=${namespace}`, "--", process.execPath, PROGRAM, JSON.stringify(openings)];
  const child = spawn("nsenter", argv, { env: { PATH }, stdio: ["ignore", "ignore", "pipe", "ipc"] });
  const sockets: Sockets = { tcp: new Map(), udp: new Map() };
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-2_000)));
  const all = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  child.on("message", (message: { key: string }, handle: unknown) => {
    if (handle instanceof Server) sockets.tcp.set(message.key, handle);
    else if (handle instanceof Datagrams) sockets.udp.set(message.key, handle);
    if (sockets.tcp.size + sockets.udp.size === openings.length) all.resolve();
  });
  child.on("error", all.reject);
  child.on("close", () => {
    ended.resolve();
    all.reject(new Error(said.trim() || "it ended"));
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), LISTEN_LIMIT_MS);
  try {
    await all.promise;
  } catch (error) {
    for (const server of sockets.tcp.values()) server.close();
    for (const socket of sockets.udp.values()) socket.close();
    throw new Outage(
      `Nothing could listen inside the network of a job: ${error instanceof Error ? error.message : ""}`,
      "Run `tare doctor`: it tells what this machine can enforce.",
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
    // It holds the same sockets: while it lives it would take connections, too.
    if (child.pid !== undefined) await ended.promise;
  }
  return sockets;
}

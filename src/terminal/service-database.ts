import { homedir } from "node:os";
import { readDatabaseConfig, type DatabaseConfig } from "../config/database.ts";
import { Problem } from "../domain/problem.ts";
import { untilAnswering, type DatabaseAddress } from "../queue/database.ts";
import { openPrivateDatabase, privateAddress } from "../queue/private-database.ts";

const CONNECT_MS = 2_000;

/** Where the service's database is, as the environment has it. */
export function configured(): DatabaseConfig {
  return readDatabaseConfig(process.env, { isRoot: process.getuid?.() === 0, home: homedir() });
}

/** Problem `database` where no service has made a database there. */
export function refuseNone(config: DatabaseConfig): void {
  if (config.kind !== "private" || privateAddress(config.directory) !== null) return;
  throw new Problem(
    "database",
    `No database is in ${config.directory}.`,
    "Set TARE_DATA or DATABASE_URL as the service has them.",
  );
}

/** Works on the database that a service runs, or on one that is started for this. */
export async function withDatabase<T>(
  config: DatabaseConfig,
  work: (address: DatabaseAddress) => Promise<T>,
): Promise<T> {
  if (config.kind === "operator's") {
    const address = { connectionString: config.connectionString };
    await untilAnswering(address, CONNECT_MS);
    return work(address);
  }
  const running = privateAddress(config.directory);
  if (running !== null && (await answers(running))) return work(running);
  const cluster = await openPrivateDatabase(config.directory);
  try {
    return await work(cluster.address);
  } finally {
    await cluster.stop();
  }
}

async function answers(address: DatabaseAddress): Promise<boolean> {
  return untilAnswering(address, 0).then(
    () => true,
    () => false,
  );
}

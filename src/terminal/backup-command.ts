import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { readDatabaseConfig, type DatabaseConfig } from "../config/database.ts";
import { formatCount } from "../domain/quantities.ts";
import { Problem } from "../domain/problem.ts";
import { backUp } from "../queue/backup.ts";
import { untilAnswering, type DatabaseAddress } from "../queue/database.ts";
import { openPrivateDatabase, privateAddress } from "../queue/private-database.ts";
import { restore } from "../queue/restore.ts";
import type { ExitCode } from "./exit-code.ts";

const CONNECT_MS = 2_000;

/** `tare backup`: requests, reports and replies into a file. The service may run, and need not. */
export async function backupCommand(file: string): Promise<ExitCode> {
  const config = configured();
  if (config.kind === "private" && privateAddress(config.directory) === null) {
    throw new Problem(
      "database",
      `No database is in ${config.directory}.`,
      "Set TARE_DATA or DATABASE_URL as the service has them.",
    );
  }
  const rows = await withDatabase(config, async (address) => backUp(address, file));
  process.stdout.write(`${file}: ${inWords(rows)}.\n`);
  return 0;
}

/** `tare restore`: fills an empty database from such a file. */
export async function restoreCommand(file: string): Promise<ExitCode> {
  if (!existsSync(file))
    throw new Problem("arguments", `No file is at ${file}.`, "Name one that `tare backup` wrote.");
  const rows = await withDatabase(configured(), async (address) => restore(address, file));
  process.stdout.write(`Restored: ${inWords(rows)}.\n`);
  return 0;
}

function configured(): DatabaseConfig {
  return readDatabaseConfig(process.env, { isRoot: process.getuid?.() === 0, home: homedir() });
}

/** On the database that a service runs, or on one that is started for this. */
async function withDatabase<T>(
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

function inWords({ requests = 0, reports = 0, replies = 0, deliveries = 0 }: Record<string, number>): string {
  return [
    formatCount(requests, "request"),
    formatCount(reports, "report"),
    replies === 1 ? "1 reply" : `${replies} replies`,
    deliveries === 1 ? "1 delivery" : `${deliveries} deliveries`,
  ].join(", ");
}

import { homedir } from "node:os";
import type { Logger } from "pino";
import { readDatabaseConfig } from "../config/database.ts";
import { Problem } from "../domain/problem.ts";
import { openPrivateDatabase, privateAddress } from "../queue/private-database.ts";
import { openStore, type Store } from "../queue/store.ts";

/** A store, and how it is closed with what was started for it. */
export type OpenedStore = { store: Store; close: () => Promise<void> };

/** The store of the one service: a private database is started with it, and ended with it. */
export async function openServiceStore(environment: NodeJS.ProcessEnv, log: Logger): Promise<OpenedStore> {
  const config = readDatabaseConfig(environment, whoRuns());
  const cluster = config.kind === "private" ? await openPrivateDatabase(config.directory) : null;
  const address =
    config.kind === "private" ? cluster?.address : { connectionString: config.connectionString };
  if (address === undefined) throw new TypeError("a private database has an address");
  const store = await openStore({ address, log });
  try {
    await store.lockService();
  } catch (error) {
    // The database is another service's: it is left running.
    await store.close();
    throw error;
  }
  return {
    store,
    async close() {
      await store.close();
      await cluster?.stop();
    },
  };
}

/** The store of a worker: the service's database must be there. */
export async function openWorkerStore(environment: NodeJS.ProcessEnv, log: Logger): Promise<OpenedStore> {
  const config = readDatabaseConfig(environment, whoRuns());
  const address =
    config.kind === "private"
      ? privateAddress(config.directory)
      : { connectionString: config.connectionString };
  if (address === null) {
    throw new Problem(
      "database",
      `No database is in ${config.kind === "private" ? config.directory : ""}: it is made by \`tare serve\`.`,
      "Start `tare serve` first, or set DATABASE_URL.",
    );
  }
  const store = await openStore({ address, log });
  return { store, close: async () => store.close() };
}

function whoRuns(): { isRoot: boolean; home: string } {
  return { isRoot: process.getuid?.() === 0, home: homedir() };
}

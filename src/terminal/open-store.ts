import { homedir } from "node:os";
import type { Logger } from "pino";
import { readDatabaseConfig } from "../config/database.ts";
import { Problem } from "../domain/problem.ts";
import type { Secrets } from "../lib/secrets.ts";
import { openPrivateDatabase, privateAddress } from "../queue/private-database.ts";
import type { DatabaseAddress } from "../queue/database.ts";
import { openStore, type Store } from "../queue/store.ts";

type StoreParts = { log: Logger; secrets: Secrets };

/** A store, and how it is closed with what was started for it. */
export type OpenedStore = { store: Store; close: () => Promise<void> };

/**
 * The store of the one service: a private database is started with it, and ended with it. `onLost` is called where the
 * database went away under the service: another one may have it then.
 */
export async function openServiceStore(
  environment: NodeJS.ProcessEnv,
  { log, secrets }: StoreParts,
  onLost: (why: string) => void,
): Promise<OpenedStore> {
  const config = readDatabaseConfig(environment, whoRuns());
  if (config.kind === "operator's") {
    const { connectionString } = config;
    const store = await openStore({ address: { connectionString }, log, secrets, service: { onLost } });
    return { store, close: async () => store.close() };
  }
  const cluster = await openPrivateDatabase(config.directory);
  keepPassword(cluster.address, secrets);
  let isLost = false;
  const service = {
    onLost(why: string) {
      isLost = true;
      onLost(why);
    },
  };
  try {
    const store = await openStore({ address: cluster.address, log, secrets, service });
    return {
      store,
      async close() {
        try {
          await store.close();
        } finally {
          await cluster.stop(isLost ? "at once" : "in order");
        }
      },
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** The store of a worker: the service's database must be there. */
export async function openWorkerStore(
  environment: NodeJS.ProcessEnv,
  { log, secrets }: StoreParts,
): Promise<OpenedStore> {
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
  keepPassword(address, secrets);
  const store = await openStore({ address, log, secrets });
  return { store, close: async () => store.close() };
}

function keepPassword(address: DatabaseAddress, secrets: Secrets): void {
  if ("password" in address) secrets.keep(address.password);
}

function whoRuns(): { isRoot: boolean; home: string } {
  return { isRoot: process.getuid?.() === 0, home: homedir() };
}

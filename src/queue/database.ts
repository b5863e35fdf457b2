import { Client, type ClientBase, type Pool, type PoolClient, type PoolConfig } from "pg";
import type { ConstructorOptions } from "pg-boss";
import { errorText } from "../lib/error-text.ts";
import { Outage } from "../domain/problem.ts";

/** Where the database is. The password is secret. */
export type DatabaseAddress =
  | { connectionString: string }
  | { host: string; user: string; password: string; database: string };

/** No statement of Tare's takes this long: a database that is silent for longer is out of reach. */
const STATEMENT_MS = 5_000;
const CONNECT_MS = 5_000;

/** How every connection is made: one that is dead is found out, whoever fell silent. */
export function connectionOptions(address: DatabaseAddress): PoolConfig {
  return {
    ...address,
    application_name: "tare",
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    query_timeout: STATEMENT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 1_000,
    max: 8,
  };
}

/** Runs some statements on one connection in one transaction: all of them are committed, or none. */
export async function transaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query("BEGIN");
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch((failure: unknown) => {
      // A connection that cannot roll back is thrown away, and the transaction with it.
      broken = failure instanceof Error ? failure : new Error(String(failure));
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

/** The database as pg-boss takes it: statements of its own run in a transaction of ours. */
export function statementsOn(client: ClientBase): {
  executeSql(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
} {
  return { executeSql: async (text, values) => client.query(text, values) };
}

/** Waits until the database answers. Outage after `patienceMs`. */
export async function untilAnswering(address: DatabaseAddress, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const client = new Client({ ...connectionOptions(address), connectionTimeoutMillis: 1_000 });
    // A connection that breaks is told by the question that it was for.
    client.on("error", () => {});
    try {
      await client.connect();
      await client.query("SELECT 1");
      return;
    } catch (error) {
      if (performance.now() > deadline) {
        const said = `The database does not answer: ${errorText(error)}`;
        throw new Outage(said, "Look at its log.", { cause: error });
      }
    } finally {
      await client.end().catch(() => {});
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The same for pg-boss, which hands them to its own pool of connections as they are. */
export function bossConnection(address: DatabaseAddress): ConstructorOptions {
  return { ...(connectionOptions(address) as ConstructorOptions), application_name: "tare queue", max: 4 };
}

import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { Client } from "pg";
import { to } from "pg-copy-streams";
import { Problem } from "../domain/problem.ts";
import { END_OF_ROWS, type BackupTable, type RowCounts } from "./backup-format.ts";
import { connectionOptions, type DatabaseAddress } from "./database.ts";
import { tablesOf } from "./tables.ts";
import { schemaVersion } from "./migrations.ts";

/**
 * Writes what Tare keeps to a file, as it is at one instant; a service may run meanwhile. The queue is no part of it: it is
 * made anew from the requests. The file is there as a whole or not at all, and its owner's alone. Returns rows by table.
 * Problem `backup` where the database is none of Tare's.
 */
export async function backUp(address: DatabaseAddress, file: string): Promise<RowCounts> {
  const client = new Client(unhurried(address));
  await client.connect();
  const part = `${file}.part`;
  try {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const schema = await schemaVersion(client);
    if (schema === null) {
      throw new Problem(
        "backup",
        "The database holds nothing of Tare's.",
        "Set TARE_DATA or DATABASE_URL as the service has them.",
      );
    }
    const tables = await tablesOf(client);
    const rows: RowCounts = {};
    const output = createWriteStream(part, { mode: 0o600, flush: true });
    await pipeline(contentOf(client, { schema, tables, rows }), createGzip(), output);
    await rename(part, file);
    await flushDirectory(dirname(file));
    return rows;
  } catch (error) {
    await rm(part, { force: true });
    if (!isOfFile(error)) throw error;
    throw new Problem("backup", `The file cannot be written: ${error.message}.`, "Name another one.");
  } finally {
    await client.end();
  }
}

/** Whether a file of ours is what failed, as when a disk is full. */
export function isOfFile(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "path" in error;
}

/** A table may take longer than a statement of the service may. */
export function unhurried(address: DatabaseAddress): ReturnType<typeof connectionOptions> {
  return { ...connectionOptions(address), statement_timeout: 0, query_timeout: 0 };
}

type Content = { schema: number; tables: BackupTable[]; rows: RowCounts };

async function* contentOf(client: Client, { schema, tables, rows }: Content): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  const line = (text: string) => {
    const bytes = Buffer.from(`${text}\n`);
    hash.update(bytes);
    return bytes;
  };
  yield line(JSON.stringify({ format: "tare-backup", version: 1, schema }));
  for (const { table, columns } of tables) {
    yield line(JSON.stringify({ table, columns }));
    const copy = client.query(to(`COPY tare.${table} (${columns.join(", ")}) TO STDOUT`));
    for await (const chunk of copy as AsyncIterable<Buffer>) {
      hash.update(chunk);
      yield chunk;
    }
    rows[table] = copy.rowCount;
    yield line(END_OF_ROWS);
  }
  yield Buffer.from(`${JSON.stringify({ rows, sha256: hash.digest("hex") })}\n`);
}

/** A new name is on disk when its directory is. */
async function flushDirectory(directory: string): Promise<void> {
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

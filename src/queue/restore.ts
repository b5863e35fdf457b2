import { createReadStream } from "node:fs";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { Client } from "pg";
import { from } from "pg-copy-streams";
import type { PgBoss } from "pg-boss";
import { Problem } from "../domain/problem.ts";
import { TRIALS } from "./admit-batch.ts";
import { isOfFile, unhurried } from "./backup.ts";
import {
  damaged,
  END_OF_ROWS,
  footSchema,
  headSchema,
  parseLine,
  readLines,
  tableSchema,
  type BackupTable,
  type RowCounts,
} from "./backup-format.ts";
import { statementsOn, type DatabaseAddress } from "./database.ts";
import { migrateTo } from "./migrations.ts";
import { openQueue } from "./queue.ts";
import { moveSequences, tablesOf } from "./tables.ts";

/**
 * Fills an empty database from a backup, in one transaction: all of it, or nothing. Tables of an older Tare are brought to
 * this version. Requests that waited or ran wait again. Returns rows by table. Problem `backup` where the file is damaged or
 * of a newer Tare, `database` where the database is not empty.
 */
export async function restore(address: DatabaseAddress, file: string): Promise<RowCounts> {
  const client = new Client(unhurried(address));
  await client.connect();
  let boss: PgBoss | null = null;
  try {
    await refuseFull(client);
    boss = await openQueue(address);
    await client.query("BEGIN");
    const rows = await readBackup(client, file);
    await queueAnew(client, boss);
    await client.query("COMMIT");
    return rows;
  } finally {
    await boss?.stop({ graceful: false });
    // What was not committed goes with the connection.
    await client.end();
  }
}

async function refuseFull(client: Client): Promise<void> {
  const { rows } = await client.query("SELECT FROM pg_namespace WHERE nspname = 'tare'");
  if (rows.length === 0) return;
  throw new Problem(
    "database",
    "The database is not empty: a Tare was in it.",
    "Set TARE_DATA to a new directory, or DATABASE_URL to an empty database.",
  );
}

async function readBackup(client: Client, file: string): Promise<RowCounts> {
  const input = createReadStream(file);
  const unpacked = createGunzip();
  input.on("error", (error) => unpacked.destroy(error));
  const { lines, sum } = readLines(input.pipe(unpacked));
  const next = async () => (await lines.next()).value as Buffer | undefined;
  try {
    const { schema } = parseLine(headSchema, await next(), "it does not start as one of Tare's");
    await migrateTo(client, schema);
    const known = await tablesOf(client);
    const rows: RowCounts = {};
    for (let line = await next(); ; line = await next()) {
      const table = parseLine(tableSchema.or(footSchema), line, "it ends too early");
      if ("sha256" in table) {
        checkSum(table, { rows, sha256: sum() });
        break;
      }
      rows[table.table] = await copyRows(client, checked(table, known), next);
    }
    await moveSequences(client, known);
    await migrateTo(client);
    await doubtMails(client);
    return rows;
  } catch (error) {
    throw asProblem(error);
  } finally {
    input.destroy();
    unpacked.destroy();
  }
}

function checkSum(said: { rows: RowCounts; sha256: string }, found: typeof said): void {
  const same = Object.entries(found.rows).every(([table, count]) => said.rows[table] === count);
  if (!same || said.sha256 !== found.sha256) throw damaged("its checksum is another");
}

/** Names go into a statement as they are: only those that this database has. */
function checked(table: BackupTable, known: readonly BackupTable[]): BackupTable {
  const own = known.find((each) => each.table === table.table);
  if (own === undefined || !table.columns.every((column) => own.columns.includes(column)))
    throw damaged(`the table \`${table.table}\` is not known`);
  return table;
}

async function copyRows(
  client: Client,
  { table, columns }: BackupTable,
  next: () => Promise<Buffer | undefined>,
): Promise<number> {
  // What triggers wrote when the rows were made is in the backup as well.
  await client.query(`ALTER TABLE tare.${table} DISABLE TRIGGER USER`);
  const copy = client.query(from(`COPY tare.${table} (${columns.join(", ")}) FROM STDIN`));
  const done = finished(copy);
  // It is waited for below, and may fail before.
  done.catch(() => {});
  let count = 0;
  for (let line = await next(); line?.toString("latin1") !== END_OF_ROWS; line = await next()) {
    if (line === undefined) {
      copy.destroy();
      throw damaged("it ends too early");
    }
    count += 1;
    if (!copy.write(Buffer.concat([line, Buffer.from("\n")])))
      await Promise.race([once(copy, "drain"), done]);
  }
  copy.end();
  await done;
  await client.query(`ALTER TABLE tare.${table} ENABLE TRIGGER USER`);
  return count;
}

function asProblem(error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code.startsWith("Z_")) return damaged("it is cut short, or not compressed as a backup is");
  return isOfFile(error) ? damaged(`the file cannot be opened (${code})`) : error;
}

/** A mail is sent once: one that waited may have been sent since the backup was taken, and is left to the operator. */
async function doubtMails(client: Client): Promise<void> {
  await client.query(
    `UPDATE tare.replies SET state = 'unknown', why = 'it waited when the backup was taken: it may have arrived since'
     WHERE channel = 'mail' AND state IN ('held', 'pending', 'sending')`,
  );
}

/** A job for each request that is open, in the order in which they came. */
async function queueAnew(client: Client, boss: PgBoss): Promise<void> {
  await client.query("UPDATE tare.requests SET state = 'queued', attempt = 0 WHERE state = 'running'");
  const { rows } = await client.query<{ id: string; before: number }>(
    `SELECT id, (row_number() OVER (PARTITION BY project ORDER BY created_at) - 1)::int AS before
     FROM tare.requests WHERE state = 'queued' ORDER BY created_at`,
  );
  const jobs = rows.map(({ id, before }) => ({ data: { requestId: id }, priority: 0 - before }));
  if (jobs.length > 0) await boss.insert(TRIALS, jobs, { db: statementsOn(client) });
}

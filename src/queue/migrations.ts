import type { ClientBase, Pool } from "pg";
import { Problem } from "../domain/problem.ts";
import { transaction } from "./database.ts";
import { OUTBOX_MIGRATION } from "./outbox-migration.ts";

/** Each is applied once, in order, and never changed afterwards: a later one mends it. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE tare.deliveries (
     channel text NOT NULL,
     id text NOT NULL,
     received_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (channel, id)
   );
   CREATE INDEX deliveries_received ON tare.deliveries (received_at);
   CREATE TABLE tare.requests (
     id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
     channel text NOT NULL,
     delivery text NOT NULL,
     change_key text NOT NULL,
     project text NOT NULL,
     head text NOT NULL,
     at_ms bigint NOT NULL,
     reference jsonb NOT NULL,
     state text NOT NULL DEFAULT 'queued'
       CHECK (state IN ('queued', 'running', 'answered', 'left alone', 'superseded', 'failed')),
     attempt integer NOT NULL DEFAULT 0,
     why text NOT NULL DEFAULT '',
     created_at timestamptz NOT NULL DEFAULT now(),
     started_at timestamptz,
     ended_at timestamptz
   );
   CREATE INDEX requests_open ON tare.requests (change_key) WHERE state IN ('queued', 'running');
   CREATE INDEX requests_created ON tare.requests (created_at);
   CREATE TABLE tare.reports (
     request uuid PRIMARY KEY REFERENCES tare.requests ON DELETE CASCADE,
     report jsonb NOT NULL
   );
   CREATE TABLE tare.replies (
     id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
     request uuid NOT NULL UNIQUE REFERENCES tare.requests ON DELETE CASCADE,
     stamp jsonb NOT NULL,
     body text NOT NULL,
     state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sending', 'sent', 'given up')),
     attempts integer NOT NULL DEFAULT 0,
     why text NOT NULL DEFAULT '',
     created_at timestamptz NOT NULL DEFAULT now(),
     due_at timestamptz NOT NULL DEFAULT now(),
     claimed_at timestamptz
   );
   CREATE INDEX replies_due ON tare.replies (due_at) WHERE state IN ('pending', 'sending');
   CREATE TABLE tare.settings (name text PRIMARY KEY, value jsonb NOT NULL);`,
  OUTBOX_MIGRATION,
];

/** What tells Tare's schema from another program's of the same name. */
const MARK = "tare: a bot that weighs container caches";
/** A number for PostgreSQL's advisory locks: one process migrates at a time. */
const LOCK = 7_172_101;

/**
 * Brings the database to this version, in one transaction. Problem `database`, with nothing touched, where a newer Tare was
 * here or another program owns the schema.
 */
export async function migrate(pool: Pool): Promise<void> {
  await transaction(pool, async (client) => migrateTo(client));
}

/** The same within a transaction of the caller's, to an older version where one is named. */
export async function migrateTo(client: ClientBase, wanted = MIGRATIONS.length): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
  const version = (await schemaVersion(client)) ?? (await makeSchema(client));
  if (Math.max(version, wanted) > MIGRATIONS.length) {
    throw new Problem(
      "database",
      `The database is of version ${Math.max(version, wanted)}; this Tare knows ${MIGRATIONS.length}.`,
      "Use the newer Tare, or another database.",
    );
  }
  for (const statements of MIGRATIONS.slice(version, wanted)) await client.query(statements);
  await client.query("UPDATE tare.schema SET version = $1", [Math.max(version, wanted)]);
}

/** Problem `database` where the tables are not of this version. */
export async function refuseOther(client: ClientBase): Promise<void> {
  const version = await schemaVersion(client);
  if (version === MIGRATIONS.length) return;
  throw new Problem(
    "database",
    version === null
      ? "The database holds nothing of Tare's."
      : `The database is of version ${version}; this Tare knows ${MIGRATIONS.length}.`,
    "Start this version's `tare serve` on it first, or set TARE_DATA or DATABASE_URL as the service has them.",
  );
}

/** Version of Tare's tables in a database; null for one that has none. Problem `database` where the schema is another's. */
export async function schemaVersion(client: ClientBase): Promise<number | null> {
  const { rows } = await client.query<{ mark: string | null }>(
    "SELECT obj_description(oid, 'pg_namespace') AS mark FROM pg_namespace WHERE nspname = 'tare'",
  );
  const [schema] = rows;
  if (schema === undefined) return null;
  if (schema.mark !== MARK) {
    throw new Problem(
      "database",
      "The database has a schema `tare` that another program made.",
      "Name another database in DATABASE_URL.",
    );
  }
  const found = await client.query<{ version: number }>("SELECT version FROM tare.schema");
  return found.rows[0]?.version ?? 0;
}

async function makeSchema(client: ClientBase): Promise<number> {
  await client.query(`CREATE SCHEMA tare; COMMENT ON SCHEMA tare IS '${MARK}';
    CREATE TABLE tare.schema (version integer NOT NULL); INSERT INTO tare.schema VALUES (0)`);
  return 0;
}

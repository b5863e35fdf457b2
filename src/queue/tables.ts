import type { ClientBase } from "pg";
import type { BackupTable } from "./backup-format.ts";

/** Tare's tables but that of its version, each behind those that it refers to; columns that are computed left out. */
export async function tablesOf(client: ClientBase): Promise<BackupTable[]> {
  const { rows } = await client.query<BackupTable & { needs: string[] }>(
    `SELECT c.relname AS table,
       (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns,
       ARRAY(SELECT DISTINCT other.relname::text FROM pg_constraint JOIN pg_class other ON other.oid = confrelid
        WHERE conrelid = c.oid AND contype = 'f' AND confrelid <> c.oid) AS needs
     FROM pg_class c WHERE c.relnamespace = 'tare'::regnamespace AND c.relkind = 'r' AND c.relname <> 'schema'
     ORDER BY c.relname`,
  );
  const ordered: BackupTable[] = [];
  let left = rows;
  while (left.length > 0) {
    const names = new Set(left.map(({ table }) => table));
    const next = left.filter(({ needs }) => !needs.some((needed) => names.has(needed)));
    if (next.length === 0) throw new Error("tables refer to each other in a circle");
    ordered.push(...next.map(({ table, columns }) => ({ table, columns })));
    left = left.filter((row) => !next.includes(row));
  }
  return ordered;
}

/** Numbers that the database gives go on behind those that were restored. */
export async function moveSequences(client: ClientBase, tables: readonly BackupTable[]): Promise<void> {
  for (const { table, columns } of tables) {
    for (const column of columns) {
      await client.query(
        `SELECT setval(sequence, greatest((SELECT max(${column}::text::numeric) FROM tare.${table}), 1)::bigint)
         FROM pg_get_serial_sequence('tare.${table}', '${column}') AS sequence
         WHERE sequence IS NOT NULL`,
      );
    }
  }
}

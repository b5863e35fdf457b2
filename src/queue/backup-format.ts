import { createHash } from "node:crypto";
import { z } from "zod";
import { Problem } from "../domain/problem.ts";

// A backup is compressed text, a line for each thing: a head, then for each table its name, its rows in PostgreSQL's own text
// form (https://www.postgresql.org/docs/current/sql-copy.html) and `\.`, and at the end the sum of everything above it.

export const headSchema = z.object({
  format: z.literal("tare-backup"),
  version: z.literal(1),
  /** Version of Tare's tables. */
  schema: z.int().positive(),
});

const name = z.string().regex(/^[a-z_][a-z0-9_]*$/u);
export const tableSchema = z.object({ table: name, columns: z.array(name).min(1) });
export type BackupTable = z.infer<typeof tableSchema>;

export const footSchema = z.object({ rows: z.record(z.string(), z.int()), sha256: z.string() });

/** Ends the rows of a table. */
export const END_OF_ROWS = "\\.";

/** Rows of each table. */
export type RowCounts = Record<string, number>;

/** A backup that is none, or not whole. */
export function damaged(what: string): Problem {
  return new Problem("backup", `The backup cannot be read: ${what}.`, "Take another one.");
}

/** A line of JSON as this schema says. Problem `backup` where it is not. */
export function parseLine<T>(schema: z.ZodType<T>, line: Buffer | undefined, what: string): T {
  try {
    return schema.parse(JSON.parse((line ?? Buffer.of()).toString("utf8")));
  } catch {
    throw damaged(what);
  }
}

/** Splits bytes at line feeds and nothing else; sums up what it has given away. A last line without an end is none. */
export function readLines(chunks: AsyncIterable<Buffer>): {
  lines: AsyncGenerator<Buffer>;
  sum: () => string;
} {
  const hash = createHash("sha256");
  let given: Buffer | null = null;
  async function* split() {
    let rest: Buffer[] = [];
    for await (const chunk of chunks) {
      let from = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
        const line = Buffer.concat([...rest, chunk.subarray(from, end)]);
        rest = [];
        from = end + 1;
        if (given !== null) hash.update(given).update("\n");
        given = line;
        yield line;
      }
      if (from < chunk.length) rest.push(chunk.subarray(from));
    }
  }
  // The line that is read last holds the sum, and is no part of it.
  return { lines: split(), sum: () => hash.copy().digest("hex") };
}

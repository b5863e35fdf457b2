import type { Grid } from "./plain-table.ts";

type Cell = { text: string; right: boolean; long: boolean };

type Row = {
  marked: boolean;
  key: string | null;
  href: string | null;
  name: string;
  long: boolean;
  cells: Cell[];
};

/** Longer texts than this break into lines. */
const LINE = 28;

/** What `templates/table.html` is filled with. `key` is markup of Tare's own before a row's name. */
export type HtmlTable = {
  title: string;
  head: Cell[];
  rows: Row[];
};

export type TableOptions = {
  /** Rows that stand out: those of the deciding ledger, for example. */
  marked?: (row: readonly string[]) => boolean;
  /** Markup before the name of each row, in order. */
  keys?: readonly string[];
  /** Where the name of each row leads to, in order; clean already. */
  links?: readonly (string | null)[];
};

/** A grid as a page shows it: the first cell names its row. Null where there is no row. */
export function htmlTable(title: string, grid: Grid | null, options: TableOptions = {}): HtmlTable | null {
  if (grid === null || grid.rows.length === 0) return null;
  const cell = (text: string, column: number) => ({
    text,
    right: grid.align[column] === "right",
    long: grid.align[column] === "left" && text.length > LINE,
  });
  return {
    title,
    head: grid.head.map(cell),
    rows: grid.rows.map((row, index) => ({
      long: (row[0] ?? "").length > LINE,
      marked: options.marked?.(row) ?? false,
      key: options.keys?.[index] ?? null,
      href: options.links?.[index] ?? null,
      name: row[0] ?? "",
      cells: row.slice(1).map((text, column) => cell(text, column + 1)),
    })),
  };
}

import { cut } from "./sanitise.ts";

/** A table before it is laid out. Cells are clean text of one line. */
export type Grid = { head: string[]; align: ("left" | "right")[]; rows: string[][] };

const GAP = "  ";

/** An ASCII table of at most `width` columns; the widest left-aligned column gives way. */
export function plainTable(grid: Grid, width: number): string {
  const widths = grid.head.map((_, column) =>
    Math.max(...[grid.head, ...grid.rows].map((row) => row[column]?.length ?? 0)),
  );
  narrow(widths, grid, width);
  const rule = widths.map((size) => "-".repeat(size));
  return [grid.head, rule, ...grid.rows].map((row) => layOut(row, widths, grid.align)).join("\n");
}

function narrow(widths: number[], grid: Grid, width: number): void {
  const total = () => widths.reduce((sum, size) => sum + size, GAP.length * (widths.length - 1));
  const left = widths.map((_, column) => column).filter((column) => grid.align[column] === "left");
  const columns = left.length > 0 ? left : widths.map((_, column) => column);
  while (total() > width) {
    const widest = columns.reduce((a, b) => ((widths[b] ?? 0) > (widths[a] ?? 0) ? b : a), columns[0] ?? 0);
    const excess = total() - width;
    const others = columns.filter((column) => column !== widest).map((column) => widths[column] ?? 0);
    const size = widths[widest] ?? 0;
    // One column gives way only until the next is as wide, so that none is starved.
    const step = Math.max(1, Math.min(excess, size - Math.max(0, ...others)));
    if (size - step < MINIMUM_COLUMN) return;
    widths[widest] = size - step;
  }
}

const MINIMUM_COLUMN = 6;

function layOut(row: readonly string[], widths: readonly number[], align: Grid["align"]): string {
  return widths
    .map((size, column) => {
      const cell = middleCut(row[column] ?? "", size);
      return align[column] === "right" ? cell.padStart(size) : cell.padEnd(size);
    })
    .join(GAP)
    .trimEnd();
}

/** Names differ at their ends: `qemu-project/...-cross-cache`. */
function middleCut(cell: string, size: number): string {
  if (cell.length <= size) return cell;
  const tail = Math.floor((size - 3) / 2);
  return cut(cell, size - tail) + (tail > 0 ? cell.slice(-tail) : "");
}

/** A table in GitHub's and GitLab's Markdown. Cells are clean Markdown of one line. */
export function markdownTable(grid: Grid): string {
  const rule = grid.align.map((side) => (side === "right" ? "---:" : "---"));
  return [grid.head, rule, ...grid.rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

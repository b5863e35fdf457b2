import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { benchAccounting } from "./accounting.ts";
import { benchCommandLine } from "./command-line.ts";
import { benchLink } from "./link.ts";
import { benchMailIntake } from "./mail-intake.ts";
import { benchMatrix, matrixOptions } from "./matrix.ts";
import { benchRunOverhead } from "./run-overhead.ts";

/**
 * Prints ratios and times of what users wait for. Both sides of a ratio are measured in turn in this very run.
 * `npm run bench -- --repo DIR` reads that repository for `tare recipes` instead of the example;
 * `--only command-line|accounting|run-overhead|link|mail-intake|matrix` measures one of them. `--quick` leaves out what
 * takes minutes; `--strategies a,b` and `--pairs N` are the matrix's.
 */
const option = (name: string): string | null => {
  const at = process.argv.indexOf(name);
  return at === -1 ? null : (process.argv[at + 1] ?? null);
};
const only = option("--only");
const quick = process.argv.includes("--quick");
const wanted = (name: string): boolean => only === null || only === name;

const kernel = execFileSync("uname", ["-r"], { encoding: "utf8" }).trim();
console.log(`node ${process.version}, ${cpus().length} CPUs, kernel ${kernel}`);
if (wanted("command-line")) await benchCommandLine(option("--repo"));
if (wanted("accounting")) await benchAccounting();
if (wanted("run-overhead")) await benchRunOverhead(quick);
if (wanted("link")) await benchLink();
if (wanted("mail-intake")) await benchMailIntake();
if (wanted("matrix")) await benchMatrix(matrixOptions(option, quick));

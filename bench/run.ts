import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { benchAccounting } from "./accounting.ts";
import { benchCommandLine } from "./command-line.ts";
import { benchDoor, benchIdle, benchKills, benchReplays } from "./durability.ts";
import { benchIntake } from "./intake.ts";
import { benchLink } from "./link.ts";
import { benchMailIntake } from "./mail-intake.ts";
import { benchMatrix, matrixOptions } from "./matrix.ts";
import { benchRunOverhead } from "./run-overhead.ts";

/**
 * Prints ratios and times of what users wait for. Both sides of a ratio are measured in turn in this very run.
 * `npm run bench -- --repo DIR` reads that repository for `tare recipes` instead of the example;
 * `--only command-line|accounting|run-overhead|intake|door|link|mail-intake|matrix` measures one of them.
 * `--only kills|replays|idle` takes hours, is left out otherwise, and goes on where it was ended: `--kills 500 --postgres 30`,
 * `--replays 100000`, `--minutes 60`, and `--again` to start from nothing. `--quick` leaves out what
 * takes minutes; `--strategies a,b` and `--pairs N` are the matrix's.
 */
const option = (name: string): string | null => {
  const at = process.argv.indexOf(name);
  return at === -1 ? null : (process.argv[at + 1] ?? null);
};
const only = option("--only");
const quick = process.argv.includes("--quick");
const wanted = (name: string): boolean => only === null || only === name;
const count = (name: string, usual: number): number => Number(option(`--${name}`) ?? usual);

const kernel = execFileSync("uname", ["-r"], { encoding: "utf8" }).trim();
console.log(`node ${process.version}, ${cpus().length} CPUs, kernel ${kernel}`);
if (wanted("command-line")) await benchCommandLine(option("--repo"));
if (wanted("accounting")) await benchAccounting();
if (wanted("run-overhead")) await benchRunOverhead(quick);
if (wanted("intake")) await benchIntake();
if (wanted("door")) await benchDoor();
if (wanted("link")) await benchLink();
if (wanted("mail-intake")) await benchMailIntake();
if (wanted("matrix")) await benchMatrix(matrixOptions(option, quick));
if (only === "kills") await benchKills(count("kills", 500), count("postgres", 30));
if (only === "replays") await benchReplays(count("replays", 100_000));
if (only === "idle") await benchIdle(count("minutes", 60));

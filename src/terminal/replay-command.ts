import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { Problem } from "../domain/problem.ts";
import type { Report } from "../domain/report.ts";
import { readReport } from "../reports/read-report.ts";
import { readInput } from "./change-input.ts";
import type { ExitCode } from "./exit-code.ts";
import { render, type Format } from "./trial-command.ts";

export type ReplayOptions = { report: string; format: Format; out: string | null; again: boolean };

/** `tare replay`: an earlier answer in any format, or the same trial once more. */
export async function replayCommand(options: ReplayOptions): Promise<ExitCode> {
  const report = readReport(options.report, await readInput(options.report));
  if (options.again) return repeatTrial(report);
  const text = render(report, options.format);
  if (options.out === null) process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  else await writeFile(options.out, text);
  return 0;
}

/** Runs the trial's own command again, in this directory, with its output where this command's goes. */
async function repeatTrial(report: Report): Promise<ExitCode> {
  const [first, ...rest] = report.argv;
  if (first !== "trial") {
    throw new Problem(
      "arguments",
      `The report was made by \`${report.command}\`, which cannot be repeated by itself.`,
      "Run that command where its input is at hand.",
    );
  }
  process.stderr.write(`tare: repeating: ${report.command}\n`);
  const child = spawn(process.execPath, [process.argv[1] ?? "", first, ...rest], { stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  return (code ?? 3) as ExitCode;
}

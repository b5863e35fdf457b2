import { spawn } from "node:child_process";
import { once } from "node:events";
import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { answersTo } from "../answer-thread.ts";
import { Problem } from "../domain/problem.ts";
import type { Report } from "../domain/report.ts";
import { readReport } from "../reports/read-report.ts";
import { readInput } from "./change-input.ts";
import { readThread } from "./read-thread.ts";
import type { ExitCode } from "./exit-code.ts";
import { typedCommand } from "./typed-command.ts";
import { repeatArguments } from "./repeat-arguments.ts";
import { putOut, refuseUnwritable, render, type Format } from "./trial-command.ts";

/** `format` is null where nobody names one. */
export type ReplayOptions = {
  report: string;
  format: Format | null;
  out: string | null;
  /** Mails of the thread, each a file; their claims take the place of the report's. */
  thread: string[];
  again: boolean;
};

/** `tare replay`: an earlier answer in any format, or the same trial once more. */
export async function replayCommand(options: ReplayOptions): Promise<ExitCode> {
  const { format, out } = options;
  if (out !== null) {
    await refuseUnwritable(out);
    await refuseSame(out, options.report);
  }
  const report = readReport(options.report, await readInput(options.report));
  if (options.again) return repeatTrial(report, options);
  const claims =
    options.thread.length === 0 ? report.claims : answersTo(await readThread(options.thread), report);
  await putOut(await render({ ...report, claims }, format ?? "text"), out);
  return 0;
}

/** The report that is replayed must not be lost to its own answer. */
async function refuseSame(out: string, report: string): Promise<void> {
  const real = async (path: string) => realpath(path).catch(() => resolve(path));
  if (report === "-" || (await real(out)) !== (await real(report))) return;
  throw new Problem("arguments", `${out} is the report that is replayed.`, "Name another file with --out.");
}

/**
 * Runs the trial's own command again, in this directory. Its output goes where this command's does: the files that the
 * trial wrote are left as they are.
 */
async function repeatTrial(report: Report, options: ReplayOptions): Promise<ExitCode> {
  if (report.argv[0] !== "trial") {
    throw new Problem(
      "arguments",
      `The report was made by \`${report.command}\`, which cannot be repeated by itself.`,
      "Run that command where its input is at hand.",
    );
  }
  const argv = repeatArguments(report.argv, options);
  process.stderr.write(`tare: repeating: ${typedCommand(argv)}\n`);
  const child = spawn(process.execPath, [process.argv[1] ?? "", ...argv], { stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  return (code ?? 3) as ExitCode;
}

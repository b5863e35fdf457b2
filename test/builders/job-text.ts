import type { Job } from "../../src/domain/job.ts";

/** Every part of a job as text, one fact a line. */
export function jobText(job: Job): string {
  const { limits } = job;
  return [
    `name: ${job.name}`,
    `image: ${job.image}`,
    `privileges: ${job.privileges}`,
    `limits: ${limits.cpus} CPUs, ${limits.memoryBytes} B, ${limits.processes} processes, ${limits.durationMs} ms, ${limits.logBytes} B of log`,
    `working directory: ${job.workingDirectory}`,
    "environment:",
    ...Object.entries(job.environment).map(([name, value]) => `  ${name}=${value}`),
    "volumes:",
    ...job.volumes.map((path) => `  ${path}`),
    "files:",
    ...job.files.flatMap(fileText),
    "main:",
    ...words(job.main),
    `ready: ${job.ready === null ? "-" : job.ready.join(" ")}`,
    ...job.commands.flatMap(({ phase, argv, workingDirectory, mayFail }) => [
      `command (${phase}${mayFail ? ", may fail" : ""}) in ${workingDirectory}:`,
      ...words(argv),
    ]),
  ].join("\n");
}

function words(argv: readonly string[]): string[] {
  return argv.flatMap((word) => word.split("\n").map((line, index) => `  ${index === 0 ? "" : "| "}${line}`));
}

function fileText(file: Job["files"][number]): string[] {
  if (file.kind === "symlink") return [`  ${file.path} -> ${file.target}`];
  const text = Buffer.from(file.content).toString("utf8");
  const lines = text.replace(/\n$/, "").split("\n");
  const mode = file.executable ? " (executable)" : "";
  return [`  ${file.path}, ${file.content.length} B${mode}`, ...lines.map((line) => `  | ${line}`)];
}

import { Outage } from "../domain/problem.ts";
import { run } from "../lib/spawn.ts";

/** Runs a program of this machine for set-up and returns its output; a failure is an Outage with its last lines. */
export async function hostCommand(
  program: string,
  argv: readonly string[],
  options: { env?: Record<string, string>; cwd?: string } = {},
): Promise<string> {
  const env = { ...definedEnvironment(), ...options.env };
  const result = await run(program, argv, {
    env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  if (result.exitCode !== 0) {
    const said = (result.stderr || result.stdout.toString("utf8")).trim().split("\n").slice(-5).join(" / ");
    throw new Outage(
      `${[program, ...argv].join(" ")} failed (${result.exitCode}): ${said}`,
      "Look at this machine's package sources and network, then run `tare setup` again.",
    );
  }
  return result.stdout.toString("utf8");
}

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Full path of a program, looked for where Debian installs it too; null where there is none. */
export async function findProgram(name: string): Promise<string | null> {
  const path = `/usr/local/go/bin:/usr/sbin:/usr/bin:/sbin:/bin:${process.env["PATH"] ?? ""}`;
  const result = await run("/bin/sh", ["-c", 'command -v "$1"', "sh", name], { env: { PATH: path } });
  const found = result.stdout.toString("utf8").trim();
  return result.exitCode === 0 && found !== "" ? found : null;
}

import { connectEngine, engineAddress } from "../executors/engine-connection.ts";
import { createEngineExecutor } from "../executors/engine.ts";
import { sweepRepositories } from "../git/repository.ts";
import { BUILDERS } from "../domain/recipe.ts";
import { formatCount } from "../domain/quantities.ts";
import { acquirePrivateEngine, hasPrivateEngine } from "../images/private-engine.ts";
import type { ExitCode } from "./exit-code.ts";
import { cacheDirectory } from "../lib/cache-directory.ts";
import { withTestbed } from "./session.ts";

/**
 * `tare setup`: everything that a first trial would otherwise do before it starts. A builder that cannot be had is
 * named with the reason and the others are made all the same; exit code 2 where none can be had.
 */
export async function setupCommand(options: { yes: boolean }): Promise<ExitCode> {
  const wanted = { builders: [], others: BUILDERS, archivedKaniko: true, assumeYes: options.yes };
  return withTestbed(wanted, async ({ tools, engine, missing }) => {
    const line = (name: string, text: string) => void process.stdout.write(`${name.padEnd(9)} ${text}\n`);
    line("engine", `${engine.facts.name} ${engine.facts.version} at ${engine.address}`);
    for (const name of [...BUILDERS, "registry"] as const) {
      const tool = name === "registry" ? tools.registry : tools.builders[name];
      if (tool !== undefined) line(name, `${tool.version}, ${tool.origin}: ${tool.image}`);
    }
    for (const { builder, why, remedy } of missing) {
      line(builder, `cannot be had: ${why}`);
      line("", remedy);
    }
    if (missing.length > 0)
      line("", "Trials leave these builders out, or end with this reason where they need one.");
    return missing.length === BUILDERS.length ? 2 : 0;
  });
}

/** `tare sweep`: what every start does by itself. An engine of Tare's own that still runs for nobody is stopped. */
export async function sweepCommand(): Promise<ExitCode> {
  const repositories = await sweepRepositories();
  const containers = await sweepContainers();
  process.stdout.write(
    `Removed ${formatCount(containers, "container")} and ${repositories === 1 ? "one scratch directory" : `${repositories} scratch directories`}.\n`,
  );
  return 0;
}

async function sweepContainers(): Promise<number> {
  const address = engineAddress(process.env);
  if (address !== null) return createEngineExecutor(await connectEngine(address)).sweep();
  const cache = cacheDirectory(process.env);
  if (!hasPrivateEngine(cache)) return 0;
  const own = await acquirePrivateEngine(cache);
  try {
    return await createEngineExecutor(own.engine).sweep();
  } finally {
    await own.release();
  }
}

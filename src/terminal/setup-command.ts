import { connectEngine, engineAddress } from "../executors/engine-connection.ts";
import { createEngineExecutor } from "../executors/engine.ts";
import { sweepRepositories } from "../git/repository.ts";
import { formatCount } from "../domain/quantities.ts";
import { acquirePrivateEngine, hasPrivateEngine } from "../images/private-engine.ts";
import type { ExitCode } from "./exit-code.ts";
import { cacheDirectory } from "../lib/cache-directory.ts";
import { withTestbed } from "./session.ts";

/** `tare setup`: everything that a first trial would otherwise do before it starts. */
export async function setupCommand(options: { yes: boolean }): Promise<ExitCode> {
  await withTestbed({ archivedKaniko: true, assumeYes: options.yes }, async (testbed) => {
    const { tools, engine } = testbed;
    process.stdout.write(`engine    ${engine.facts.name} ${engine.facts.version} at ${engine.address}\n`);
    for (const [name, tool] of [
      ["docker", tools.docker],
      ["kaniko", tools.kaniko],
      ["registry", tools.registry],
    ] as const) {
      process.stdout.write(`${name.padEnd(9)} ${tool.version}, ${tool.origin}: ${tool.image}\n`);
    }
  });
  return 0;
}

/** `tare sweep`: what every start does by itself. An engine of Tare's own that still runs for nobody is stopped. */
export async function sweepCommand(): Promise<ExitCode> {
  const repositories = await sweepRepositories();
  const containers = await sweepContainers();
  process.stdout.write(
    `Removed ${formatCount(containers, "container")} and ${formatCount(repositories, "scratch directory")}.\n`,
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

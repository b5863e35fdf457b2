import { connectEngine, engineAddress } from "../executors/engine-connection.ts";
import { createEngineExecutor } from "../executors/engine.ts";
import { sweepRepositories } from "../git/repository.ts";
import type { ExitCode } from "./exit-code.ts";
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

/** `tare sweep`: what every start does, by itself. */
export async function sweepCommand(): Promise<ExitCode> {
  const repositories = await sweepRepositories();
  const address = engineAddress(process.env);
  const sweep = async () => {
    if (address !== null) return createEngineExecutor(await connectEngine(address)).sweep();
    return 0;
  };
  const containers = await sweep();
  process.stdout.write(`Removed ${containers} containers and ${repositories} scratch repositories.\n`);
  return 0;
}

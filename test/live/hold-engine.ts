import { BUILDERS } from "../../src/domain/recipe.ts";
import { openTestbed } from "../../src/images/testbed.ts";
import { cacheDirectory } from "../../src/lib/cache-directory.ts";

/** Keeps one engine up for all live tests; each of them opens the testbed by itself and finds it running. */
export async function setup(): Promise<() => Promise<void>> {
  const dialogue = { say: (line: string) => console.log(`tare: ${line}`), ask: async () => true };
  const testbed = await openTestbed({
    cacheDirectory: cacheDirectory(process.env),
    environment: process.env,
    dialogue,
    builders: BUILDERS,
    archivedKaniko: true,
  });
  const { facts } = testbed.engine;
  const { builders, registry } = testbed.tools;
  const versions = BUILDERS.map((builder) => `${builder} ${builders[builder]?.version}`);
  console.log(`Live tests run on ${facts.name} ${facts.version}; ${versions.join(", ")},`);
  console.log(`registry ${registry.version}.`);
  return () => testbed.close();
}

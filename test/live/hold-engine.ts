import { openTestbed } from "../../src/images/testbed.ts";
import { cacheDirectory } from "../../src/lib/cache-directory.ts";

/** Keeps one engine up for all live tests; each of them opens the testbed by itself and finds it running. */
export async function setup(): Promise<() => Promise<void>> {
  const dialogue = { say: (line: string) => console.log(`tare: ${line}`), ask: async () => true };
  const testbed = await openTestbed({
    cacheDirectory: cacheDirectory(process.env),
    environment: process.env,
    dialogue,
    archivedKaniko: true,
  });
  const { facts } = testbed.engine;
  console.log(`Live tests run on ${facts.name} ${facts.version}; docker ${testbed.tools.docker.version},`);
  console.log(`kaniko ${testbed.tools.kaniko.version}, registry ${testbed.tools.registry.version}.`);
  return () => testbed.close();
}

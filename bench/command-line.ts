import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeExampleRepository } from "../test/live/example-repository.ts";
import { inWords, timed } from "./figures.ts";

const MAIN = join(dirname(dirname(fileURLToPath(import.meta.url))), "src/main.ts");
const RUNS = 15;

/** Whole processes: `tare --help` (target 150 ms) and `tare recipes` (target 300 ms on QEMU's tree). */
export async function benchCommandLine(repository: string | null): Promise<void> {
  const example = repository === null ? makeExampleRepository() : null;
  const directory = repository ?? example?.directory ?? ".";
  const call = (...argv: string[]) =>
    timed(() => execFileSync(process.execPath, [MAIN, ...argv], { stdio: "ignore" }));
  try {
    const help: number[] = [];
    const recipes: number[] = [];
    await call("recipes", "--repo", directory, "--format", "json");
    for (let run = 0; run < RUNS; run++) {
      help.push(await call("--help"));
      recipes.push(await call("recipes", "--repo", directory, "--format", "json"));
    }
    console.log(inWords("tare --help", help));
    console.log(inWords(`tare recipes on ${repository ?? "the example"}`, recipes));
  } finally {
    example?.remove();
  }
}

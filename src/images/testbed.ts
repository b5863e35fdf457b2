import { createEngineExecutor, type EngineExecutor } from "../executors/engine.ts";
import { connectEngine, engineAddress, type Engine } from "../executors/engine-connection.ts";
import { Problem } from "../domain/problem.ts";
import { formatBytes } from "../domain/quantities.ts";
import { freeBytes } from "../lib/disk.ts";
import { findProgram } from "./host-commands.ts";
import { installPackages, missingPackages } from "./debian.ts";
import { pullOfficial } from "./official.ts";
import { makeTools } from "./packages.ts";
import { acquirePrivateEngine } from "./private-engine.ts";
import type { SetupDialogue, Tools } from "./types.ts";

/** A trial of a small image needs this much; images of several GB need a multiple. */
export const MINIMUM_FREE_BYTES = 2_000_000_000;

/** An engine with the images of builders and registry on it, ready to run trials. */
export type Testbed = {
  engine: Engine;
  executor: EngineExecutor;
  tools: Tools;
  /** True where the engine is Tare's own. */
  privateEngine: boolean;
  close(): Promise<void>;
};

export type TestbedOptions = {
  cacheDirectory: string;
  environment: NodeJS.ProcessEnv;
  dialogue: SetupDialogue;
  /** True where the template names gcr.io/kaniko-project/executor. */
  archivedKaniko: boolean;
};

/**
 * Opens the testbed: an engine that runs already, or one of Tare's own; official images where the engine can pull
 * them, else images made from packages after saying so. Problem setup-refused where the person says no.
 */
export async function openTestbed(options: TestbedOptions): Promise<Testbed> {
  checkEngineSettings(options.environment);
  await refuseFullDisk(options.cacheDirectory);
  const address = engineAddress(options.environment);
  if (address === null) return openPrivate(options);
  const engine = await connectEngine(address);
  const setting = options.environment["TARE_IMAGES"];
  if (setting !== "packages") {
    const official = await pullOfficial(engine.docker, options.archivedKaniko);
    if ("docker" in official) return ready(engine, official, options, async () => {}, false);
    if (setting === "official") {
      throw new Problem("image-unavailable", "The official images cannot be pulled.", "Unset TARE_IMAGES.", [
        official.why,
      ]);
    }
    options.dialogue.say("The engine cannot pull public images: they are made from packages.");
  }
  await ensurePackages(false, options.dialogue);
  const tools = await makeTools(engine.docker, options.cacheDirectory, options.dialogue);
  return ready(engine, tools, options, async () => {}, false);
}

/** Settings that choose among a few words. Problem configuration with all faults. */
export function checkEngineSettings(environment: NodeJS.ProcessEnv): void {
  const choices = { TARE_IMAGES: ["official", "packages"], TARE_PRIVILEGES: ["privileged", "capabilities"] };
  const faults = Object.entries(choices).flatMap(([name, words]) => {
    const value = environment[name];
    return value === undefined || value === "" || words.includes(value)
      ? []
      : [`${name}: must be ${words.join(" or ")}`];
  });
  if (faults.length === 0) return;
  throw new Problem(
    "configuration",
    "The settings of the engine are wrong.",
    "Correct or unset them.",
    faults,
  );
}

async function refuseFullDisk(directory: string): Promise<void> {
  const free = await freeBytes(directory);
  if (free >= MINIMUM_FREE_BYTES) return;
  throw new Problem(
    "disk-full",
    `Only ${formatBytes(free)} are free at ${directory}; a trial needs ${formatBytes(MINIMUM_FREE_BYTES)} or more.`,
    "Make room, or set TARE_CACHE to a directory on a larger disk.",
  );
}

async function openPrivate(options: TestbedOptions): Promise<Testbed> {
  if (process.getuid?.() !== 0) {
    throw new Problem(
      "engine-missing",
      "There is no container engine: DOCKER_HOST is not set and no socket of Docker or Podman is there.",
      "Start Docker or Podman, or run as root on Debian, where Tare starts an engine of its own.",
    );
  }
  await ensurePackages((await findProgram("dockerd")) === null, options.dialogue);
  const own = await acquirePrivateEngine(options.cacheDirectory);
  try {
    const tools = await makeTools(own.engine.docker, options.cacheDirectory, options.dialogue);
    return await ready(own.engine, tools, options, () => own.release(), true);
  } catch (error) {
    await own.release();
    throw error;
  }
}

async function ready(
  engine: Engine,
  tools: Tools,
  options: TestbedOptions,
  close: () => Promise<void>,
  privateEngine: boolean,
): Promise<Testbed> {
  const executor = createEngineExecutor(engine, options.environment["TARE_PRIVILEGES"]);
  await executor.sweep();
  return { engine, executor, tools, privateEngine, close };
}

async function ensurePackages(withEngine: boolean, dialogue: SetupDialogue): Promise<void> {
  const missing = await missingPackages(withEngine);
  if (missing.length === 0) return;
  const question = `Install these Debian packages: ${missing.join(", ")}?`;
  if (!(await dialogue.ask(question))) {
    throw new Problem(
      "setup-refused",
      `Not installed: ${missing.join(", ")}.`,
      "Install them, or start Docker or Podman.",
    );
  }
  dialogue.say(`Installing ${missing.join(", ")}`);
  await installPackages(missing);
}

import { createEngineExecutor, type EngineExecutor } from "../executors/engine.ts";
import { egressTo, type Egress } from "../network/egress.ts";
import { connectEngine, engineAddress, type Engine } from "../executors/engine-connection.ts";
import type { Mirror } from "../domain/mirror.ts";
import { Problem } from "../domain/problem.ts";
import type { BuilderId } from "../domain/recipe.ts";
import { formatBytes } from "../domain/quantities.ts";
import { freeBytes } from "../lib/disk.ts";
import { gatherTools, packagesFor, type ToolsRequest } from "./gather-tools.ts";
import { ENGINE_PACKAGES, ensurePackages } from "./host-packages.ts";
import type { NamedImages } from "./named.ts";
import { acquirePrivateEngine } from "./private-engine.ts";
import type { MissingBuilder, Tools } from "./types.ts";

/** A trial of a small image needs this much; images of several GB need a multiple. */
export const MINIMUM_FREE_BYTES = 2_000_000_000;

/** An engine with the images of builders and registry on it, ready to run trials. */
export type Testbed = {
  engine: Engine;
  executor: EngineExecutor;
  tools: Tools;
  /** Builders of `others` that cannot be had here. */
  missing: MissingBuilder[];
  /** Where the operator has base images pulled from. */
  mirrors: readonly Mirror[];
  /** Where jobs behind a gate may go. */
  egress: Egress;
  /** Where Tare keeps what set-up made. */
  cacheDirectory: string;
  /** True where the engine is Tare's own. */
  privateEngine: boolean;
  close(): Promise<void>;
};

export type TestbedOptions = Pick<ToolsRequest, "cacheDirectory" | "dialogue" | "builders"> & {
  environment: NodeJS.ProcessEnv;
  /** Builders that are wanted where they can be had; those that cannot are in `missing`. */
  others?: readonly BuilderId[];
  /** True where the template names gcr.io/kaniko-project/executor. */
  archivedKaniko: boolean;
  /** Images that the operator names for builders and registry; the others are official or made from packages. */
  named?: NamedImages;
  mirrors?: readonly Mirror[];
  /** Hosts that jobs behind a gate may reach; none if left out. */
  egress?: readonly string[];
};

/**
 * Opens the testbed: an engine that runs already, or one of Tare's own; official images where the engine can pull
 * them, else images made from packages after saying so. Only the builders that are asked for are pulled or made.
 * Problems: setup-refused where the person says no or a builder cannot be made, image-unavailable, engine-missing.
 */
export async function openTestbed(options: TestbedOptions): Promise<Testbed> {
  checkEngineSettings(options.environment);
  await refuseFullDisk(options.cacheDirectory);
  const address = engineAddress(options.environment);
  if (address === null) return openPrivate(options);
  const engine = await connectEngine(address);
  return ready(engine, sourceOf(options.environment), options, async () => {}, false);
}

function sourceOf(environment: NodeJS.ProcessEnv): ToolsRequest["source"] {
  const setting = environment["TARE_IMAGES"];
  return setting === "official" || setting === "packages" ? setting : "either";
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
  // One question for the engine and all that is made on it.
  const packages = packagesFor(options.builders, options.named ?? {});
  await ensurePackages({ ...packages, ...ENGINE_PACKAGES }, options.dialogue);
  const own = await acquirePrivateEngine(options.cacheDirectory);
  try {
    return await ready(own.engine, "packages", options, () => own.release(), true);
  } catch (error) {
    await own.release();
    throw error;
  }
}

async function ready(
  engine: Engine,
  source: ToolsRequest["source"],
  options: TestbedOptions,
  close: () => Promise<void>,
  privateEngine: boolean,
): Promise<Testbed> {
  const { environment, mirrors = [], egress: hosts = [], ...request } = options;
  const egress = egressTo(hosts);
  const privileges = environment["TARE_PRIVILEGES"];
  const asking = createEngineExecutor(engine, privileges);
  const gathered = await gatherTools(engine.docker, asking, { others: [], named: {}, ...request, source });
  // The registry's image has a shell and is there wherever a trial is run.
  const gate = { egress, holderImage: gathered.tools.registry.image };
  const executor = createEngineExecutor(engine, privileges, gate);
  await executor.sweep();
  return {
    engine,
    executor,
    ...gathered,
    mirrors,
    egress,
    cacheDirectory: options.cacheDirectory,
    privateEngine,
    close,
  };
}

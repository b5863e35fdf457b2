import { BUILDERS, type BuilderId } from "../domain/recipe.ts";
import { formatBytes, formatMemory } from "../domain/quantities.ts";
import { Outage, Problem } from "../domain/problem.ts";
import { lastingParent } from "../executors/cgroup.ts";
import { connectEngine, engineAddress, type Engine } from "../executors/engine-connection.ts";
import { daemonPrivileges } from "../executors/privileges.ts";
import { findProgram, hostCommand } from "../images/host-commands.ts";
import { BASE_PACKAGES, canInstall, ENGINE_PACKAGES, missingPackages } from "../images/host-packages.ts";
import { pinOf } from "../images/official.ts";
import { makeObstacle, MAKERS } from "../images/packages.ts";
import { PINS } from "../images/pins.ts";
import { checkEngineSettings, MINIMUM_FREE_BYTES } from "../images/testbed.ts";
import { freeBytes } from "../lib/disk.ts";
import type { ExitCode } from "./exit-code.ts";
import { engineSettings } from "./settings-environment.ts";
import { cacheDirectory } from "../lib/cache-directory.ts";

/** One thing that was looked at. `remedy` is set where it is not usable. */
type Finding = {
  what: string;
  state: "usable" | "will be made" | "not usable";
  detail: string;
  remedy?: string;
};

/**
 * `tare doctor`: what is usable here and what to do where it is not. Changes nothing. Exit code 3 where no trial can
 * be run; a builder that cannot be had is told, and the others can be tried without it.
 */
export async function doctorCommand(): Promise<ExitCode> {
  const { environment, named } = await engineSettings();
  checkEngineSettings(environment);
  const builders = await Promise.all(
    BUILDERS.map((builder) => builderFinding(builder, environment, named[builder])),
  );
  const needed = [await gitFinding(), ...(await engineFindings(environment)), await diskFinding()];
  const findings = [...needed, ...builders];
  for (const { what, state, detail, remedy } of findings) {
    process.stdout.write(`${what.padEnd(10)} ${state.padEnd(12)} ${detail}\n`);
    if (remedy !== undefined) process.stdout.write(`${" ".repeat(24)}${remedy}\n`);
  }
  const cannot = ({ state }: Finding) => state === "not usable";
  return needed.some(cannot) || builders.every(cannot) ? 3 : 0;
}

async function gitFinding(): Promise<Finding> {
  const program = await findProgram("git");
  if (program === null) {
    return {
      what: "git",
      state: "not usable",
      detail: "not installed",
      remedy: "Install git 2.36 or later.",
    };
  }
  return { what: "git", state: "usable", detail: (await hostCommand(program, ["--version"])).trim() };
}

async function engineFindings(environment: NodeJS.ProcessEnv): Promise<Finding[]> {
  const address = engineAddress(environment);
  if (address === null) return privateEngineFindings(environment);
  try {
    return describeEngine(await connectEngine(address), environment);
  } catch (error) {
    if (!(error instanceof Problem || error instanceof Outage)) throw error;
    return [{ what: "engine", state: "not usable", detail: error.message, remedy: error.remedy }];
  }
}

/** Without an engine Tare starts one of its own, which takes root and Debian. */
async function privateEngineFindings(environment: NodeJS.ProcessEnv): Promise<Finding[]> {
  if (!(await canInstall())) {
    return [
      {
        what: "engine",
        state: "not usable",
        detail: "none runs, and Tare starts one of its own only as root on Debian",
        remedy: "Start Docker or Podman, or set DOCKER_HOST.",
      },
    ];
  }
  const packages = [BASE_PACKAGES, ENGINE_PACKAGES, ...Object.values(MAKERS).map((maker) => maker.packages)];
  const missing = await missingPackages(Object.assign({}, ...packages));
  const detail = "none runs: Tare starts one of its own for each command, and makes its images from packages";
  return [
    { what: "engine", state: "will be made", detail },
    missing.length === 0
      ? { what: "packages", state: "usable", detail: "all that images are made from are installed" }
      : { what: "packages", state: "will be made", detail: `\`tare setup\` installs ${missing.join(", ")}` },
    privilegesFinding(environment),
  ];
}

function describeEngine(engine: Engine, environment: NodeJS.ProcessEnv): Finding[] {
  const { facts } = engine;
  const size = `${facts.cpus} CPUs, ${formatMemory(facts.memoryBytes)}`;
  const seen = lastingParent("doctor", facts) !== null || facts.local;
  return [
    {
      what: "engine",
      state: "usable",
      detail: `${facts.name} ${facts.version} at ${engine.address} (${size})`,
    },
    seen
      ? { what: "memory", state: "usable", detail: `peaks are read from cgroup v${facts.cgroupVersion}` }
      : {
          what: "memory",
          state: "not usable",
          detail: "the cgroups of a remote engine cannot be read",
          remedy: "Run Tare on the engine's own machine.",
        },
    privilegesFinding(environment),
  ];
}

function privilegesFinding(environment: NodeJS.ProcessEnv): Finding {
  const privileges = daemonPrivileges(environment["TARE_PRIVILEGES"]);
  const detail =
    privileges.kind === "privileged"
      ? "jobs with a daemon run privileged"
      : `jobs with a daemon run with ${privileges.names.length} named capabilities: this machine lacks some, and refuses --privileged`;
  return { what: "privileges", state: "usable", detail };
}

/** Where a builder's image comes from. The engine is not asked to pull: that would change it. */
async function builderFinding(
  builder: BuilderId,
  environment: NodeJS.ProcessEnv,
  named: string | undefined,
): Promise<Finding> {
  if (named !== undefined) {
    return {
      what: builder,
      state: "will be made",
      detail: `the operator's ${named}, where the engine can pull it`,
    };
  }
  const source = environment["TARE_IMAGES"];
  const pin = pinOf(builder, false);
  const pulls = engineAddress(environment) !== null && source !== "packages";
  const official = pulls && pin !== null ? `official image ${PINS[pin].version}` : null;
  const obstacle = source === "official" ? null : await makeObstacle(builder);
  if (source === "official" && official === null) {
    const detail = "no digest of its official image is known, and TARE_IMAGES allows no other";
    return { what: builder, state: "not usable", detail, remedy: "Unset TARE_IMAGES." };
  }
  if (official !== null) {
    const otherwise = obstacle === null ? "or else made from packages" : `not without it: ${obstacle.why}`;
    const detail =
      source === "official" ? official : `${official} where the engine can pull it, ${otherwise}`;
    return { what: builder, state: "will be made", detail };
  }
  if (obstacle !== null)
    return { what: builder, state: "not usable", detail: obstacle.why, remedy: obstacle.remedy };
  return { what: builder, state: "will be made", detail: `from ${MAKERS[builder].madeOf}` };
}

async function diskFinding(): Promise<Finding> {
  const directory = cacheDirectory(process.env);
  const free = await freeBytes(directory);
  const detail = `${formatBytes(free)} free at ${directory}`;
  if (free >= MINIMUM_FREE_BYTES) return { what: "disk", state: "usable", detail };
  const remedy = `Make room for ${formatBytes(MINIMUM_FREE_BYTES)}, or set TARE_CACHE.`;
  return { what: "disk", state: "not usable", detail, remedy };
}

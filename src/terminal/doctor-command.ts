import { BUILDERS } from "../domain/recipe.ts";
import { formatBytes, formatMemory } from "../domain/quantities.ts";
import { Outage, Problem } from "../domain/problem.ts";
import { lastingParent } from "../executors/cgroup.ts";
import { connectEngine, engineAddress, type Engine } from "../executors/engine-connection.ts";
import { daemonPrivileges } from "../executors/privileges.ts";
import { findProgram, hostCommand } from "../images/host-commands.ts";
import { BASE_PACKAGES, canInstall, ENGINE_PACKAGES, missingPackages } from "../images/host-packages.ts";
import { MAKERS } from "../images/packages.ts";
import { hasPrivateEngine } from "../images/private-engine.ts";
import { checkEngineSettings, MINIMUM_FREE_BYTES } from "../images/testbed.ts";
import { freeBytes } from "../lib/disk.ts";
import { builderFinding, type EngineSeen, type Finding } from "./builder-finding.ts";
import type { ExitCode } from "./exit-code.ts";
import { gateFindings } from "./gate-finding.ts";
import { engineSettings } from "./settings-environment.ts";
import { cacheDirectory } from "../lib/cache-directory.ts";

/**
 * `tare doctor`: what is usable here and what to do where it is not. Changes nothing. Exit code 3 where no trial can
 * be run; a builder that cannot be had is told, and the others can be tried without it. So is what is missing to hold jobs
 * of changes that are not trusted: those of trusted ones are run all the same.
 */
export async function doctorCommand(): Promise<ExitCode> {
  const { environment, named, egress } = await engineSettings();
  checkEngineSettings(environment);
  const { seen, findings: engine } = await lookAtEngine(environment);
  const source = environment["TARE_IMAGES"];
  const builders = await Promise.all(
    BUILDERS.map((builder) => builderFinding(builder, seen, { named: named[builder], source })),
  );
  const needed = [await gitFinding(), ...engine, await diskFinding()];
  const gate = await gateFindings(seen, named.registry, egress);
  const findings = [...needed, ...gate, ...builders];
  for (const { what, state, detail, remedy } of findings) {
    process.stdout.write(`${what.padEnd(10)}  ${state.padEnd(12)}  ${detail}\n`);
    if (remedy !== undefined) process.stdout.write(`${" ".repeat(26)}${remedy}\n`);
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

type Look = { seen: EngineSeen; findings: Finding[] };

async function lookAtEngine(environment: NodeJS.ProcessEnv): Promise<Look> {
  const address = engineAddress(environment);
  if (address === null) return lookAtPrivateEngine(environment);
  try {
    const engine = await connectEngine(address);
    return { seen: { kind: "running", engine }, findings: describeEngine(engine, environment) };
  } catch (error) {
    if (!(error instanceof Problem || error instanceof Outage)) throw error;
    return noEngine(error.message, error.remedy);
  }
}

function noEngine(detail: string, remedy: string): Look {
  return { seen: { kind: "none" }, findings: [{ what: "engine", state: "not usable", detail, remedy }] };
}

/** Without an engine Tare starts one of its own, which takes root and Debian. */
async function lookAtPrivateEngine(environment: NodeJS.ProcessEnv): Promise<Look> {
  if (!(await canInstall()))
    return noEngine(
      "none runs, and Tare starts one of its own only as root on Debian",
      "Start Docker or Podman, or set DOCKER_HOST.",
    );
  const packages = [BASE_PACKAGES, ENGINE_PACKAGES, ...Object.values(MAKERS).map((maker) => maker.packages)];
  const missing = await missingPackages(Object.assign({}, ...packages));
  const hadBefore = hasPrivateEngine(cacheDirectory(process.env));
  const findings: Finding[] = [
    {
      what: "engine",
      state: hadBefore ? "on first use" : "will be made",
      detail: "none runs: Tare starts one of its own for each command, and makes its images from packages",
    },
    missing.length === 0
      ? { what: "packages", state: "usable", detail: "all that images are made from are installed" }
      : { what: "packages", state: "will be made", detail: `\`tare setup\` installs ${missing.join(", ")}` },
    privilegesFinding(environment),
  ];
  return { seen: { kind: "own", hadBefore }, findings };
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

async function diskFinding(): Promise<Finding> {
  const directory = cacheDirectory(process.env);
  const free = await freeBytes(directory);
  const detail = `${formatBytes(free)} free at ${directory}`;
  if (free >= MINIMUM_FREE_BYTES) return { what: "disk", state: "usable", detail };
  const remedy = `Make room for ${formatBytes(MINIMUM_FREE_BYTES)}, or set TARE_CACHE.`;
  return { what: "disk", state: "not usable", detail, remedy };
}

import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Job, JobFile, ServiceSpec } from "../src/domain/job.ts";
import type { EngineFacts } from "../src/executors/engine-connection.ts";
import { lastingParent } from "../src/executors/cgroup.ts";
import { hostConfig } from "../src/executors/host-config.ts";
import { daemonPrivileges } from "../src/executors/privileges.ts";

/** What one strategy did by Tare: its registry and the jobs of its scenarios, in order, with the registry's host:port. */
export type DoneRuns = { registry: ServiceSpec; host: string; jobs: Job[] };

/** Writes what bench/matrix.sh reads: the same containers, files and commands, with a registry at another port. */
export function writeShellPlan(directory: string, done: DoneRuns, port: number, facts: EngineFacts): void {
  rmSync(directory, { recursive: true, force: true });
  const host = `127.0.0.1:${port}`;
  const moved = (text: string) => text.replaceAll(done.host, host);
  const { registry } = done;
  write(join(directory, "registry/host"), host);
  write(join(directory, "registry/create"), quoted(registryArguments(registry)));
  // The registry's own configuration names the port in the same form as everything else.
  writeFiles(join(directory, "registry/files"), registry.files, moved);
  for (const [index, job] of done.jobs.entries()) {
    const run = join(directory, `runs/${index + 1}`);
    write(join(run, "create"), moved(quoted(jobArguments(job, facts))));
    writeFiles(join(run, "files"), job.files, moved);
    if (job.ready === null) continue;
    write(join(run, "ready"), moved(`"$container" ${quoted(job.ready)}`));
    for (const [place, { argv, workingDirectory, mayFail }] of job.commands.entries()) {
      const words = `${quoted(["--workdir", workingDirectory])} "$container" ${quoted(argv)}`;
      write(join(run, `commands/${place + 1}${mayFail ? ".may-fail" : ""}`), moved(words));
    }
  }
}

function registryArguments({ image, main, environment, volumes }: ServiceSpec): string[] {
  const [program = "", ...rest] = main;
  return [
    "--network=host",
    ...Object.entries(environment).map(([name, value]) => `--env=${name}=${value}`),
    ...volumes.map(({ path }) => `--volume=${path}`),
    `--entrypoint=${program}`,
    image,
    ...rest,
  ];
}

/** A name as Tare's own containers have, so that a sweep by another Tare leaves the loop's alone while it runs. */
const nameOf = (job: Job) => `${job.name}-loop`;

/** The cgroup of a job of the loop, beside those of Tare's jobs: elsewhere it would get another share of the processors. */
export function loopCgroup(job: Job, facts: EngineFacts): string | null {
  return lastingParent(nameOf(job), facts);
}

/** Words of `docker create`: what the executor asks the engine for. */
function jobArguments(job: Job, facts: EngineFacts): string[] {
  const [program = "", ...rest] = job.main;
  return [
    `--name=tare-${nameOf(job)}`,
    ...limitArguments(job, facts),
    ...Object.entries(job.environment).map(([name, value]) => `--env=${name}=${value}`),
    `--workdir=${job.workingDirectory}`,
    ...job.volumes.map((path) => `--volume=${path}`),
    `--entrypoint=${program}`,
    job.image,
    ...rest,
  ];
}

function limitArguments(job: Job, facts: EngineFacts): string[] {
  const config = hostConfig(
    job,
    loopCgroup(job, facts),
    daemonPrivileges(process.env["TARE_PRIVILEGES"]),
    facts,
  );
  return [
    `--network=${config.NetworkMode}`,
    `--memory=${config.Memory}`,
    `--memory-swap=${config.MemorySwap}`,
    `--cpus=${(config.NanoCpus ?? 0) / 1e9}`,
    `--pids-limit=${config.PidsLimit}`,
    ...(config.CgroupParent === undefined ? [] : [`--cgroup-parent=${config.CgroupParent}`]),
    ...(config.LogConfig === undefined ? [] : [`--log-driver=${config.LogConfig.Type}`]),
    ...Object.entries(config.LogConfig?.Config ?? {}).map(
      ([name, value]) => `--log-opt=${name}=${String(value)}`,
    ),
    ...(config.Privileged === true ? ["--privileged"] : []),
    ...(config.CapAdd ?? []).map((name: string) => `--cap-add=${name}`),
    ...(config.SecurityOpt ?? []).map((option: string) => `--security-opt=${option}`),
    ...(config.MaskedPaths === undefined ? [] : ["--security-opt=systempaths=unconfined"]),
    ...(config.Binds ?? []).map((bind) => `--volume=${bind}`),
    // The package's types do not know this one.
    ...("CgroupnsMode" in config ? [`--cgroupns=${String(config.CgroupnsMode)}`] : []),
  ];
}

function writeFiles(directory: string, files: readonly JobFile[], moved: (text: string) => string): void {
  mkdirSync(directory, { recursive: true });
  for (const file of files) {
    const path = join(directory, file.path);
    mkdirSync(dirname(path), { recursive: true });
    if (file.kind === "symlink") symlinkSync(file.target, path);
    else {
      // Bytes that are no text stay as they are.
      const content = Buffer.from(moved(Buffer.from(file.content).toString("latin1")), "latin1");
      writeFileSync(path, content, { mode: file.executable ? 0o755 : 0o644 });
    }
  }
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Words for `eval "set -- …"`. */
function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}

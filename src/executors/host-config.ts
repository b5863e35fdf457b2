import type Docker from "dockerode";
import type { Job } from "../domain/job.ts";
import type { EngineFacts } from "./engine-connection.ts";
import type { DaemonPrivileges } from "./privileges.ts";

/** What is around a job's container: its network as the engine names it, and what is mounted. */
export type Surroundings = { network: string; mounts: Docker.MountSettings[] };

/** Limits and privileges of a job's container; `parent` is a cgroup that outlives it, where there is one. */
export function hostConfig(
  job: Job,
  parent: string | null,
  privileges: DaemonPrivileges,
  facts: Pick<EngineFacts, "name" | "cgroupVersion">,
  { network, mounts }: Surroundings = { network: "host", mounts: [] },
): Docker.HostConfig {
  return {
    // Trusted code has the machine's own: the trial's registry listens on loopback only.
    NetworkMode: network,
    ...(mounts.length === 0 ? {} : { Mounts: mounts }),
    Memory: job.limits.memoryBytes,
    MemorySwap: job.limits.memoryBytes,
    NanoCpus: Math.round(job.limits.cpus * 1e9),
    PidsLimit: job.limits.processes,
    ...(parent === null ? {} : { CgroupParent: parent }),
    ...(facts.name === "docker" ? { LogConfig: logConfig(job.limits.logBytes) } : {}),
    ...privilegesOf(job, privileges, facts.cgroupVersion),
    // In a network of nobody else there is nothing to listen to or to forge; the rest is what package managers need.
    ...(job.network === "gated" ? { CapDrop: ["NET_RAW", "AUDIT_WRITE"], IpcMode: "private" } : {}),
  };
}

/** What a short line takes on the engine's disk, compared with its own bytes. */
const LINE_OVERHEAD = 16;

/** The engine empties a log that is full: it must hold more than what is read of it. */
function logConfig(bytes: number): { Type: string; Config: Record<string, string> } {
  const kilobytes = Math.ceil((bytes * LINE_OVERHEAD) / 1024);
  return { Type: "json-file", Config: { "max-size": `${kilobytes}k`, "max-file": "1" } };
}

function privilegesOf(job: Job, privileges: DaemonPrivileges, cgroupVersion: string): Docker.HostConfig {
  switch (job.privileges) {
    case "none":
      return {};
    case "mounts":
      return { CapAdd: ["SYS_ADMIN"], SecurityOpt: ["seccomp=unconfined", "apparmor=unconfined"] };
    case "daemon":
      return daemonConfig(privileges, cgroupVersion);
    default:
      return job.privileges satisfies never;
  }
}

function daemonConfig(privileges: DaemonPrivileges, cgroupVersion: string): Docker.HostConfig {
  if (privileges.kind === "privileged") return { Privileged: true };
  return {
    CapAdd: privileges.names,
    SecurityOpt: ["seccomp=unconfined", "apparmor=unconfined"],
    MaskedPaths: [],
    ReadonlyPaths: [],
    // The daemon makes cgroups for its RUN steps below the job's own.
    ...(cgroupVersion === "1"
      ? { Binds: ["/sys/fs/cgroup:/sys/fs/cgroup:rw"] }
      : { CgroupnsMode: "private" }),
  };
}

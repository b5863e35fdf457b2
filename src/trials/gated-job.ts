import type { BuildRun } from "../builders/types.ts";
import type { Trust } from "../domain/change.ts";
import { gatedLimits, type Job, type JobNetwork, type JobService } from "../domain/job.ts";

/** Where code of this trust runs: what nobody of the project wrote is held behind a gate, approved or not. */
export function networkFor(trust: Trust): JobNetwork {
  return trust === "trusted" ? "host" : "gated";
}

/**
 * The job behind a gate: with the limits of such jobs, and with doors to the servers of its own trial. The trial's
 * registry and whoever hands out its tokens are written to; a registry of base images, which others start from as well,
 * is only read. The download cache is the proxy's own server, held to the operator's list.
 */
export function gatedJob(
  job: Job,
  { registryHost, mirrors, proxy }: Pick<BuildRun, "registryHost" | "mirrors" | "proxy">,
  realm: string | null,
): Job {
  const written = [registryHost, hostOf(realm), hostOf(proxy)].filter((host) => host !== null);
  const read = mirrors.map(({ host }) => host).filter((host) => !written.includes(host));
  const doors: JobService[] = [
    ...new Set(written).values().map((host) => ({ host, readOnly: false })),
    ...new Set(read).values().map((host) => ({ host, readOnly: true })),
  ];
  // A mirror that is not on loopback is a host of the operator's list or none.
  const services = doors.filter(({ host }) => /^127(?:\.\d{1,3}){3}:\d+$/.test(host));
  return { ...job, network: "gated", services, limits: gatedLimits(job.limits) };
}

function hostOf(address: string | null): string | null {
  return address === null ? null : new URL(address).host;
}

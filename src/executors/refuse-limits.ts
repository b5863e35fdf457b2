import type { Limits } from "../domain/job.ts";
import { Problem } from "../domain/problem.ts";
import { formatCount } from "../domain/quantities.ts";
import type { EngineFacts } from "./engine-connection.ts";

/** Problem `arguments` where a job is to get more CPUs than the engine has: the engine would refuse its container. */
export function refuseLimits(limits: Limits, facts: Pick<EngineFacts, "cpus">): void {
  if (limits.cpus <= facts.cpus) return;
  throw new Problem(
    "arguments",
    `A job is to get ${formatCount(limits.cpus, "CPU")}; the container engine has ${formatCount(facts.cpus, "CPU")}.`,
    "Name fewer with --cpus.",
  );
}

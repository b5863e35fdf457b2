import type { Outcome } from "../domain/job.ts";
import { Outage } from "../domain/problem.ts";
import { formatCount } from "../domain/quantities.ts";
import type { Traffic } from "../domain/registry.ts";

/**
 * A remark on a registry that answered requests of a run with errors of its own; null where it did not.
 * Throws Outage where the run ended badly meanwhile: such an end says nothing about the change. A kill for want of memory
 * is the kernel's word, whatever the registry did.
 */
export function registryRemark(
  what: string,
  outcome: Outcome,
  { serverErrors, firstServerError }: Traffic,
): string | null {
  if (serverErrors === 0) return null;
  const reason = firstServerError === undefined ? "" : `: ${firstServerError}`;
  const said = `the trial's registry answered ${formatCount(serverErrors, "request")} of ${what} with an error${reason}.`;
  if (outcome === "failed" || outcome === "timed-out") {
    throw new Outage(
      said.replace(/^the/, "The"),
      "It is no fault of the change. Look at the disk of the container engine, and run it again.",
    );
  }
  // Builders try again, which takes time; kaniko goes on without the cache entry that it could not store.
  return outcome === "succeeded"
    ? `${said} The build succeeded all the same; it may have stored less by it, or taken longer.`
    : said;
}

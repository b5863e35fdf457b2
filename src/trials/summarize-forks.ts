import type { ForkCachePush, ForkReport, ForkRun } from "../domain/report.ts";
import type { ForkRecord, ForkRunRecord } from "./fork.ts";
import { lastWords } from "./last-words.ts";
import { repositoryOf } from "./references.ts";

/** What a fork's pipelines did, as it is reported. */
export function summarizeForks(records: readonly ForkRecord[]): ForkReport[] {
  return records.map(({ upstream, runs }) => ({
    upstream,
    runs: runs.map(summarize),
    cachePush: cachePushOf(runs),
  }));
}

function summarize(run: ForkRunRecord): ForkRun {
  const { result, phases, hits, misses, traffic, denied, namespaceBytes, perRepositoryBytes } = run;
  const rounded = (ms: number | "unknown") => (ms === "unknown" ? ms : Math.round(ms));
  return {
    outcome: result.outcome,
    // Commands are run up to the first that fails.
    exitCode: result.commands.at(-1)?.exitCode ?? null,
    failure: result.outcome === "succeeded" ? null : lastWords(result.log),
    buildMs: rounded(phases.buildMs),
    pushMs: rounded(phases.pushMs),
    totalMs: Math.round(phases.totalMs),
    hits,
    misses,
    pulledBytes: traffic.pulledBytes,
    pushedBytes: traffic.pushedBytes,
    denied,
    namespaceBytes,
    perRepositoryBytes,
  };
}

/** By what the token server refused and how the run ended in which it did. */
function cachePushOf(runs: readonly ForkRunRecord[]): ForkCachePush {
  const pushes = runs.flatMap((run) => pushOf(run) ?? []);
  return pushes.find((push) => push !== "allowed") ?? pushes[0] ?? "none";
}

/** null where the run pushed no cache, or ended before that. */
function pushOf({ build, result, denied }: ForkRunRecord): Exclude<ForkCachePush, "none"> | null {
  if (build === null) return null;
  const named = (references: readonly string[]) =>
    references.map((reference) => repositoryOf(reference, build.registryHost));
  const caches = new Set(named(build.cacheTo.filter((reference) => !build.images.includes(reference))));
  if (caches.size === 0) return null;
  const refused = denied.filter(({ action }) => action === "push").map(({ repository }) => repository);
  if (!refused.some((name) => caches.has(name))) return result.outcome === "succeeded" ? "allowed" : null;
  // A job that was refused its image as well got past the cache, or does not get to it.
  const images = new Set(named(build.images));
  const lostImage = refused.some((name) => images.has(name) && !caches.has(name));
  return result.outcome === "failed" && !lostImage ? "denied: the job fails" : "denied: the job goes on";
}

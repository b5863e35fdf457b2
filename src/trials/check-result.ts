import type { BuildRun } from "../builders/types.ts";
import type { JobResult } from "../domain/job.ts";
import { formatDuration } from "../domain/quantities.ts";
import type { Snapshot } from "../domain/registry.ts";
import type { Scenario } from "../domain/report.ts";
import { editNumber } from "../domain/comparison.ts";
import { repositoryOf, tagOf } from "./references.ts";

/**
 * What a builder says of itself, held against what the registry holds: one that ended without an error and left no image
 * has failed. An end that its log does not explain gets a line of Tare's own.
 */
export function checkedResult(said: JobResult, build: BuildRun, after: Snapshot): JobResult {
  switch (said.outcome) {
    case "succeeded": {
      const missing = build.images.filter(
        (image) => digestOf(image, build.registryHost, after) === undefined,
      );
      if (missing.length === 0) return said;
      const line = `the builder ended without an error, and pushed no ${missing.join(", ")}`;
      return withLine({ ...said, outcome: "failed" }, line);
    }
    case "timed-out":
      return withLine(said, `ended at its time limit of ${formatDuration(build.limits.durationMs)}`);
    case "failed": {
      const code = said.commands.findLast(({ exitCode }) => exitCode !== 0)?.exitCode;
      return said.log.length > 0 || code === undefined
        ? said
        : withLine(said, `the builder ended with exit code ${code} and said nothing`);
    }
    case "out-of-memory":
    case "canceled":
      return said;
    default:
      return said.outcome satisfies never;
  }
}

/** A result with a line of Tare's own at the end of its log. */
export function withLine(result: JobResult, text: string): JobResult {
  const atMs = result.log.at(-1)?.atMs ?? 0;
  return { ...result, log: [...result.log, { atMs, stream: "stderr", line: `[tare: ${text}]` }] };
}

function digestOf(image: string, host: string, held: Snapshot): string | undefined {
  const name = repositoryOf(image, host);
  return held.repositories.find((candidate) => candidate.name === name)?.tags[tagOf(image)];
}

/**
 * What a build did beside what its recipe says. Repositories that it names neither as image nor as cache are charged, and
 * said; so is an image that an edit did not change.
 */
export function pushRemarks(
  scenario: Scenario,
  build: BuildRun,
  before: Snapshot,
  after: Snapshot,
): string[] {
  const host = build.registryHost;
  const expected = [...build.images, ...build.cacheTo].map((reference) => repositoryOf(reference, host));
  const known = new Set([...expected, ...before.repositories.map(({ name }) => name)]);
  const stray = after.repositories.map(({ name }) => name).filter((name) => !known.has(name));
  const [image] = build.images;
  const digest = image === undefined ? undefined : digestOf(image, host, after);
  const stale =
    image !== undefined &&
    editNumber(scenario) > 0 &&
    digest !== undefined &&
    digest === digestOf(image, host, before);
  return [
    ...stray.map((name) => `${scenario}: the build pushed to ${name}, which the recipe does not name.`),
    ...(stale
      ? [
          `${scenario}: the image is the one from before the edit: the edit does not reach it, or it was not pushed.`,
        ]
      : []),
  ];
}

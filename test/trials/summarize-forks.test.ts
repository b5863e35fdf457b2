import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, type JobResult, type Outcome } from "../../src/domain/job.ts";
import type { Denial } from "../../src/domain/registry.ts";
import type { ForkRunRecord } from "../../src/trials/fork.ts";
import { summarizeForks } from "../../src/trials/summarize-forks.ts";
import { trialRecipe } from "../fixtures/trial/image-trial.ts";

const HOST = "127.0.0.1:5000";
const IMAGE = `${HOST}/contributor/app:latest`;
const CACHE = `${HOST}/group/app-cache`;

function record(
  outcome: Outcome,
  denied: string[],
  { images = [IMAGE], cacheTo = [CACHE] }: { images?: string[]; cacheTo?: string[] } = {},
): ForkRunRecord {
  const result: JobResult = {
    outcome,
    commands: [{ phase: "build", startMs: 0, endMs: 10.4, exitCode: outcome === "succeeded" ? 0 : 125 }],
    log: [{ atMs: 0, stream: "stderr", line: "the last line" }],
    memoryPeakBytes: 1,
    anonymousPeakBytes: 1,
    memoryKills: 0,
    clock: "a test's",
  };
  return {
    build: {
      name: "fork",
      recipe: trialRecipe("kaniko/layers"),
      images,
      cacheFrom: [],
      cacheTo,
      pulls: [],
      files: [],
      projectDirectory: "/",
      dockerfile: "/Dockerfile",
      context: null,
      registryHost: HOST,
      credentials: null,
      mirrors: [],
      proxy: null,
      image: "",
      limits: DEFAULT_LIMITS,
    },
    result,
    phases: { buildMs: 10.4, pushMs: "unknown", totalMs: 10.4 },
    traffic: { pulledBytes: 1, pushedBytes: 2, writtenTags: [], readTags: [], serverErrors: 0 },
    hits: 1,
    misses: 1,
    denied: denied.map((text): Denial => {
      const [action = "", repository = ""] = text.split(" ");
      return { user: "contributor", repository, action };
    }),
    namespaceBytes: 3,
    perRepositoryBytes: 4,
  };
}

const pushOf = (...runs: ForkRunRecord[]) => summarizeForks([{ upstream: "readable", runs }])[0]?.cachePush;

const REFUSED = ["push group/app-cache"];

describe("what became of a fork's push to the cache", () => {
  it.each([
    ["allowed", record("succeeded", [])],
    ["denied: the job goes on", record("succeeded", REFUSED)],
    ["denied: the job fails", record("failed", REFUSED)],
    // A kill has a reason of its own.
    ["denied: the job goes on", record("out-of-memory", REFUSED)],
    // The job ended for another reason, before or beside its cache.
    ["none", record("failed", [])],
    ["none", record("failed", ["pull group/app-cache"])],
    // An inline cache is the image.
    ["none", record("succeeded", [], { cacheTo: [IMAGE] })],
    ["none", record("succeeded", [], { cacheTo: [] })],
    // The image is upstream's as well: that is what the job fails for.
    [
      "denied: the job goes on",
      record("failed", [...REFUSED, "push group/app"], { images: [`${HOST}/group/app:latest`] }),
    ],
    // Image and cache in one repository of upstream's.
    [
      "denied: the job fails",
      record("failed", ["push group/app"], {
        images: [`${HOST}/group/app:latest`],
        cacheTo: [`${HOST}/group/app:cache`],
      }),
    ],
  ] as const)("%s", (said, run) => {
    expect(pushOf(run)).toBe(said);
  });

  it("is told by the pipeline in which it was refused", () => {
    expect(pushOf(record("succeeded", []), record("failed", REFUSED))).toBe("denied: the job fails");
    expect(pushOf(record("failed", []), record("succeeded", []))).toBe("allowed");
  });
});

describe("a pipeline of a fork", () => {
  it("is reported with the job's own exit and its last words", () => {
    const [fork] = summarizeForks([{ upstream: "unreadable", runs: [record("failed", REFUSED)] }]);
    expect(fork).toStrictEqual({
      upstream: "unreadable",
      cachePush: "denied: the job fails",
      runs: [
        {
          outcome: "failed",
          exitCode: 125,
          failure: ["the last line"],
          buildMs: 10,
          pushMs: "unknown",
          totalMs: 10,
          hits: 1,
          misses: 1,
          pulledBytes: 1,
          pushedBytes: 2,
          denied: [{ user: "contributor", repository: "group/app-cache", action: "push" }],
          namespaceBytes: 3,
          perRepositoryBytes: 4,
        },
      ],
    });
  });
});

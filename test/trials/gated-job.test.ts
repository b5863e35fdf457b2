import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, type Job } from "../../src/domain/job.ts";
import { gatedJob, networkFor } from "../../src/trials/gated-job.ts";

const job: Job = {
  name: "r1-cold",
  image: "kaniko:debug",
  main: ["/kaniko/executor"],
  ready: null,
  commands: [],
  environment: {},
  workingDirectory: "/",
  files: [],
  volumes: [],
  privileges: "none",
  limits: DEFAULT_LIMITS,
};

describe("a job behind a gate", () => {
  it("is every one of a change that is not trusted", () => {
    expect(networkFor("trusted")).toBe("host");
    expect(networkFor("approved")).toBe("gated");
    expect(networkFor("stranger")).toBe("gated");
  });

  it("has doors to the servers of its trial, and writes to its own registry alone", () => {
    const mirrors = [
      { registry: "docker.io", host: "127.0.0.1:5001", insecure: true },
      { registry: "quay.io", host: "mirror.example.org", insecure: false },
      { registry: "ghcr.io", host: "10.0.0.7:5000", insecure: true },
    ];
    const build = { registryHost: "127.0.0.1:5000", mirrors, proxy: "http://127.0.0.1:3999" };
    const gated = gatedJob(job, build, "http://127.0.0.1:5002/token");
    expect(gated.network).toBe("gated");
    expect(gated.services).toStrictEqual([
      { host: "127.0.0.1:5000", readOnly: false },
      { host: "127.0.0.1:5002", readOnly: false },
      { host: "127.0.0.1:3999", readOnly: false },
      { host: "127.0.0.1:5001", readOnly: true },
    ]);
  });

  it("has limits of its own beside those that are set", () => {
    const build = { registryHost: "127.0.0.1:5000", mirrors: [], proxy: null };
    expect(gatedJob(job, build, null).limits).toStrictEqual({
      ...DEFAULT_LIMITS,
      processes: 1024,
      diskBytes: 10 * 1024 ** 3,
    });
    const set = { ...DEFAULT_LIMITS, processes: 64, diskBytes: 5 };
    expect(gatedJob({ ...job, limits: set }, build, null).limits).toStrictEqual(set);
  });
});

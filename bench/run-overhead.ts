import { randomBytes } from "node:crypto";
import { archiveOf } from "../src/executors/archive.ts";
import { DEFAULT_LIMITS, type Job } from "../src/domain/job.ts";
import { openLiveTestbed, type LiveTestbed } from "../test/live/live-testbed.ts";
import { inWords, ratioInWords, timed } from "./figures.ts";

const LONG_SECONDS = 60;
const LONG_RUNS = 3;
const TINY_RUNS = 10;

/**
 * A run by the executor against the same container started by hand over the engine's API: at a build of a minute
 * (target 1.02) and at one that does nothing, where the difference in milliseconds is what counts; quick is the latter.
 */
export async function benchRunOverhead(quick: boolean): Promise<void> {
  const live = await openLiveTestbed();
  const registry = await live.startRegistry("overhead");
  try {
    await pair(live, registry.host, "tiny", "RUN true", TINY_RUNS);
    if (!quick) await pair(live, registry.host, "a minute's", `RUN sleep ${LONG_SECONDS}`, LONG_RUNS);
  } finally {
    await registry.remove();
    await live.close();
  }
}

async function pair(
  live: LiveTestbed,
  host: string,
  name: string,
  instruction: string,
  runs: number,
): Promise<void> {
  const ours: number[] = [];
  const byHand: number[] = [];
  for (let run = 0; run < runs; run++) {
    const job = kanikoJob(live, host, instruction);
    ours.push(
      await timed(async () => {
        const { outcome, log } = await live.run(job);
        if (outcome !== "succeeded") throw new Error(log.map((entry) => entry.line).join("\n"));
      }),
    );
    byHand.push(await timed(() => runByHand(live, kanikoJob(live, host, instruction))));
  }
  console.log(inWords(`${name} build, by Tare`, ours));
  console.log(inWords(`${name} build, same container by hand`, byHand));
  console.log(ratioInWords(`${name} build`, ours, byHand));
  const overhead = ours.map((value, index) => value - (byHand[index] ?? 0));
  console.log(inWords(`${name} build, overhead`, overhead));
}

function kanikoJob(live: LiveTestbed, host: string, instruction: string): Job {
  const content = Buffer.from(`FROM docker.io/library/busybox:1.36\n${instruction}\n`);
  const base = live.baseHost;
  return {
    name: `bench-${randomBytes(4).toString("hex")}`,
    image: live.testbed.tools.builders.kaniko?.image ?? "",
    main: [
      "/kaniko/executor",
      "--dockerfile=/builds/x/Dockerfile",
      `--destination=${host}/bench/image:latest`,
      `--insecure-registry=${host}`,
      ...(base === null ? [] : [`--registry-map=index.docker.io=${base}`, `--insecure-registry=${base}`]),
    ],
    ready: null,
    commands: [],
    environment: {},
    workingDirectory: "/workspace",
    files: [{ kind: "file", path: "/builds/x/Dockerfile", content, executable: false }],
    volumes: ["/builds/x"],
    privileges: "none",
    limits: DEFAULT_LIMITS,
  };
}

/** What a person would do with the engine's API and nothing else: create, copy, start, wait, read the log, remove. */
async function runByHand(live: LiveTestbed, job: Job): Promise<void> {
  const container = await live.testbed.engine.docker.createContainer({
    Image: job.image,
    Entrypoint: job.main.slice(0, 1),
    Cmd: job.main.slice(1),
    Volumes: { "/builds/x": {} },
    HostConfig: { NetworkMode: "host", Memory: job.limits.memoryBytes, NanoCpus: job.limits.cpus * 1e9 },
  });
  await container.putArchive(await archiveOf(job.files), { path: "/" });
  await container.start();
  const { StatusCode } = (await container.wait()) as { StatusCode: number };
  await container.logs({ stdout: true, stderr: true, follow: false });
  await container.remove({ v: true });
  if (StatusCode !== 0) throw new Error(`the container by hand ended with ${StatusCode}`);
}

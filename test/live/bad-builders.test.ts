import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Outage } from "../../src/domain/problem.ts";
import type { RunReport } from "../../src/domain/report.ts";
import { summarizeRuns } from "../../src/trials/summarize.ts";
import type { TrialRecord } from "../../src/trials/run-trial.ts";
import { STRATEGIES } from "../contracts/strategies.ts";
import { hostileTrial, type Form, type HostileTrial } from "./hostile-builder.ts";
import { openLiveTestbed, registryDirectory, type LiveTestbed } from "./live-testbed.ts";
import { runLiveTrial } from "./live-trial.ts";

const MIB = 1024 ** 2;

let live: LiveTestbed;
let names: string[] = [];
beforeAll(async () => {
  live = await openLiveTestbed();
});
afterEach(async () => {
  // Whatever a builder does, its containers go with the trial.
  const left = await live.testbed.engine.docker.listContainers({ all: true });
  const own = left.flatMap(({ Names }) => Names).filter((one) => names.some((name) => one.includes(name)));
  names = [];
  if (own.length > 0) throw new Error(`${own.join(", ")} is still there`);
});
afterAll(async () => {
  await live.close();
});

function begun({ name, trial }: HostileTrial): Promise<TrialRecord> {
  names.push(name);
  return trial;
}

/** The one run of a trial as a report tells it. */
function reported(record: TrialRecord): RunReport {
  const [run] = summarizeRuns(["cold"], [record]);
  if (run === undefined) throw new Error("nothing was run");
  return run;
}

/** Processes of this machine whose command line is this. */
function processes(commandLine: string): string[] {
  return readdirSync("/proc").filter((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      return readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " ").trim() === commandLine;
    } catch {
      return false;
    }
  });
}

describe.each(["main", "command"] satisfies Form[])("a builder as a job's %s", (form) => {
  it("that hangs, and will not hear of an end, is ended at the limit with all that it started", async () => {
    const script =
      "trap '' TERM INT HUP; sleep 6123 & setsid sleep 6123 & echo begun; while :; do sleep 1; done";
    const begunMs = performance.now();
    const record = await begun(hostileTrial(live, script, { form, limits: { durationMs: 2_500 } }));
    expect(performance.now() - begunMs).toBeLessThan(20_000);
    expect(reported(record)).toMatchObject({
      outcome: "timed-out",
      failure: ["begun", "[tare: ended at its time limit of 2.5 s]"],
      ledgers: null,
    });
    expect(processes("sleep 6123")).toStrictEqual([]);
  });

  it("that floods its log is told by its last words; no more of it is held than it may say", async () => {
    // Everything at once would be 100 MB of text, and more as lines.
    const script =
      "yes $(head -c 750 /dev/zero | tr '\\0' x) | head -c 100000000; echo; echo 'the reason'; exit 3";
    const before = process.memoryUsage().rss;
    let most = before;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
    const record = await begun(hostileTrial(live, script, { form, limits: { logBytes: MIB } }));
    clearInterval(watch);
    expect(record.runs.map(({ result }) => result.outcome)).toStrictEqual(["failed"]);
    const log = record.runs[0]?.result.log ?? [];
    expect(log.reduce((sum, { line }) => sum + line.length + 1, 0)).toBeLessThan(1.1 * MIB);
    expect(log.filter(({ line }) => line.startsWith("[log cut"))).toHaveLength(1);
    expect(reported(record).failure).toContain("the reason");
    // Ten times as much would be held as lines; what comes and goes on the way is counted here, too.
    expect(most - before).toBeLessThan(300 * MIB);
  });
});

describe("a builder that ends without an error", () => {
  const NOTHING =
    /^\[tare: the builder ended without an error, and pushed no 127\.0\.0\.1:\d+\/group\/project\/image:latest\]$/;

  it("and pushed nothing has failed; the report says why", async () => {
    const run = reported(await begun(hostileTrial(live, "echo 'Successfully built'")));
    expect(run).toMatchObject({ outcome: "failed", ledgers: null, repositories: [] });
    expect(run.failure).toStrictEqual(["Successfully built", expect.stringMatching(NOTHING)]);
  });

  it.each([
    ["another tag", "group/project/image", "newest"],
    ["another repository", "group/project/other", "latest"],
  ])("and pushed %s than it said has failed", async (_, repository, tag) => {
    const script = `head -c 5000 /dev/urandom > /tmp/layer; push ${repository} ${tag} /tmp/layer`;
    const record = await begun(hostileTrial(live, script));
    expect(reported(record)).toMatchObject({ outcome: "failed", ledgers: null });
    expect(reported(record).failure?.slice(-4)).toStrictEqual([
      "HTTP/1.0 201 Created",
      "HTTP/1.0 201 Created",
      "HTTP/1.0 201 Created",
      expect.stringMatching(NOTHING),
    ]);
    expect(record.remarks).toStrictEqual(
      repository.endsWith("other")
        ? ["cold: the build pushed to group/project/other, which the recipe does not name."]
        : [],
    );
  });

  it("and pushed more than it said is charged with it, and the report says so", async () => {
    const script = `head -c 5000 /dev/urandom > /tmp/layer; push group/project/image latest /tmp/layer
      head -c 7000 /dev/urandom > /tmp/more; push group/project/other latest /tmp/more`;
    const record = await begun(hostileTrial(live, script));
    const run = reported(record);
    expect([run.outcome, run.hits, run.misses, run.ledgers?.namespace]).toStrictEqual([
      "succeeded",
      0,
      1,
      12_000,
    ]);
    expect(record.remarks).toStrictEqual([
      "cold: the build pushed to group/project/other, which the recipe does not name.",
    ]);
  });

  it("and pushed a manifest of layers that it did not push is refused by the registry, and has failed", async () => {
    const script = `echo '{}' > /tmp/config; head -c 5000 /dev/urandom > /tmp/layer
      write_manifest /tmp/config /tmp/layer > /tmp/manifest; manifest group/project/image latest /tmp/manifest`;
    const run = reported(await begun(hostileTrial(live, script)));
    expect(run.outcome).toBe("failed");
    expect(run.failure).toStrictEqual(["HTTP/1.0 400 Bad Request", expect.stringMatching(NOTHING)]);
  });
});

describe("a builder that takes what it may not have", () => {
  it("fails where it wants more processes than it may start", async () => {
    const script = "i=0; while [ $i -lt 100 ]; do sleep 6124 & i=$((i+1)); done; wait";
    const run = reported(await begun(hostileTrial(live, script, { limits: { processes: 16 } })));
    expect(run.outcome).toBe("failed");
    expect(run.failure?.join("\n")).toMatch(/can't fork|Resource temporarily unavailable/);
    expect(processes("sleep 6124")).toStrictEqual([]);
  });

  it("fails where it fills its disk", async () => {
    // /dev/shm stands in for it: 64 MB that are the container's own.
    const run = reported(await begun(hostileTrial(live, "dd if=/dev/zero of=/dev/shm/full bs=1M count=200")));
    expect(run.outcome).toBe("failed");
    expect(run.failure?.join("\n")).toContain("No space left on device");
  });
});

/** Makes one repository of a registry impossible to write to, and possible again: a file is in the place of its directory. */
function breaker(root: string, name: string): { fail(): void; mend(): void } {
  const path = join(root, "repositories/group/project", name);
  return {
    fail() {
      rmSync(path, { recursive: true, force: true });
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, "");
    },
    mend: () => rmSync(path),
  };
}

describe("a registry that answers with 500 in the middle", () => {
  it("is an Outage with its reason where the build fails by it", async () => {
    const script =
      "head -c 5000 /dev/urandom > /tmp/layer; push group/project/image latest /tmp/layer; exit 1";
    const trial = begun(
      hostileTrial(live, script, {
        async around(run, registry) {
          breaker(await registryDirectory(live.testbed, registry.host), "image").fail();
          return run();
        },
      }),
    );
    await expect(trial).rejects.toThrow(Outage);
    await expect(trial).rejects.toThrow(
      /^The trial's registry answered \d+ requests? of the cold run with an error: filesystem: .*not a directory\.$/,
    );
  });

  it("is a remark where the builder tries again and succeeds", async () => {
    const script = `head -c 5000 /dev/urandom > /tmp/layer
      until [ -n "$(location group/project/image)" ]; do sleep 0.2; done
      push group/project/image latest /tmp/layer`;
    const record = await begun(
      hostileTrial(live, script, {
        async around(run, registry) {
          const root = await registryDirectory(live.testbed, registry.host);
          const broken = breaker(root, "image");
          broken.fail();
          const running = run();
          await sleep(2_000);
          broken.mend();
          return running;
        },
      }),
    );
    expect(reported(record).outcome).toBe("succeeded");
    expect(record.remarks).toStrictEqual([
      expect.stringMatching(
        /^cold: the trial's registry answered \d+ requests? of the cold run with an error: filesystem: .*not a directory\. The build succeeded all the same; it may have stored less by it, or taken longer\.$/,
      ),
    ]);
  });

  it("is an Outage where it ends in the middle altogether", async () => {
    const script =
      "sleep 2; head -c 5000 /dev/urandom > /tmp/layer; push group/project/image latest /tmp/layer; exit 1";
    const hostile = hostileTrial(live, script, {
      async around(run) {
        const running = run();
        await sleep(1_000);
        const { docker } = live.testbed.engine;
        for (const { Id, Names } of await docker.listContainers())
          if (Names.some((name) => name.includes(hostile.name) && !name.endsWith("-cold")))
            await docker.getContainer(Id).kill();
        return running;
      },
    });
    const trial = begun(hostile);
    await expect(trial).rejects.toThrow(Outage);
    await expect(trial).rejects.toThrow(/^The registry does not answer: /);
  });

  it("is not what a builder met that broke off its own upload", async () => {
    const script = String.raw`path=$(location group/project/image)
      { printf 'PATCH %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000000\r\n\r\n' "$path" "$HOST"; head -c 300000 /dev/zero; sleep 1; } |
        timeout -s KILL 0.5 nc "${"$"}{HOST%:*}" "${"$"}{HOST#*:}"
      echo 'segmentation fault' >&2; exit 139`;
    const run = reported(await begun(hostileTrial(live, script)));
    expect(run.outcome).toBe("failed");
    expect(run.failure).toContain("segmentation fault");
  });

  describe("once kaniko has stored the first entry of its cache", () => {
    const dockerfile = [
      "FROM docker.io/library/busybox:1.36",
      "RUN head -c 1000000 /dev/urandom > /first",
      "RUN sleep 3; head -c 1000000 /dev/urandom > /second",
      "",
    ].join("\n");
    const sabotaged = (repository: string): LiveTestbed => ({
      ...live,
      async startRegistry(name) {
        const registry = await live.startRegistry(name);
        names.push(name);
        void failOnceFilled(await registryDirectory(live.testbed, registry.host), repository);
        return registry;
      },
    });
    const built = (repository: string) =>
      runLiveTrial(sabotaged(repository), STRATEGIES["kaniko/layers"], dockerfile, { scenarios: ["cold"] });

    it("is an Outage where kaniko cannot push the image", async () => {
      const trial = built("image");
      await expect(trial).rejects.toThrow(Outage);
      await expect(trial).rejects.toThrow("of the cold run with an error: filesystem: ");
    });

    it("is a remark where kaniko goes on without the rest of the cache", async () => {
      const { record } = await built("image-cache");
      expect(record.runs.map(({ result }) => result.outcome)).toStrictEqual(["succeeded"]);
      expect(record.remarks).toContainEqual(
        expect.stringMatching(/^cold: the trial's registry answered .*it may have stored less by it/),
      );
    });
  });
});

/** Breaks a repository once the first entry of a cache is stored. */
async function failOnceFilled(root: string, repository: string): Promise<void> {
  const entries = join(root, "repositories/group/project/image-cache/_manifests/tags");
  for (let tries = 0; tries < 600 && !existsSync(entries); tries++) await sleep(50);
  breaker(root, repository).fail();
}

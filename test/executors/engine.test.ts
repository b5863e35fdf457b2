import { Readable } from "node:stream";
import { extract } from "tar-stream";
import { afterEach, describe, expect, it } from "vitest";
import type { Job } from "../../src/domain/job.ts";
import { DEFAULT_LIMITS } from "../../src/domain/job.ts";
import { Outage, Problem } from "../../src/domain/problem.ts";
import { connectEngine } from "../../src/executors/engine-connection.ts";
import { createEngineExecutor, OWNER_LABEL } from "../../src/executors/engine.ts";
import { egressTo } from "../../src/network/egress.ts";
import { ownIdentity } from "../../src/lib/process-identity.ts";
import { startFakeEngine, type FakeEngine, type FakeEngineOptions } from "../fakes/engine.ts";

let engine: FakeEngine | null = null;

afterEach(async () => {
  await engine?.close();
  engine = null;
});

async function executor(options: FakeEngineOptions = {}) {
  engine = await startFakeEngine(options);
  const fake = engine;
  return { fake, executor: createEngineExecutor(await connectEngine(fake.address), "privileged") };
}

const never = new AbortController().signal;

function jobOf(more: Partial<Job> = {}): Job {
  return {
    name: "r1-cold",
    image: "kaniko:debug",
    main: ["/kaniko/executor", "--dockerfile=/x", "--cache=true"],
    ready: null,
    commands: [],
    environment: { FF_KANIKO_X: "1", EMPTY: "" },
    workingDirectory: "/workspace",
    files: [{ kind: "file", path: "/builds/x", content: Buffer.from("FROM scratch\n"), executable: false }],
    volumes: ["/builds"],
    privileges: "none",
    limits: DEFAULT_LIMITS,
    ...more,
  };
}

const daemonJob = (more: Partial<Job> = {}) =>
  jobOf({
    image: "docker:dind",
    main: ["dockerd"],
    ready: ["docker", "version"],
    privileges: "daemon",
    commands: [
      { phase: "build", argv: ["docker", "build", "."], workingDirectory: "/builds", mayFail: false },
      { phase: "push", argv: ["docker", "push", "x"], workingDirectory: "/builds", mayFail: false },
    ],
    ...more,
  });

describe("a job of code that is not trusted", () => {
  const gated = (more: Partial<Job> = {}) =>
    jobOf({ network: "gated", limits: { ...DEFAULT_LIMITS, diskBytes: 64 * 1024 ** 2 }, ...more });

  it("is refused where there is no gate, before anything is asked of the engine", async () => {
    const { fake, executor: runner } = await executor();
    const asked = fake.requests.length;
    await expect(runner.run(gated(), never)).rejects.toMatchObject({
      code: "gate-impossible",
      details: ["no gate was set up"],
    });
    expect(fake.requests.length).toBe(asked);
  });

  it("is refused with every reason at once", async () => {
    const { executor: runner } = await executor();
    const refused = runner.run(gated({ privileges: "daemon", limits: DEFAULT_LIMITS }), never);
    await expect(refused).rejects.toMatchObject({
      details: [
        "the job has no limit of its disk",
        expect.stringContaining("runs a daemon in the job"),
        "no gate was set up",
      ],
    });
  });

  it("is refused where the engine does not tell where its containers are", async () => {
    engine = await startFakeEngine();
    const gate = { egress: egressTo([]), holderImage: "registry:2" };
    const runner = createEngineExecutor(await connectEngine(engine.address), "privileged", gate);
    await expect(runner.run(gated(), never)).rejects.toMatchObject({
      details: expect.arrayContaining(["the engine does not tell where it keeps its containers"]) as string[],
    });
    expect(engine.containers).toStrictEqual([]);
  });
});

describe("a job whose main process is the build", () => {
  it("is one container with its limits, its files and no privileges", async () => {
    const { fake, executor: runner } = await executor({ onStart: (_, end) => end(0) });
    await runner.run(jobOf(), never);
    const [container] = fake.containers;
    expect(container?.asked).toStrictEqual({
      name: "tare-r1-cold",
      Image: "kaniko:debug",
      Entrypoint: ["/kaniko/executor"],
      Cmd: ["--dockerfile=/x", "--cache=true"],
      Env: ["FF_KANIKO_X=1", "EMPTY="],
      WorkingDir: "/workspace",
      Labels: { [OWNER_LABEL]: ownIdentity() },
      Volumes: { "/builds": {} },
      HostConfig: {
        NetworkMode: "host",
        Memory: 8_589_934_592,
        MemorySwap: 8_589_934_592,
        NanoCpus: 2_000_000_000,
        PidsLimit: 4096,
        LogConfig: { Type: "json-file", Config: { "max-size": "156250k", "max-file": "1" } },
      },
    });
    expect(await namesIn(container?.archives[0])).toStrictEqual(["builds", "builds/x"]);
    expect(container?.state).toBe("removed");
  });

  it("succeeds with the engine's times and the log's lines", async () => {
    const { executor: runner } = await executor({
      onStart: (container, end) => {
        container.log.push([2, "2026-11-24T00:00:11.25Z ", "Pushing image"]);
        end(0);
      },
    });
    expect(await runner.run(jobOf(), never)).toStrictEqual({
      outcome: "succeeded",
      commands: [{ phase: "build and push", startMs: 0, endMs: 2_500, exitCode: 0 }],
      log: [{ atMs: 1_250, stream: "stderr", line: "Pushing image" }],
      memoryPeakBytes: "unknown",
      anonymousPeakBytes: "unknown",
      memoryKills: 0,
      clock: "the engine's, from the start of the process to its end",
    });
  });

  it("fails where it ends with another code than 0", async () => {
    const { executor: runner } = await executor({ onStart: (_, end) => end(1) });
    const result = await runner.run(jobOf(), never);
    expect([result.outcome, result.commands[0]?.exitCode]).toStrictEqual(["failed", 1]);
  });

  it("is out of memory where the engine's flag or an event says so, whatever it ended with", async () => {
    const flagged = await executor({
      onStart: (container, end) => {
        container.oomKilled = true;
        end(137);
      },
    });
    const byFlag = await flagged.executor.run(jobOf(), never);
    expect([byFlag.outcome, byFlag.memoryKills]).toStrictEqual(["out-of-memory", 1]);
    await flagged.fake.close();
    const told = await executor({
      onStart: (container, end) => {
        engine?.oom(container);
        engine?.oom(container);
        setTimeout(() => end(1), 20);
      },
    });
    const byEvent = await told.executor.run(jobOf(), never);
    expect([byEvent.outcome, byEvent.memoryKills]).toStrictEqual(["out-of-memory", 2]);
  });

  it("is killed at its time limit", async () => {
    const { fake, executor: runner } = await executor();
    const result = await runner.run(jobOf({ limits: { ...DEFAULT_LIMITS, durationMs: 60 } }), never);
    expect(result.outcome).toBe("timed-out");
    expect(fake.containers[0]).toMatchObject({ killed: true, state: "removed" });
  });

  it("is killed and removed when somebody stops it", async () => {
    const controller = new AbortController();
    const { fake, executor: runner } = await executor({
      onStart: () => setTimeout(() => controller.abort(), 10),
    });
    const result = await runner.run(jobOf(), controller.signal);
    expect(result.outcome).toBe("canceled");
    expect(fake.containers[0]).toMatchObject({ killed: true, state: "removed" });
  });

  it("is not made where it was stopped before", async () => {
    const { fake, executor: runner } = await executor();
    await expect(runner.run(jobOf(), AbortSignal.abort(new Error("interrupted")))).rejects.toThrow(
      "interrupted",
    );
    expect(fake.containers).toStrictEqual([]);
  });

  it("ends as it ends where the engine breaks its log off", async () => {
    const { executor: runner } = await executor({
      breaksLogs: true,
      onStart: (_, end) => void setTimeout(end, 60, 0),
    });
    const { outcome, log } = await runner.run(jobOf(), never);
    expect(outcome).toBe("succeeded");
    expect(log.map(({ line }) => line)).toStrictEqual(["first words", "[log broken off: aborted]"]);
  });

  it("has its log cut at the limit", async () => {
    const { executor: runner } = await executor({
      onStart: (container, end) => {
        for (let index = 0; index < 5; index++)
          container.log.push([1, `2026-11-24T00:00:1${index}Z `, "123456789"]);
        container.log.push([2, "2026-11-24T00:00:15Z ", "killed"]);
        end(0);
      },
    });
    const { log } = await runner.run(jobOf({ limits: { ...DEFAULT_LIMITS, logBytes: 30 } }), never);
    expect(log.map(({ line }) => line)).toStrictEqual([
      "123456789",
      "123456789",
      "123456789",
      "[log cut at 30 bytes; only its last lines follow]",
      "123456789",
      "123456789",
      "killed",
    ]);
  });
});

describe("a job with a daemon", () => {
  it("is privileged, waits until it is ready, and times each command", async () => {
    let asked = 0;
    const { fake, executor: runner } = await executor({
      onExec: (_, argv) => {
        if (argv[1] === "version") return { exitCode: (asked += 1) < 3 ? 1 : 0 };
        return { exitCode: 0, stdout: `${argv[1]} says so\n`, stderr: "half" };
      },
    });
    const result = await runner.run(daemonJob(), never);
    expect(result.outcome).toBe("succeeded");
    expect(result.commands.map(({ phase, exitCode }) => [phase, exitCode])).toStrictEqual([
      ["build", 0],
      ["push", 0],
    ]);
    const [build, push] = result.commands;
    expect(build?.startMs).toBeLessThan(build?.endMs ?? 0);
    expect(push?.startMs).toBeGreaterThanOrEqual(build?.endMs ?? Infinity);
    expect(result.log.map(({ stream, line }) => [stream, line])).toStrictEqual([
      ["stdout", "build says so"],
      ["stderr", "half"],
      ["stdout", "push says so"],
      ["stderr", "half"],
    ]);
    expect(result.clock).toBe("Tare's own, from the start of the command to the end of its output");
    const [container] = fake.containers;
    expect(container?.asked.HostConfig?.["Privileged"]).toBe(true);
    expect(container?.execs.map((argv) => argv.join(" "))).toStrictEqual([
      "docker version",
      "docker version",
      "docker version",
      "docker build .",
      "docker push x",
    ]);
  });

  it("stops at the first command that fails", async () => {
    const { fake, executor: runner } = await executor({
      onExec: (_, argv) => ({ exitCode: argv[1] === "build" ? 17 : 0 }),
    });
    const result = await runner.run(daemonJob(), never);
    expect([result.outcome, result.commands.map(({ exitCode }) => exitCode)]).toStrictEqual(["failed", [17]]);
    expect(fake.containers[0]?.execs.at(-1)).toStrictEqual(["docker", "build", "."]);
  });

  it("ends a command that hangs at the time limit", async () => {
    const { fake, executor: runner } = await executor({
      onExec: (_, argv) => (argv[1] === "build" ? null : { exitCode: 0 }),
    });
    const result = await runner.run(daemonJob({ limits: { ...DEFAULT_LIMITS, durationMs: 300 } }), never);
    expect([result.outcome, result.commands.map(({ exitCode }) => exitCode)]).toStrictEqual([
      "timed-out",
      [137],
    ]);
    expect(fake.containers[0]).toMatchObject({ killed: true, state: "removed" });
  });

  it("goes on behind a command that may fail, and not behind the others", async () => {
    const step = (name: string, mayFail: boolean) => ({
      phase: "pull" as const,
      argv: ["docker", name],
      workingDirectory: "/builds",
      mayFail,
    });
    const { executor: runner } = await executor({
      onExec: (_, argv) => ({ exitCode: argv[1] === "version" || argv[1] === "good" ? 0 : 1 }),
    });
    const endsOf = async (...commands: Job["commands"]) => {
      const result = await runner.run(daemonJob({ commands }), never);
      return [result.outcome, result.commands.map(({ exitCode }) => exitCode)];
    };
    expect(await endsOf(step("pull", true), step("good", false))).toStrictEqual(["succeeded", [1, 0]]);
    expect(await endsOf(step("good", false), step("pull", true))).toStrictEqual(["succeeded", [0, 1]]);
    expect(await endsOf(step("pull", true), step("bad", false))).toStrictEqual(["failed", [1, 1]]);
  });

  it("is an Outage where the daemon ends, with its last words", async () => {
    const { fake, executor: runner } = await executor({
      onStart: (container, end) => {
        container.log.push([2, "2026-11-24T00:00:10Z ", "dockerd: no space left on device"]);
        end(1);
      },
    });
    await expect(runner.run(daemonJob(), never)).rejects.toThrow(
      new Outage(
        "The daemon of the job did not answer: dockerd: no space left on device",
        "Run `tare doctor`: it tells what this engine may do.",
      ),
    );
    expect(fake.containers[0]?.state).toBe("removed");
  });
});

describe("a job that mounts file systems", () => {
  it("gets CAP_SYS_ADMIN and no filters, and nothing else", async () => {
    const { fake, executor: runner } = await executor({ onStart: (_, end) => end(0) });
    await runner.run(jobOf(), never);
    await runner.run(jobOf({ privileges: "mounts" }), never);
    const [without, allowed] = fake.containers.map((container) => container.asked.HostConfig);
    expect(allowed).toStrictEqual({
      ...without,
      CapAdd: ["SYS_ADMIN"],
      SecurityOpt: ["seccomp=unconfined", "apparmor=unconfined"],
    });
  });
});

describe("an engine that refuses", () => {
  it("is a Problem where it has no such image", async () => {
    const { executor: runner } = await executor({ images: ["other"] });
    await expect(runner.run(jobOf(), never)).rejects.toMatchObject({
      code: "image-unavailable",
      message: "The engine has no image kaniko:debug.",
      remedy: "Run `tare setup`: it pulls or makes the images of builders and registry.",
    });
  });

  it("is a Problem where a job is to get more CPUs than it has, before anything is made", async () => {
    const { fake, executor: runner } = await executor();
    await expect(
      runner.run(jobOf({ limits: { ...DEFAULT_LIMITS, cpus: 4.5 } }), never),
    ).rejects.toMatchObject({
      code: "arguments",
      message: "A job is to get 4.5 CPUs; the container engine has 4 CPUs.",
    });
    expect(fake.containers).toStrictEqual([]);
  });

  it("is an Outage where a container cannot be started, and what was made is removed", async () => {
    const { fake, executor: runner } = await executor({
      refuse: (request) => (request.endsWith("/start") ? { status: 500, message: "no cgroups" } : null),
    });
    const running = runner.run(jobOf(), never);
    await expect(running).rejects.toThrow(Outage);
    await expect(running).rejects.toThrow(/^The engine could not start a container: .*no cgroups/);
    expect(fake.containers[0]?.state).toBe("removed");
  });
});

describe("podman", () => {
  it("is known by its components, and gets no log driver of docker's", async () => {
    const { fake, executor: runner } = await executor({ podman: true, onStart: (_, end) => end(0) });
    await runner.run(jobOf(), never);
    expect((await connectEngine(fake.address)).facts).toStrictEqual({
      name: "podman",
      version: "4.3.1",
      kernel: "6.1.0",
      cgroupDriver: "systemd",
      cgroupVersion: "2",
      cpus: 4,
      memoryBytes: 16_000_000_000,
      local: true,
      rootDirectory: null,
    });
    expect(fake.containers[0]?.asked.HostConfig).not.toHaveProperty("LogConfig");
  });
});

describe("the sweep", () => {
  it("removes what processes that are gone have left, and nothing else", async () => {
    const { fake, executor: runner } = await executor();
    await runner.service(serviceSpec("mine"));
    await runner.service(serviceSpec("other"));
    const [mine, other] = fake.containers;
    if (mine === undefined || other === undefined) throw new Error("no containers");
    const [host] = ownIdentity().split("/");
    other.asked.Labels = { [OWNER_LABEL]: `${host}/${2 ** 30}/77` };
    expect(await runner.sweep()).toBe(1);
    expect([mine.state, other.state]).toStrictEqual(["running", "removed"]);
    expect(await runner.sweep()).toBe(0);
  });
});

const serviceSpec = (name: string) => ({
  name,
  image: "registry",
  main: ["registry", "serve", "/etc/tare/registry.yml"],
  environment: { A: "1" },
  files: [
    { kind: "file" as const, path: "/etc/tare/registry.yml", content: Buffer.from("x"), executable: false },
  ],
  volumes: [
    { path: "/var/lib/registry", name: null },
    { path: "/cache", name: "kept" },
  ],
});

describe("a service", () => {
  it("is a container beside the jobs: started, asked, restarted and removed", async () => {
    const { fake, executor: runner } = await executor({
      onExec: (_, argv) =>
        argv[0] === "false"
          ? { exitCode: 3, stderr: "it is broken\n" }
          : { exitCode: 0, stdout: "out\n", stderr: "beside\n" },
    });
    const service = await runner.service(serviceSpec("registry"));
    const [container] = fake.containers;
    expect(container?.asked).toStrictEqual({
      name: "tare-registry",
      Image: "registry",
      Entrypoint: ["registry"],
      Cmd: ["serve", "/etc/tare/registry.yml"],
      Env: ["A=1"],
      Labels: { [OWNER_LABEL]: ownIdentity() },
      Volumes: { "/var/lib/registry": {} },
      HostConfig: { NetworkMode: "host", Binds: ["kept:/cache"] },
    });
    expect(await namesIn(container?.archives[0])).toStrictEqual(["etc", "etc/tare", "etc/tare/registry.yml"]);
    expect(await service.running()).toBe(true);
    expect(await service.exec(["find", "/"])).toBe("out\n");
    await expect(service.exec(["false"])).rejects.toThrow(
      new Outage("false failed in registry (3): it is broken", "Run it again."),
    );
    container?.log.push([1, "", "one"], [1, "", "two"]);
    expect(await service.output()).toStrictEqual(["one", "two"]);
    expect(await service.tail()).toStrictEqual(["one", "two"]);
    await service.restart();
    await service.remove();
    expect(container?.state).toBe("removed");
  });

  it("is an Outage where it cannot be started, and is removed", async () => {
    const { fake, executor: runner } = await executor({
      refuse: (request) => (request.endsWith("/start") ? { status: 500, message: "no cgroups" } : null),
    });
    await expect(runner.service(serviceSpec("registry"))).rejects.toThrow(
      /^The engine could not start registry: /,
    );
    expect(fake.containers[0]?.state).toBe("removed");
  });

  it("is a Problem where the engine has no such image", async () => {
    const { executor: runner } = await executor({ images: [] });
    await expect(runner.service(serviceSpec("registry"))).rejects.toThrow(Problem);
  });
});

async function namesIn(archive: Buffer | undefined): Promise<string[]> {
  const names: string[] = [];
  const reader = extract();
  Readable.from([archive ?? Buffer.alloc(0)]).pipe(reader);
  for await (const entry of reader) {
    names.push(entry.header.name);
    entry.resume();
  }
  return names;
}

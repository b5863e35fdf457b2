import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runByShell } from "../../bench/matrix-by-shell.ts";
import { writeShellPlan, type DoneRuns } from "../../bench/shell-plan.ts";
import { DEFAULT_LIMITS, type Job } from "../../src/domain/job.ts";
import type { EngineFacts } from "../../src/executors/engine-connection.ts";
import { ownIdentity } from "../../src/lib/process-identity.ts";

const FACTS: EngineFacts = {
  name: "docker",
  version: "28.2.2",
  kernel: "6.18",
  cgroupDriver: "cgroupfs",
  cgroupVersion: "2",
  cpus: 2,
  memoryBytes: 8e9,
  local: true,
  rootDirectory: null,
};

const WHOLE: Job = {
  name: "whole",
  image: "kaniko:1",
  main: ["/kaniko/executor", "--destination=127.0.0.1:4000/a:b", "it's\ntwo lines", "$HOME"],
  ready: null,
  commands: [],
  environment: { A: "b c" },
  workingDirectory: "/workspace",
  files: [
    {
      kind: "file",
      path: "/builds/x/Dockerfile",
      content: Buffer.from("FROM 127.0.0.1:4000/a\n"),
      executable: false,
    },
  ],
  volumes: ["/builds/x"],
  privileges: "none",
  limits: DEFAULT_LIMITS,
};

const WITH_DAEMON: Job = {
  ...WHOLE,
  name: "with-daemon",
  image: "docker:1",
  main: ["sh", "-c", "exec dockerd"],
  ready: ["docker", "version"],
  commands: [
    {
      phase: "pull",
      argv: ["docker", "pull", "127.0.0.1:4000/a"],
      workingDirectory: "/builds/x",
      mayFail: true,
    },
    { phase: "build", argv: ["docker", "build", "."], workingDirectory: "/builds/x", mayFail: false },
  ],
};

function runs(jobs: Job[]): DoneRuns {
  return {
    registry: {
      name: "r",
      image: "registry:2",
      main: ["registry", "serve", "/etc/tare/registry.yml"],
      environment: { OTEL_TRACES_EXPORTER: "none" },
      files: [
        {
          kind: "file",
          path: "/etc/tare/registry.yml",
          content: Buffer.from("addr: 127.0.0.1:4000\n"),
          executable: false,
        },
      ],
      volumes: [{ path: "/var/lib/registry", name: null }],
    },
    host: "127.0.0.1:4000",
    jobs,
  };
}

/** A docker that writes its words down, each between brackets, and knows containers by their image. */
const DOCKER = `#!/bin/sh
for word; do printf '[%s]' "$word"; done >>"$CALLS"
echo >>"$CALLS"
case $1 in
  create) for word; do case $word in *:[12]) echo "id-of-$word" | sed 's/:.*//' ;; esac; done ;;
  exec) case $* in *" pull "*) exit 1 ;; *" du "*) echo "11 blobs" ;; *) echo built ;; esac ;;
esac
`;

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tare-plan-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe("the plan of the shell loop", () => {
  it("asks for the container that the executor asks for, with the loop's own registry", () => {
    // How much of a log the engine keeps is the executor's business: podman is asked for nothing of it.
    writeShellPlan(directory, runs([WHOLE]), 5000, { ...FACTS, name: "podman" });
    expect(readFileSync(join(directory, "runs/1/create"), "utf8")).toBe(
      "'--name=tare-whole-loop' '--network=host' '--memory=8589934592' '--memory-swap=8589934592' '--cpus=2' '--pids-limit=4096' " +
        "'--env=A=b c' '--workdir=/workspace' '--volume=/builds/x' '--entrypoint=/kaniko/executor' 'kaniko:1' " +
        "'--destination=127.0.0.1:5000/a:b' 'it'\\''s\ntwo lines' '$HOME'",
    );
    const dockerfile = join(directory, "runs/1/files/builds/x/Dockerfile");
    expect(readFileSync(dockerfile, "utf8")).toBe("FROM 127.0.0.1:5000/a\n");
    expect(readFileSync(join(directory, "registry/files/etc/tare/registry.yml"), "utf8")).toBe(
      "addr: 127.0.0.1:5000\n",
    );
  });
});

describe("the loop", () => {
  it("makes each run in a container of its own, goes on behind a pull that fails, and takes all away", async () => {
    const registry = createServer((_, response) => response.end("{}"));
    const port = await new Promise<number>((resolve) => {
      registry.listen(0, "127.0.0.1", () => resolve((registry.address() as AddressInfo).port));
    });
    const docker = join(directory, "docker");
    writeFileSync(docker, DOCKER);
    chmodSync(docker, 0o755);
    const calls = join(directory, "calls");
    const engine = { address: "unix:///none", facts: FACTS };
    const plan = join(directory, "plan");
    process.env["CALLS"] = calls;
    try {
      const { phases, storedBytes } = await runByShell(
        plan,
        runs([WITH_DAEMON, WHOLE]),
        port,
        engine,
        docker,
      );
      expect(storedBytes).toStrictEqual([11_264, 11_264]);
      expect(Object.keys(phases)).toStrictEqual([
        "shell",
        "registry start",
        "create",
        "files",
        "start, build and push",
        "daemon ready",
        "remove",
        "size",
        "registry removal",
      ]);
    } finally {
      delete process.env["CALLS"];
      registry.close();
    }
    const lines = readFileSync(calls, "utf8").split("\n");
    const label = `[--label][dev.tare.owner=${ownIdentity()}]`;
    const created = lines.filter((line) => line.startsWith("[create]"));
    expect(created.map((line) => line.split("[--network=host]")[0])).toStrictEqual([
      `[create]${label}`,
      `[create]${label}[--name=tare-with-daemon-loop]`,
      `[create]${label}[--name=tare-whole-loop]`,
    ]);
    const said = lines.filter((line) => line.startsWith("[") && !line.startsWith("[create]"));
    expect(said).toStrictEqual([
      `[cp][${plan}/registry/files/.][id-of-registry:/]`,
      "[start][id-of-registry]",
      `[cp][${plan}/runs/1/files/.][id-of-docker:/]`,
      "[start][id-of-docker]",
      "[exec][id-of-docker][docker][version]",
      `[exec][--workdir][/builds/x][id-of-docker][docker][pull][127.0.0.1:${port}/a]`,
      "[exec][--workdir][/builds/x][id-of-docker][docker][build][.]",
      "[rm][--force][--volumes][id-of-docker]",
      "[exec][id-of-registry][du][-sk][/var/lib/registry/docker/registry/v2/blobs]",
      `[cp][${plan}/runs/2/files/.][id-of-kaniko:/]`,
      "[start][--attach][id-of-kaniko]",
      "[rm][--force][--volumes][id-of-kaniko]",
      "[exec][id-of-registry][du][-sk][/var/lib/registry/docker/registry/v2/blobs]",
      "[rm][--force][--volumes][id-of-registry]",
    ]);
  });
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Problem } from "../../src/domain/problem.ts";
import { connectEngine, engineAddress, engineSockets } from "../../src/executors/engine-connection.ts";
import { startFakeEngine } from "../fakes/engine.ts";

let directory = "";

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "connection-"));
});

afterEach(() => rm(directory, { recursive: true }));

async function problemOf(address: string): Promise<Problem> {
  const error = await connectEngine(address).catch((reason: unknown) => reason);
  if (error instanceof Problem) return error;
  throw new Error("no problem", { cause: error });
}

describe("connecting to an engine", () => {
  it("tells what it is", async () => {
    const fake = await startFakeEngine();
    const { facts, address } = await connectEngine(fake.address);
    expect(address).toBe(fake.address);
    expect(facts).toMatchObject({
      name: "docker",
      version: "29.1.0",
      kernel: "6.1.0",
      cgroupDriver: "systemd",
      cgroupVersion: "2",
      cpus: 4,
      local: true,
    });
    await fake.close();
  });

  it("by TCP sees none of its processes", async () => {
    const server = createServer((request, response) => {
      response.setHeader("content-type", "application/json");
      const version = request.url?.endsWith("/version") === true;
      response.end(version ? '{"Version":"29.1.0"}' : '{"KernelVersion":"6.1.0","NCPU":2,"MemTotal":5}');
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    const { facts } = await connectEngine(`tcp://127.0.0.1:${port}`);
    expect(facts).toMatchObject({
      name: "docker",
      local: false,
      cgroupDriver: "unknown",
      cgroupVersion: "1",
    });
    server.closeAllConnections();
    server.close();
  });

  it("is a Problem where nothing is there, or nothing listens", async () => {
    await writeFile(join(directory, "stale.sock"), "");
    for (const name of ["none.sock", "stale.sock"]) {
      const address = `unix://${join(directory, name)}`;
      const problem = await problemOf(address);
      expect(problem.code).toBe("engine-missing");
      expect(problem.message).toBe(`No container engine answers at ${address}.`);
      expect(problem.remedy).toBe("Start Docker or Podman, or set DOCKER_HOST to one that runs.");
    }
    expect((await problemOf("tcp://127.0.0.1:1")).code).toBe("engine-missing");
  });

  it("is a Problem where DOCKER_HOST is no address", async () => {
    expect((await problemOf("nonsense")).code).toBe("configuration");
  });
});

describe("the address of an engine", () => {
  it("is DOCKER_HOST where it is set", () => {
    expect(engineAddress({ DOCKER_HOST: "tcp://docker:2375" })).toBe("tcp://docker:2375");
  });

  it("is the first socket that is there", async () => {
    const environment = { DOCKER_HOST: "", XDG_RUNTIME_DIR: directory };
    expect(engineSockets(environment)).toStrictEqual([
      "/var/run/docker.sock",
      `${directory}/docker.sock`,
      `${directory}/podman/podman.sock`,
      "/run/podman/podman.sock",
    ]);
    expect(engineSockets({})).toStrictEqual(["/var/run/docker.sock", "/run/podman/podman.sock"]);
    await writeFile(join(directory, "docker.sock"), "");
    const found = engineAddress(environment);
    expect([`unix:///var/run/docker.sock`, `unix://${directory}/docker.sock`]).toContain(found);
  });
});

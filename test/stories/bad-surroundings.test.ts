import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampleRepository, type SampleRepository } from "../git/sample-repository.ts";
import { EXAMPLE_MAIL, exampleFiles } from "./projects.ts";
import { NO_ENGINE, playTare, type Played, type PlayOptions } from "./tare-process.ts";

/** Another user than root, who may open anything. */
const NOBODY = 65_534;

let example: SampleRepository;

beforeAll(async () => {
  example = await sampleRepository([await exampleFiles()]);
  await chmod(example.directory, 0o755);
});

afterAll(async () => {
  await example[Symbol.asyncDispose]();
});

const trial = (options: PlayOptions = {}, ...more: string[]): Promise<Played> =>
  playTare(["trial", "--trust", "--patch", EXAMPLE_MAIL, "--repo", example.directory, ...more], options);

const engine = (address: string): PlayOptions => ({ environment: { DOCKER_HOST: address } });

const mistake = (...lines: string[]): Played => ({
  code: 2,
  stdout: "",
  stderr: `${lines.join("\n")}\n`,
  left: [],
});

/** Listens at a path, or at a free port; `address` is what DOCKER_HOST would name. */
async function listen(server: Server, path?: string): Promise<{ address: string } & AsyncDisposable> {
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, "127.0.0.1", resolve);
    else server.listen(path, resolve);
  });
  const bound = server.address() as AddressInfo | string;
  return {
    address: typeof bound === "string" ? `unix://${bound}` : `tcp://127.0.0.1:${bound.port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

describe("an engine", () => {
  it("that is missing is named, with what to do", async () => {
    expect(await trial()).toStrictEqual(
      mistake(
        `No container engine answers at ${NO_ENGINE}.`,
        "Start Docker or Podman, or set DOCKER_HOST to one that runs.",
        "",
        "  connect ENOENT /nonexistent/engine.sock",
      ),
    );
  });

  it("that may not be used is told from a missing one", async () => {
    const directory = await mkdtemp(join(tmpdir(), "engine-"));
    const path = join(directory, "e.sock");
    try {
      await using door = await listen(createServer(), path);
      await chmod(path, 0o000);
      await chmod(directory, 0o755);
      // Whoever is not root is kept out of his own socket as well.
      const asOther = process.getuid?.() === 0 ? { uid: NOBODY } : {};
      expect(await trial({ ...engine(door.address), ...asOther })).toStrictEqual(
        mistake(
          `The container engine at unix://${path} may not be used by this user.`,
          "Run as a user of the group that owns the socket, or set DOCKER_HOST to an engine of your own.",
          "",
          `  connect EACCES ${path}`,
        ),
      );
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("that answers with errors is an outage, not a mistake", async () => {
    const server = createHttpServer((_request, response) => {
      response.writeHead(500, { "content-type": "application/json" }).end('{"message":"disk on fire"}');
    });
    await using door = await listen(server);
    expect(await trial(engine(door.address))).toStrictEqual({
      code: 3,
      stdout: "",
      stderr: [
        `tare: The container engine at ${door.address} answers with an error: (HTTP code 500) server error - disk on fire`,
        "  Look at the engine's log, restart it, or set DOCKER_HOST to another one.",
        "",
      ].join("\n"),
      left: [],
    });
  });

  it.each(["garbage", "ssh://root@example.org"])("cannot be at %s", async (address) => {
    expect(await trial(engine(address))).toStrictEqual(
      mistake(
        `${address} is not the address of a container engine that Tare can talk to.`,
        "Set DOCKER_HOST to unix:///path/to/socket or tcp://host:port.",
      ),
    );
  });
});

describe("a repository", () => {
  it("that is not there is named", async () => {
    expect(await playTare(["trial", "--repo", "/nonexistent"])).toStrictEqual(
      mistake(
        "/nonexistent is not a git repository that can be read.",
        "Name the directory of a checkout or of a bare clone with --repo; `git clone` makes one.",
        "",
        "  fatal: cannot change to '/nonexistent': No such file or directory",
      ),
    );
  });

  it("without the revision says so", async () => {
    const said = mistake(
      `${example.directory} has no revision "v9.9".`,
      "Name a commit, a tag or a branch that this repository holds, or fetch it first with `git fetch`.",
    );
    expect(await playTare(["recipes", "--rev", "v9.9", "--repo", example.directory])).toStrictEqual(said);
    expect(await trial({}, "--base", "v9.9")).toStrictEqual(said);
  });
});

describe("an answer", () => {
  it("that cannot be written is refused before anything is built", async () => {
    expect(await trial({}, "--out", "/nonexistent/answer.txt")).toStrictEqual(
      mistake(
        "The answer cannot be written to /nonexistent/answer.txt.",
        "Name a file in a directory that is there and may be written to.",
        "",
        "  ENOENT: no such file or directory, access '/nonexistent'",
      ),
    );
  });
});

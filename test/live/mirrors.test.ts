import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builders } from "../../src/builders/index.ts";
import { DEFAULT_LIMITS, type JobResult, type Service } from "../../src/domain/job.ts";
import type { Mirror } from "../../src/domain/mirror.ts";
import { BUILDERS, type BuilderId } from "../../src/domain/recipe.ts";
import { askVersion } from "../../src/images/ask-version.ts";
import { pullBase, serveBase } from "../../src/images/bases.ts";
import { finished } from "../../src/images/import-image.ts";
import { namedTool } from "../../src/images/named.ts";
import { run } from "../../src/lib/spawn.ts";
import { reportSchema } from "../../src/reports/report-schema.ts";
import { startRegistry, type TrialRegistry } from "../../src/registry/trial-registry.ts";
import { STRATEGIES } from "../contracts/strategies.ts";
import { EXAMPLE_PATCH, MAIN, makeExampleRepository } from "./example-repository.ts";
import { openLiveTestbed, type LiveTestbed } from "./live-testbed.ts";

const DIRECTORY = "/builds/group/project";

let live: LiveTestbed;
/** A second registry with the base image, under a name that no Dockerfile has. */
let mirror: TrialRegistry;
let service: Service;
let target: TrialRegistry;
/** The mirror as it is reached from outside: on loopback docker and BuildKit take HTTP without being told. */
const front = createServer();
const hostOf = (server: Server) => `${outward()}:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  live = await openLiveTestbed();
  const { executor, tools, engine } = live.testbed;
  mirror = await startRegistry({
    name: `live-mirror-${randomBytes(3).toString("hex")}`,
    image: tools.registry.image,
    volume: null,
    startService: async (spec) => (service = await executor.service(spec)),
  });
  await serveBase(engine.docker, live.base, mirror.host);
  target = await live.startRegistry("live-mirrored");
  front.on("connection", (socket) => {
    const [host, port] = mirror.host.split(":");
    const behind = connect(Number(port), host);
    for (const end of [socket, behind])
      end.on("error", () => void [socket, behind].map((each) => each.destroy()));
    socket.pipe(behind).pipe(socket);
  });
  front.listen(0, outward());
  await once(front, "listening");
});

afterAll(async () => {
  front.close();
  await mirror?.remove();
  await target?.remove();
  await live?.close();
});

/** What the mirror was asked for and answered with 200, by its own access log. */
const answered = async () => (await service.output()).filter((line) => / HTTP\/1\.1" 200 /.test(line));

async function coldBuild(builder: BuilderId, from: string, mirrors: Mirror[]): Promise<JobResult> {
  const strategy = `${builder}/none` as keyof typeof STRATEGIES;
  const recipe = STRATEGIES[builder === "buildkit" ? "buildkit/inline" : strategy];
  const dockerfile = Buffer.from(`FROM ${from}\nRUN echo mirrored > /said\n`);
  const { job } = builders[builder].job({
    name: `live-mirror-${builder}-${randomBytes(3).toString("hex")}`,
    recipe,
    images: [`${target.host}/app:latest`],
    cacheFrom: [],
    cacheTo: [],
    pulls: [],
    files: [{ kind: "file", path: `${DIRECTORY}/Dockerfile`, content: dockerfile, executable: false }],
    projectDirectory: DIRECTORY,
    dockerfile: `${DIRECTORY}/Dockerfile`,
    context: DIRECTORY,
    registryHost: target.host,
    credentials: null,
    mirrors,
    proxy: null,
    image: live.testbed.tools.builders[builder]?.image ?? "",
    limits: { ...DEFAULT_LIMITS, durationMs: 120_000 },
  });
  return live.run(job);
}

/** An address of this machine that is not loopback. */
function outward(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  const outside = addresses.find(({ family, internal }) => family === "IPv4" && !internal);
  if (outside === undefined) throw new Error("this machine has no address but loopback");
  return outside.address;
}

/** The digest that a tag of the mirror names. */
async function digestOf(name: string, tag: string): Promise<string> {
  const types = ["docker.distribution.manifest.v2", "oci.image.manifest.v1"];
  const accept = types.map((type) => `application/vnd.${type}+json`).join(",");
  const response = await fetch(`http://${mirror.host}/v2/${name}/manifests/${tag}`, { headers: { accept } });
  return response.headers.get("docker-content-digest") ?? "";
}

/** Puts an image of the engine into the mirror's registry, and its new name off the engine again. */
async function publish(name: string, image: string): Promise<{ repo: string; digest: string }> {
  const { docker } = live.testbed.engine;
  const [repo, tag] = [`${mirror.host}/tools/${name}`, "1"];
  await docker.getImage(image).tag({ repo, tag });
  const pushed = docker.getImage(`${repo}:${tag}`);
  const authconfig = { username: "", password: "", serveraddress: mirror.host };
  await finished(docker, await pushed.push({ authconfig }));
  await pushed.remove({ noprune: true });
  return { repo, digest: await digestOf(`tools/${name}`, tag) };
}

const CASES = BUILDERS.flatMap((builder) =>
  // dockerd has mirrors for docker.io alone.
  (builder === "docker" ? ["docker.io"] : ["docker.io", "quay.io"]).map((registry) => ({
    builder,
    registry,
  })),
);

describe("a mirror of the operator", () => {
  it.each(CASES)("is where $builder pulls a base image of $registry", async ({ builder, registry }) => {
    const before = (await answered()).length;
    const mirrors = [
      { registry, host: hostOf(front), insecure: true },
      { registry: "registry.invalid", host: "mirror.invalid", insecure: false },
    ];
    const { outcome, log } = await coldBuild(builder, `${registry}/library/busybox:1.36`, mirrors);
    expect({ outcome, said: outcome === "succeeded" ? [] : log.map(({ line }) => line) }).toStrictEqual({
      outcome: "succeeded",
      said: [],
    });
    const asked = (await answered()).slice(before).join("\n");
    expect(asked).toMatch(/"GET \/v2\/library\/busybox\/manifests\//);
    expect(asked).toMatch(/"GET \/v2\/library\/busybox\/blobs\/sha256:/);
  });

  it.each(BUILDERS)("is asked over TLS by %s where it is not said to be insecure", async (builder) => {
    const firstBytes: (number | undefined)[] = [];
    const deaf = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", (chunk) => {
        firstBytes.push(chunk[0]);
        socket.destroy();
      });
    });
    deaf.listen(0, outward());
    await once(deaf, "listening");
    try {
      const host = hostOf(deaf);
      // A name that no registry has: what becomes of the build does not depend on who is in reach.
      const from = "docker.io/library/tare-no-such-image:1";
      const { outcome } = await coldBuild(builder, from, [{ registry: "docker.io", host, insecure: false }]);
      expect(outcome).toBe("failed");
      // 22 is a handshake of TLS.
      expect(firstBytes[0]).toBe(22);
    } finally {
      deaf.close();
    }
  });

  it("is where the engine pulls a base image, so that its digest and layers are known", async () => {
    const before = (await answered()).length;
    const mirrors = [{ registry: "docker.io", host: mirror.host, insecure: true }];
    const { docker } = live.testbed.engine;
    const base = await pullBase(docker, "docker.io/library/busybox:1.36", mirrors);
    const image = `${mirror.host}/library/busybox:1.36`;
    expect(base).toMatchObject({ image, mirror: mirror.host, diffIds: live.base.diffIds });
    expect(base.digest).toBe(await digestOf("library/busybox", "1.36"));
    expect((await answered()).slice(before).join("\n")).toContain("/v2/library/busybox/manifests/1.36");
    await docker.getImage(image).remove({ noprune: true });
  });
});

describe("an image that the operator names", () => {
  it.each([...BUILDERS, "registry"] as const)("of %s says its version in a container", async (tool) => {
    const { tools, executor } = live.testbed;
    const made = tool === "registry" ? tools.registry : tools.builders[tool];
    const { version } = await askVersion(executor, tool, made?.image ?? "");
    expect(version).toBe(made?.version);
  });

  it("is pulled by its digest from where it is, and is what it was", async () => {
    const { tools, engine, executor } = live.testbed;
    const { repo, digest } = await publish("registry", tools.registry.image);
    const named = await namedTool(engine.docker, executor, "registry", `${repo}:1@${digest}`);
    expect(named).toStrictEqual({
      image: `${repo}@${digest}`,
      version: tools.registry.version,
      digest,
      origin: "named by the operator",
    });
    expect((await answered()).join("\n")).toContain(`/v2/tools/registry/manifests/${digest} `);
    await engine.docker.getImage(named.image).remove({ noprune: true });
  });
});

describe("tare trial with an operator's file", () => {
  it("builds with his images on his mirror, and the report says so", async () => {
    const { tools, engine } = live.testbed;
    const { repo, digest } = await publish("kaniko", tools.builders.kaniko?.image ?? "");
    const directory = mkdtempSync(join(tmpdir(), "tare-operator-"));
    const example = makeExampleRepository();
    const [config, file] = [join(directory, "tare.yml"), join(directory, "report.json")];
    writeFileSync(
      config,
      `builders: {kaniko: "${repo}@${digest}"}\nmirrors: {docker.io: {host: "${mirror.host}", insecure: true}}\n`,
    );
    try {
      const before = (await answered()).length;
      const argv = ["--config", config, "--repo", example.directory, "--patch", EXAMPLE_PATCH, "--trust"];
      const more = ["--repeats", "1", "--edit", "last", "--yes", "--report", file, "--fail-on", "never"];
      const { exitCode, stderr } = await run(process.execPath, [MAIN, "trial", ...argv, ...more]);
      expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toStrictEqual({ exitCode: 0, stderr: "" });
      const report = reportSchema.parse(JSON.parse(readFileSync(file, "utf8")));
      expect(report.images[0]?.bases).toStrictEqual([
        {
          name: "docker.io/library/busybox:1.36",
          digest: await digestOf("library/busybox", "1.36"),
          from: `pulled through ${mirror.host}`,
        },
      ]);
      const parts = Object.fromEntries(report.parts.map(({ part, origin }) => [part, origin]));
      expect(parts).toMatchObject({ kaniko: "named by the operator", registry: tools.registry.origin });
      const asked = (await answered())
        .slice(before)
        .filter((line) => line.includes("/library/busybox/blobs/"));
      // A fresh runner for each run: cold, warm and edit of both sides pull the base each by itself.
      expect(asked.length).toBeGreaterThanOrEqual(6);
    } finally {
      example.remove();
      rmSync(directory, { recursive: true });
      await engine.docker.getImage(`${repo}@${digest}`).remove({ noprune: true });
      await engine.docker.getImage(`${mirror.host}/library/busybox:1.36`).remove({ noprune: true });
    }
  });
});

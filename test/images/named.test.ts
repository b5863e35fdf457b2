import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VERSION_LABEL } from "../../src/images/import-image.ts";
import { MAKERS } from "../../src/images/packages.ts";
import { PINS, pulledBy } from "../../src/images/pins.ts";
import { openTestbed, type TestbedOptions } from "../../src/images/testbed.ts";
import { startFakeEngine, type FakeEngine } from "../fakes/engine.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const image = (name: string) => `registry.example.org/tools/${name}@${DIGEST}`;

let fake: FakeEngine;
let directory = "";
/** Why the engine does not start a container; null: it does. */
let noStart: string | null = null;
/** What the program of each image prints, and how it ends. */
let words: Record<string, [lines: string[], exitCode: number]>;
const asked: string[][] = [];

beforeEach(async () => {
  words = {};
  asked.length = 0;
  noStart = null;
  fake = await startFakeEngine({
    refuse: (request) =>
      noStart !== null && request.endsWith("/start") ? { status: 400, message: noStart } : null,
    onStart(container, end) {
      const { Image, Entrypoint, Cmd } = container.asked as Record<string, unknown>;
      asked.push([Entrypoint, Cmd].flat() as string[]);
      const [lines, exitCode] = words[String(Image)] ?? [[], 1];
      for (const line of lines) container.log.push([1, "2026-11-24T00:00:11Z ", line]);
      end(exitCode);
    },
  });
  directory = await mkdtemp(join(tmpdir(), "named-"));
});

afterEach(async () => {
  await fake.close();
  await rm(directory, { recursive: true });
});

function offer(name: string, lines: string[], exitCode = 0): string {
  fake.images.pullable.set(image(name), { layers: [] });
  words[image(name)] = [lines, exitCode];
  return image(name);
}

const open = (options: Partial<TestbedOptions>, source?: string) =>
  openTestbed({
    cacheDirectory: directory,
    environment: { DOCKER_HOST: fake.address, ...(source === undefined ? {} : { TARE_IMAGES: source }) },
    dialogue: { say: () => {}, ask: async () => false },
    archivedKaniko: false,
    builders: [],
    ...options,
  });

describe("an image that the operator names", () => {
  it.each([
    ["docker", ["Docker version 29.1.3, build 29.1.3-0"], "29.1.3", ["dockerd", "--version"]],
    ["docker", ["Docker version 30.0.0-rc.2, build abcdef0"], "30.0.0-rc.2", ["dockerd", "--version"]],
    ["docker", ["Docker version 26.1.5+dfsg1, build a72d7cd"], "26.1.5", ["dockerd", "--version"]],
    [
      "buildkit",
      ["buildkitd github.com/moby/buildkit v0.32.2 28a8987"],
      "v0.32.2",
      ["buildkitd", "--version"],
    ],
    ["kaniko", ["Kaniko version :  v1.24.0"], "v1.24.0", ["/kaniko/executor", "version"]],
    [
      "buildah",
      ["buildah version 1.39.3 (image-spec 1.1.0, runtime-spec 1.2.0)"],
      "1.39.3",
      ["buildah", "--version"],
    ],
  ] as const)(
    "stands in place of %s and is asked for its version: %j",
    async (tool, lines, version, argv) => {
      fake.images.pullable.set(pulledBy("registry"), { layers: [] });
      const name = offer(tool, [...lines]);
      const { tools } = await open({ builders: [tool], named: { [tool]: name } });
      expect(tools.builders).toStrictEqual({
        [tool]: { image: name, version, digest: DIGEST, origin: "named by the operator" },
      });
      expect(fake.images.done).toStrictEqual([`pull ${pulledBy("registry")}`, `pull ${name}`]);
      expect(asked).toStrictEqual([argv]);
    },
  );

  it("is pulled without the tag that stands beside its digest, and once", async () => {
    fake.images.held.set(pulledBy("registry"), { layers: [] });
    const name = offer("docker", ["Docker version 29.1.3"]);
    const named = { docker: name.replace("@", ":29@") };
    expect((await open({ builders: ["docker"], named })).tools.builders.docker?.image).toBe(name);
    await open({ builders: ["docker"], named });
    expect(fake.images.done).toStrictEqual([`pull ${name}`]);
  });

  it("is not pulled for a trial that needs another builder", async () => {
    for (const pin of ["registry", "kaniko"] as const) fake.images.held.set(pulledBy(pin), { layers: [] });
    const { tools } = await open({ builders: ["kaniko"], named: { docker: image("docker") } });
    expect(Object.keys(tools.builders)).toStrictEqual(["kaniko"]);
    expect(fake.images.done).toStrictEqual([]);
  });

  it("stands beside images made from packages: only the others are made", async () => {
    const made = MAKERS.buildkit.image;
    fake.images.held.set(made, { layers: [], labels: { [VERSION_LABEL]: "v0.32.2" } });
    const registry = offer("registry", ["registry github.com/distribution/distribution/v3 v3.0.0"]);
    const docker = offer("docker", ["Docker version 29.1.3"]);
    const named = { registry, docker };
    const { tools } = await open({ builders: ["docker", "buildkit"], named }, "packages");
    expect(tools).toMatchObject({
      registry: { image: registry, version: "v3.0.0", origin: "named by the operator" },
      builders: { docker: { version: "29.1.3" }, buildkit: { image: made, origin: "made from packages" } },
      ownBases: true,
    });
    expect(fake.images.done).toStrictEqual([`pull ${registry}`, `pull ${docker}`]);
    expect(asked[0]).toStrictEqual(["registry", "--version"]);
  });

  it("stands beside official images, and a registry of one's own leaves none to be pulled", async () => {
    fake.images.pullable.set(pulledBy("docker"), { layers: [] });
    const registry = offer("registry", ["registry github.com/docker/distribution v2.8.3"]);
    const { tools } = await open({ builders: ["docker"], named: { registry } }, "official");
    expect(tools).toMatchObject({
      registry: { version: "v2.8.3" },
      builders: { docker: { version: PINS.docker.version, origin: "official image" } },
      ownBases: false,
    });
    expect(fake.images.done).toStrictEqual([`pull ${pulledBy("docker")}`, `pull ${registry}`]);
  });

  it("is a Problem where it cannot be pulled", async () => {
    fake.images.pullable.set(pulledBy("registry"), { layers: [] });
    await expect(open({ builders: ["docker"], named: { docker: image("docker") } })).rejects.toMatchObject({
      code: "image-unavailable",
      message: `The image ${image("docker")}, which the operator names for docker, cannot be pulled.`,
      remedy: "Correct or take out builders.docker in the operator's file.",
      details: [`manifest for ${image("docker")} not found`],
    });
  });

  it.each([
    ["prints something else", ["hello"], 0],
    ["prints nothing", [], 0],
    ["fails", ["no such option in 1.2.3"], 2],
  ])("is a Problem where its program %s", async (_, lines, exitCode) => {
    fake.images.pullable.set(pulledBy("registry"), { layers: [] });
    const docker = offer("docker", lines, exitCode);
    await expect(open({ builders: ["docker"], named: { docker } })).rejects.toMatchObject({
      code: "image-unavailable",
      message: `The image ${docker}, which the operator names for docker, prints no version.`,
      details: lines,
    });
    expect(fake.containers.map(({ state }) => state)).toStrictEqual(["removed"]);
  });

  it("is a Problem where its program is not in it", async () => {
    fake.images.pullable.set(pulledBy("registry"), { layers: [] });
    noStart = "dockerd: executable file not found in $PATH";
    await expect(
      open({ builders: ["docker"], named: { docker: offer("docker", []) } }),
    ).rejects.toMatchObject({
      code: "image-unavailable",
      details: [expect.stringContaining("executable file not found in $PATH")],
    });
  });

  it("is left out with its reason where the builder is only wanted where it can be had", async () => {
    fake.images.pullable.set(pulledBy("registry"), { layers: [] });
    const { tools, missing } = await open({ others: ["docker"], named: { docker: image("docker") } });
    expect(tools.builders).toStrictEqual({});
    expect(missing).toStrictEqual([
      {
        builder: "docker",
        why: `The image ${image("docker")}, which the operator names for docker, cannot be pulled.`,
        remedy: "Correct or take out builders.docker in the operator's file.",
      },
    ]);
  });
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Outage, Problem } from "../../src/domain/problem.ts";
import { connectEngine, type Engine } from "../../src/executors/engine-connection.ts";
import { makeBase, pullBase, serveBase } from "../../src/images/bases.ts";
import { importDirectory, madeVersion, VERSION_LABEL } from "../../src/images/import-image.ts";
import { pullOfficial } from "../../src/images/official.ts";
import { makeTool, MAKERS } from "../../src/images/packages.ts";
import { PINS, pulledBy } from "../../src/images/pins.ts";
import { openTestbed } from "../../src/images/testbed.ts";
import { startFakeEngine, type FakeEngine } from "../fakes/engine.ts";

let fake: FakeEngine;
let engine: Engine;
let directory = "";

beforeEach(async () => {
  fake = await startFakeEngine();
  engine = await connectEngine(fake.address);
  directory = await mkdtemp(join(tmpdir(), "images-"));
});

afterEach(async () => {
  await fake.close();
  await rm(directory, { recursive: true });
});

const said: string[] = [];
const dialogue = { say: (line: string) => void said.push(line), ask: async () => false };

const WITH_REGISTRY = { archivedKaniko: false, registry: true };
const OFFICIAL = ["docker", "buildkit", "kaniko", "kaniko-archived", "registry"] as const;

function offerOfficial(): void {
  for (const pin of OFFICIAL) fake.images.pullable.set(pulledBy(pin), { layers: [] });
}

/** Images that set-up made before, as this version of Tare names them. */
function holdMade(...names: (keyof typeof MAKERS)[]): void {
  for (const name of names) {
    fake.images.held.set(MAKERS[name].image, { layers: [], labels: { [VERSION_LABEL]: `1.0-${name}` } });
  }
}

const made = (name: keyof typeof MAKERS) => ({
  image: MAKERS[name].image,
  version: `1.0-${name}`,
  digest: null,
  origin: "made from packages",
});

describe("official images", () => {
  it("are pulled by digest where they are not there yet, and only those that are asked for", async () => {
    offerOfficial();
    fake.images.held.set(pulledBy("registry"), { layers: [] });
    const tools = await pullOfficial(engine.docker, ["docker", "buildkit"], WITH_REGISTRY);
    expect(tools).toStrictEqual({
      registry: official("registry"),
      builders: { docker: official("docker"), buildkit: official("buildkit") },
      refused: {},
    });
    expect(fake.images.done).toStrictEqual([`pull ${pulledBy("docker")}`, `pull ${pulledBy("buildkit")}`]);
  });

  it("are the archived original of kaniko where the template names it", async () => {
    offerOfficial();
    expect(
      await pullOfficial(engine.docker, ["kaniko"], { archivedKaniko: true, registry: true }),
    ).toMatchObject({
      builders: { kaniko: official("kaniko-archived") },
    });
  });

  it("do not include buildah's: nothing is pulled for it and the reason is handed back", async () => {
    offerOfficial();
    const tools = await pullOfficial(engine.docker, ["buildah"], WITH_REGISTRY);
    expect(tools).toStrictEqual({
      registry: official("registry"),
      builders: {},
      refused: { buildah: "no digest of buildah's official image is known" },
    });
    expect(fake.images.done).toStrictEqual([`pull ${pulledBy("registry")}`]);
  });

  it("are refused one by one where a registry does not answer: the others are pulled", async () => {
    offerOfficial();
    fake.images.pullable.delete(pulledBy("buildkit"));
    expect(await pullOfficial(engine.docker, ["buildkit", "docker"], WITH_REGISTRY)).toStrictEqual({
      registry: official("registry"),
      builders: { docker: official("docker") },
      refused: { buildkit: `manifest for ${pulledBy("buildkit")} not found` },
    });
  });

  it("cannot be had where the engine cannot pull: the reason is handed back", async () => {
    expect(await pullOfficial(engine.docker, ["docker"], WITH_REGISTRY)).toStrictEqual({
      why: `manifest for ${pulledBy("registry")} not found`,
    });
  });
});

function official(pin: keyof typeof PINS) {
  const { digest, version } = PINS[pin];
  return { image: pulledBy(pin), version, digest, origin: "official image" };
}

describe("an image of a builder", () => {
  it("is not made again where the engine has it: its label tells the version", async () => {
    holdMade("buildkit");
    const options = { cacheDirectory: directory, dialogue };
    expect(await makeTool(engine.docker, "buildkit", options)).toStrictEqual(made("buildkit"));
    expect(fake.images.done).toStrictEqual([]);
  });

  it("has a name of its own, with a number that goes up where the recipe changes", () => {
    const names = Object.values(MAKERS).map((maker) => maker.image);
    expect(new Set(names).size).toBe(5);
    for (const name of names) expect(name).toMatch(/^localhost\/tare\/[a-z]+:(?:[a-z0-9.]+-)?\d+$/);
  });
});

describe("the testbed", () => {
  type Asked = Pick<Parameters<typeof openTestbed>[0], "builders" | "others">;
  const open = (environment: NodeJS.ProcessEnv, asked: Asked = { builders: ["docker"] }) =>
    openTestbed({
      cacheDirectory: directory,
      environment: { DOCKER_HOST: fake.address, ...environment },
      dialogue,
      archivedKaniko: false,
      ...asked,
    });

  it("is the engine that runs, with official images, swept; closing it leaves the engine alone", async () => {
    offerOfficial();
    const testbed = await open({});
    expect(testbed.privateEngine).toBe(false);
    expect(testbed.tools).toStrictEqual({
      registry: official("registry"),
      builders: { docker: official("docker") },
      ownBases: false,
    });
    expect(testbed.missing).toStrictEqual([]);
    expect(testbed.cacheDirectory).toBe(directory);
    expect(testbed.engine.address).toBe(fake.address);
    expect(fake.requests.at(-1)).toBe("GET /containers/json");
    await testbed.close();
    expect((await connectEngine(fake.address)).facts.cpus).toBe(4);
  });

  it("pulls a builder once that is asked for twice", async () => {
    offerOfficial();
    await open({}, { builders: ["kaniko"], others: ["kaniko", "docker"] });
    expect(fake.images.done).toStrictEqual(
      (["registry", "kaniko", "docker"] as const).map((pin) => `pull ${pulledBy(pin)}`),
    );
  });

  it("has buildah made from packages beside official images, and says so", async () => {
    offerOfficial();
    holdMade("buildah");
    said.length = 0;
    const { tools, missing } = await open({}, { builders: ["docker", "buildah"] });
    expect(tools).toStrictEqual({
      registry: official("registry"),
      builders: { docker: official("docker"), buildah: made("buildah") },
      ownBases: false,
    });
    expect(missing).toStrictEqual([]);
    expect(said).toStrictEqual([
      "buildah is made from packages: no digest of buildah's official image is known.",
    ]);
  });

  it("leaves out a builder that is only wanted where it can be had, with the reason", async () => {
    offerOfficial();
    const asked: Asked = { builders: ["docker"], others: ["buildah", "kaniko"] };
    const { tools, missing } = await open({ TARE_IMAGES: "official" }, asked);
    expect(Object.keys(tools.builders)).toStrictEqual(["docker", "kaniko"]);
    expect(missing).toStrictEqual([
      {
        builder: "buildah",
        why: "The official image of buildah cannot be used: no digest of buildah's official image is known.",
        remedy: "Unset TARE_IMAGES: it is then made from packages.",
      },
    ]);
  });

  it("is a Problem where a builder must be had and cannot", async () => {
    offerOfficial();
    await expect(open({ TARE_IMAGES: "official" }, { builders: ["buildah"] })).rejects.toMatchObject({
      code: "image-unavailable",
      message:
        "The official image of buildah cannot be used: no digest of buildah's official image is known.",
    });
  });

  it("is a Problem where official images are asked for and cannot be pulled", async () => {
    const opening = open({ TARE_IMAGES: "official" });
    await expect(opening).rejects.toThrow(Problem);
    await expect(opening).rejects.toMatchObject({
      code: "image-unavailable",
      details: [`manifest for ${pulledBy("registry")} not found`],
    });
  });
});

describe("a base image", () => {
  it("is pulled with its digest and its layers", async () => {
    fake.images.pullable.set("debian:12", { layers: ["sha256:a", "sha256:b"], digests: ["debian@sha256:d"] });
    expect(await pullBase(engine.docker, "debian:12")).toStrictEqual({
      name: "debian:12",
      image: "debian:12",
      digest: "sha256:d",
      diffIds: ["sha256:a", "sha256:b"],
      madeHere: false,
      mirror: null,
    });
  });

  describe("of a registry with a mirror", () => {
    const mirrors = [{ registry: "docker.io", host: "mirror.example.org:5000", insecure: true }];
    const image = "mirror.example.org:5000/library/debian:12";

    it("is pulled by the mirror's name, and nothing is asked of the registry", async () => {
      const digests = ["mirror.example.org:5000/library/debian@sha256:d"];
      fake.images.pullable.set(image, { layers: ["sha256:a"], digests });
      expect(await pullBase(engine.docker, "debian:12", mirrors)).toStrictEqual({
        name: "debian:12",
        image,
        mirror: "mirror.example.org:5000",
        digest: "sha256:d",
        diffIds: ["sha256:a"],
        madeHere: false,
      });
      expect(fake.images.done).toStrictEqual([`pull ${image}`]);
    });

    it("keeps the digest that a Dockerfile names", async () => {
      const digest = `sha256:${"d".repeat(64)}`;
      const pinned = `mirror.example.org:5000/library/debian@${digest}`;
      fake.images.pullable.set(pinned, { layers: ["sha256:a"], digests: [pinned] });
      const base = await pullBase(engine.docker, `docker.io/library/debian:12@${digest}`, mirrors);
      expect(base).toMatchObject({ image: pinned, digest });
    });

    it("comes from the registry itself where the mirror does not have it", async () => {
      fake.images.pullable.set("debian:12", { layers: ["sha256:a"] });
      expect(await pullBase(engine.docker, "debian:12", mirrors)).toMatchObject({
        image: "debian:12",
        mirror: null,
      });
      expect(fake.images.done).toStrictEqual([`pull ${image}`, "pull debian:12"]);
    });

    it("is a Problem where neither has it, with what both said", async () => {
      await expect(pullBase(engine.docker, "debian:12", mirrors)).rejects.toMatchObject({
        code: "base-image-missing",
        details: [
          `mirror.example.org:5000: manifest for ${image} not found`,
          "manifest for debian:12 not found",
        ],
      });
    });

    it("is told from one of another registry", async () => {
      fake.images.pullable.set("quay.io/x/y:1", { layers: [] });
      expect(await pullBase(engine.docker, "quay.io/x/y:1", mirrors)).toMatchObject({ mirror: null });
      expect(fake.images.done).toStrictEqual(["pull quay.io/x/y:1"]);
    });
  });

  it("is a Problem where it cannot be pulled, with the engine's words", async () => {
    await expect(pullBase(engine.docker, "debian:99")).rejects.toMatchObject({
      code: "base-image-missing",
      message: "The base image debian:99 cannot be pulled.",
      details: ["manifest for debian:99 not found"],
    });
  });

  it("is not made again where the engine has it", async () => {
    const image = "localhost/tare/base-debian-bookworm:2";
    fake.images.held.set(image, { layers: ["sha256:a"], labels: { [VERSION_LABEL]: "1" } });
    expect(
      await makeBase(engine.docker, "docker.io/library/debian:12-slim", dialogue, directory),
    ).toStrictEqual({
      name: "docker.io/library/debian:12-slim",
      image,
      digest: null,
      diffIds: ["sha256:a"],
      madeHere: true,
      mirror: null,
    });
    expect(fake.images.done).toStrictEqual([]);
  });

  it("is a Problem where no package makes it", async () => {
    await expect(makeBase(engine.docker, "fedora:40", dialogue, directory)).rejects.toMatchObject({
      code: "base-image-missing",
      message:
        "The base image fedora:40 cannot be had: no public registry is in reach, and no package makes it.",
    });
  });

  it("is served under the name that a Dockerfile uses, and its own name is taken off the engine again", async () => {
    fake.images.held.set("localhost/tare/base:1", { layers: ["sha256:a"] });
    const base = {
      name: "debian:12-slim",
      image: "localhost/tare/base:1",
      digest: null,
      diffIds: ["sha256:a"],
      madeHere: true,
      mirror: null,
    };
    expect(await serveBase(engine.docker, base, "127.0.0.1:5001")).toBe("sha256:pushed");
    expect(fake.images.done).toStrictEqual([
      "tag localhost/tare/base:1 127.0.0.1:5001/library/debian:12-slim",
      "push 127.0.0.1:5001/library/debian:12-slim",
      "remove 127.0.0.1:5001/library/debian:12-slim",
    ]);
    fake.images.pushFails = "http: server gave HTTP response to HTTPS client";
    await expect(serveBase(engine.docker, base, "127.0.0.1:5001")).rejects.toThrow(Outage);
    expect([...fake.images.held.keys()]).toStrictEqual(["localhost/tare/base:1"]);
  });
});

describe("an image that is made from a directory", () => {
  it("carries its label and can be asked for its version", async () => {
    await writeFile(join(directory, "file"), "content");
    expect(await madeVersion(engine.docker, "localhost/tare/x:1")).toBeNull();
    await importDirectory(engine.docker, directory, "localhost/tare/x:1", [
      'CMD ["sh"]',
      `LABEL ${VERSION_LABEL}=7`,
    ]);
    expect(await madeVersion(engine.docker, "localhost/tare/x:1")).toBe("7");
  });

  it("has no version where another program made it", async () => {
    fake.images.held.set("localhost/tare/x:1", { layers: [] });
    expect(await madeVersion(engine.docker, "localhost/tare/x:1")).toBe("");
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectEngine } from "../../src/executors/engine-connection.ts";
import { MAKERS } from "../../src/images/packages.ts";
import { pulledBy } from "../../src/images/pins.ts";
import { builderFinding, type EngineSeen } from "../../src/terminal/builder-finding.ts";
import { startFakeEngine, type FakeEngine } from "../fakes/engine.ts";

const NOTHING = { named: undefined, source: undefined };

let fake: FakeEngine;
let running: EngineSeen;

beforeEach(async () => {
  fake = await startFakeEngine();
  running = { kind: "running", engine: await connectEngine(fake.address) };
});

afterEach(() => fake.close());

const hold = (name: string) => fake.images.held.set(name, { layers: [] });

describe("a builder, as tare doctor finds it,", () => {
  it("is usable where its image is on the engine: the operator's, the official or the one that was made", async () => {
    hold("registry.example.org/kaniko:1");
    hold(pulledBy("kaniko-archived"));
    hold(MAKERS.buildah.image);
    const named = { named: "registry.example.org/kaniko:1", source: undefined };
    expect([
      await builderFinding("kaniko", running, named),
      await builderFinding("kaniko", running, NOTHING),
      await builderFinding("buildah", running, NOTHING),
    ]).toStrictEqual([
      { what: "kaniko", state: "usable", detail: "the operator's registry.example.org/kaniko:1" },
      { what: "kaniko", state: "usable", detail: "official image v1.24.0, pulled" },
      { what: "buildah", state: "usable", detail: `made from packages: ${MAKERS.buildah.image}` },
    ]);
  });

  it("is had on first use where the engine has no image of it that may be taken, and nothing is pulled to know", async () => {
    hold(MAKERS.docker.image);
    const official = { named: undefined, source: "official" };
    const named = { named: "registry.example.org/docker:1", source: undefined };
    expect([
      await builderFinding("docker", running, official),
      await builderFinding("docker", running, named),
    ]).toStrictEqual([
      { what: "docker", state: "on first use", detail: expect.stringMatching(/^official image [\d.]+$/u) },
      {
        what: "docker",
        state: "on first use",
        detail: "the operator's registry.example.org/docker:1, where the engine can pull it",
      },
    ]);
    expect(fake.images.done).toStrictEqual([]);
  });

  it("cannot be had where only official images may be used and none of it is pinned", async () => {
    hold(MAKERS.buildah.image);
    expect(await builderFinding("buildah", running, { named: undefined, source: "official" })).toStrictEqual({
      what: "buildah",
      state: "not usable",
      detail: "no digest of its official image is known, and TARE_IMAGES allows no other",
      remedy: "Unset TARE_IMAGES.",
    });
  });

  it("is not usable without an engine, whoever names its image", async () => {
    const named = { named: "registry.example.org/docker:1", source: undefined };
    expect(await builderFinding("docker", { kind: "none" }, named)).toStrictEqual({
      what: "docker",
      state: "not usable",
      detail: "there is no engine that it could run on",
    });
  });
});

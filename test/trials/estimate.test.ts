import { describe, expect, it } from "vitest";
import {
  coldRunMs,
  estimateTrial,
  guessImage,
  trialMs,
  type ImageEstimate,
  type SideShape,
  type TrialShape,
} from "../../src/trials/estimate.ts";

const SIDE: SideShape = { builder: "docker", repeats: 3, edits: 2, forks: 0, prerequisitesMs: 0 };
const SHAPE: TrialShape = [SIDE, { ...SIDE, builder: "kaniko", repeats: 1 }];

describe("a guess from a Dockerfile", () => {
  it("counts the packages that it names, over continued lines and several installers", () => {
    const guess = guessImage(
      [
        "FROM debian:12",
        "RUN apt-get update && \\",
        "    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends gcc make \\",
        "      libc6-dev && apt-get clean",
        "RUN dnf install -y git; true",
        "",
      ].join("\n"),
    );
    expect(guess).toStrictEqual({
      coldMs: 1_000 + 2 * 500 + 4 * 1_300,
      warmMs: null,
      editMs: null,
      bytes: 70_000_000,
      basis: "a rule of thumb",
    });
  });

  it("takes words of other commands for no packages", () => {
    expect(guessImage("FROM x\nRUN echo install me\n").bytes).toBe(30_000_000);
  });
});

describe("the time of a trial", () => {
  const image: ImageEstimate = {
    coldMs: 10_000,
    warmMs: 2_000,
    editMs: 5_000,
    bytes: 1,
    basis: "measured before",
  };

  it("is cold, warm and edits of every side and repeat, with what a run and a registry take beside them", () => {
    const builds = 10_000 + 2_000 + 2 * 5_000;
    expect(trialMs(image, [SIDE])).toBe(3 * (700 + 4 * 2_700 + builds));
    expect(trialMs(image, [{ ...SIDE, builder: "kaniko", repeats: 1 }])).toBe(700 + 4 * 1_300 + builds);
    expect(trialMs(image, [{ ...SIDE, edits: 0 }])).toBe(3 * (700 + 2 * 2_700 + 12_000));
    expect(trialMs(image, SHAPE)).toBe(100_500 + 27_900);
  });

  it("takes parts of the cold build for what was not measured, and one more that fills the cache for a guess", () => {
    const cold: ImageEstimate = { ...image, warmMs: null, editMs: null };
    // 1 + 0.4 + 1 + 0.6 cold builds.
    expect(trialMs(cold, [{ ...SIDE, repeats: 1 }])).toBe(700 + 4 * 2_700 + 30_000);
    expect(trialMs({ ...cold, basis: "a rule of thumb" }, [{ ...SIDE, repeats: 1 }])).toBe(51_500);
  });

  it("has two pipelines of each fork once, and builds what the image starts from in every registry", () => {
    expect(trialMs(image, [{ ...SIDE, forks: 1 }])).toBe(100_500 + 2 * (2_700 + 5_000));
    expect(trialMs(image, [{ ...SIDE, forks: 2 }])).toBe(100_500 + 4 * (2_700 + 5_000));
    expect(trialMs(image, [{ ...SIDE, forks: 1, prerequisitesMs: 1_000 }])).toBe(100_500 + 15_400 + 4_000);
    expect(coldRunMs(image, "buildah")).toBe(12_700);
  });

  it("says what it rests on", () => {
    const guess = guessImage("FROM x\n");
    expect(estimateTrial([{ estimate: image, shape: SHAPE }])).toStrictEqual({
      wallMs: 128_400,
      bytes: 1,
      basis: "earlier trials on this machine",
    });
    expect(estimateTrial([{ estimate: guess, shape: SHAPE }]).basis).toBe(
      "a rule of thumb: 10 MB and 1.3 s for each package that the Dockerfile names",
    );
    expect(estimateTrial([image, guess].map((estimate) => ({ estimate, shape: SHAPE }))).basis).toBe(
      "earlier trials on this machine, and a rule of thumb for 1 of 2 images",
    );
  });
});

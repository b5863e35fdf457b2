import { describe, expect, it } from "vitest";
import { estimateTrial, guessImage, trialMs, type ImageEstimate } from "../../src/trials/estimate.ts";

const SHAPE = { repeats: 3, otherRepeats: 1, others: 2, edits: 2, forks: 0 };

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
      coldMs: 3_000 + 2 * 1_500 + 4 * 1_300,
      bytes: 70_000_000,
      basis: "a rule of thumb",
    });
  });

  it("takes words of other commands for no packages", () => {
    expect(guessImage("FROM x\nRUN echo install me\n").bytes).toBe(30_000_000);
  });
});

describe("the time of a trial", () => {
  const image: ImageEstimate = { coldMs: 100_000, bytes: 1, basis: "measured before" };

  it("is cold, warm and edits of every side and repeat, and the build that fills the download cache", () => {
    // Eight trials of 0.4 + 1 + 1 + 0.6 cold builds, and one more.
    expect(trialMs(image, SHAPE)).toBe(2_500_000);
    expect(trialMs(image, { ...SHAPE, others: 0, edits: 0 })).toBe(940_000);
  });

  it("has two pipelines of a fork more for each strategy, where there is an edit", () => {
    // Four strategies, each with two builds of 0.6.
    expect(trialMs(image, { ...SHAPE, forks: 1 })).toBe(2_500_000 + 480_000);
    expect(trialMs(image, { ...SHAPE, forks: 2 })).toBe(2_500_000 + 960_000);
    expect(trialMs(image, { ...SHAPE, others: 0, edits: 0, forks: 2 })).toBe(940_000);
  });

  it("says what it rests on", () => {
    const guess = guessImage("FROM x\n");
    expect(estimateTrial([{ estimate: image, shape: SHAPE }])).toStrictEqual({
      wallMs: 2_500_000,
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

import type { Estimate } from "../domain/report.ts";

/** What one image is expected to take: a cold build with its push in milliseconds, and bytes in the registry. */
export type ImageEstimate = { coldMs: number; bytes: number; basis: "measured before" | "a rule of thumb" };

/**
 * Rule of thumb from one image of 150 packages on 2 CPUs (1,486 MB, 209 s with docker 26.1.5): nothing better is known
 * of an image that was never built here.
 */
const PER_PACKAGE = { bytes: 10_000_000, durationMs: 1_300 };
const BASE_BYTES = 30_000_000;
const PER_RUN_MS = 1_500;
const START_MS = 3_000;

/** Parts of a cold build that other scenarios take. */
const SHARE = { warm: 0.4, "first edit": 1, "later edit": 0.6 } as const;

const INSTALL =
  /\b(?:apt-get|apt|dnf|yum|microdnf|zypper|apk|pacman)\b[^&;|]*?\b(?:install|add|-S)\b([^&;|]*)/g;

/** A guess from a Dockerfile's text alone. */
export function guessImage(dockerfile: string): ImageEstimate {
  const text = dockerfile.replaceAll(/\\\r?\n/g, " ");
  const packages = [...text.matchAll(INSTALL)]
    .flatMap(([, words = ""]) => words.split(/\s+/))
    .filter((word) => /^[a-z0-9][\w.+:-]*$/i.test(word)).length;
  const runs = (text.match(/^\s*RUN\b/gim) ?? []).length;
  return {
    coldMs: START_MS + runs * PER_RUN_MS + packages * PER_PACKAGE.durationMs,
    bytes: BASE_BYTES + packages * PER_PACKAGE.bytes,
    basis: "a rule of thumb",
  };
}

/** How often and how a trial runs its images. `edits` per image; `forks` per strategy, each of two pipelines. */
export type TrialShape = {
  repeats: number;
  otherRepeats: number;
  others: number;
  edits: number;
  forks: number;
};

/** Milliseconds that one image takes with all its strategies and repeats. */
export function trialMs(image: ImageEstimate, shape: TrialShape): number {
  const once = SHARE.warm + 1 + (shape.edits > 0 ? SHARE["first edit"] : 0);
  const factor = once + Math.max(0, shape.edits - 1) * SHARE["later edit"];
  const trials = 2 * shape.repeats + shape.others * shape.otherRepeats;
  const forkFactor = shape.edits > 0 ? shape.forks * 2 * SHARE["later edit"] * (2 + shape.others) : 0;
  // Each image's first build fills the download cache.
  return Math.round(image.coldMs * (factor * trials + forkFactor + 1));
}

/** Time and bytes of a whole trial. */
export function estimateTrial(images: readonly { estimate: ImageEstimate; shape: TrialShape }[]): Estimate {
  const guessed = images.filter(({ estimate }) => estimate.basis === "a rule of thumb").length;
  const basis =
    guessed === 0
      ? "earlier trials on this machine"
      : guessed === images.length
        ? "a rule of thumb: 10 MB and 1.3 s for each package that the Dockerfile names"
        : `earlier trials on this machine, and a rule of thumb for ${guessed} of ${images.length} images`;
  return {
    wallMs: images.reduce((sum, { estimate, shape }) => sum + trialMs(estimate, shape), 0),
    bytes: images.reduce((sum, { estimate }) => sum + estimate.bytes, 0),
    basis,
  };
}

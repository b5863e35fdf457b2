import type { BuilderId } from "../domain/recipe.ts";
import type { Estimate } from "../domain/report.ts";
import { FORK_PIPELINES } from "./trial-spec.ts";

/**
 * What one image is expected to take: builds with their pushes in milliseconds, the mean of its strategies, and bytes in
 * the registry. `warmMs` and `editMs` are null where they were never measured.
 */
export type ImageEstimate = {
  coldMs: number;
  warmMs: number | null;
  editMs: number | null;
  bytes: number;
  basis: "measured before" | "a rule of thumb";
};

/**
 * Rule of thumb from one image of 150 packages on 2 CPUs (1,486 MB, 209 s with docker 26.1.5): nothing better is known
 * of an image that was never built here.
 */
const PER_PACKAGE = { bytes: 10_000_000, durationMs: 1_300 };
const BASE_BYTES = 30_000_000;
const PER_RUN_MS = 500;
const START_MS = 1_000;

/** What a run takes beside its build, measured: the container and its daemon, roll-back and snapshot of the registry. */
const AROUND_RUN_MS: Record<BuilderId, number> = {
  docker: 2_700,
  buildkit: 2_700,
  kaniko: 1_300,
  buildah: 2_700,
};

/** A registry's start and end, measured; each repeat of a strategy has its own. */
const REGISTRY_MS = 700;

/** Parts of a cold build that other scenarios take where nothing was measured. */
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
    warmMs: null,
    editMs: null,
    bytes: BASE_BYTES + packages * PER_PACKAGE.bytes,
    basis: "a rule of thumb",
  };
}

/** How often one strategy builds an image. */
export type SideShape = {
  builder: BuilderId;
  repeats: number;
  edits: number;
  /** Forks that are tried, each with two pipelines. */
  forks: number;
  /** Milliseconds of the images that this one starts from and that are built before it. */
  prerequisitesMs: number;
};

/** All strategies of one image. */
export type TrialShape = readonly SideShape[];

/** Milliseconds that one image takes with all its strategies and repeats. */
export function trialMs(image: ImageEstimate, shape: TrialShape): number {
  const sidesMs = shape.reduce((sum, side) => sum + sideMs(image, side), 0);
  // The first builds of an image that was never built here fill the download cache.
  const fillMs = image.basis === "a rule of thumb" ? image.coldMs : 0;
  return Math.round(sidesMs + fillMs);
}

function sideMs(image: ImageEstimate, side: SideShape): number {
  const { coldMs, warmMs, editMs } = image;
  const { builder, repeats, edits, forks, prerequisitesMs } = side;
  const laterMs = editMs ?? coldMs * SHARE["later edit"];
  const editsMs =
    edits === 0 ? 0 : (editMs ?? coldMs * SHARE["first edit"]) + Math.max(0, edits - 1) * laterMs;
  const runs = 2 + edits;
  const repeatMs =
    REGISTRY_MS +
    prerequisitesMs +
    runs * AROUND_RUN_MS[builder] +
    coldMs +
    (warmMs ?? coldMs * SHARE.warm) +
    editsMs;
  const forkMs = prerequisitesMs + FORK_PIPELINES * (AROUND_RUN_MS[builder] + laterMs);
  return repeats * repeatMs + forks * forkMs;
}

/** Milliseconds of one cold build alone, with what surrounds it. */
export function coldRunMs({ coldMs }: ImageEstimate, builder: BuilderId): number {
  return AROUND_RUN_MS[builder] + coldMs;
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

import { placeOfImage } from "./places.ts";
import { isFloating, jobImages } from "./recipe-flags.ts";
import type { Check } from "./types.ts";
import { splitReference } from "../domain/image-reference.ts";

const VARIABLE_PREFIX = /^\$\{?CI_DEPENDENCY_PROXY_\w+\}?\//;

/** Images of builders, and what has changed between versions that one tag stood for. */
const BUILDER_IMAGES: readonly { repository: RegExp; changes: string; why: string }[] = [
  {
    repository: /^(?:(?:index\.)?docker\.io\/)?(?:library\/)?docker$/,
    changes: "Docker 23 changed who builds, Docker 29 changed which caches it can export",
    why: "Moby's release notes of 23.0: docker build is BuildKit's from there on. docs.docker.com/engine/storage/containerd: a fresh Engine 29 keeps its images in containerd, which can export more than an inline cache.",
  },
  {
    repository: /^(?:(?:index\.)?docker\.io\/)?moby\/buildkit$/,
    changes: "BuildKit 0.21 changed the manifest of a registry cache",
    why: "BuildKit's README, Registry cache: image-manifest is true by default since v0.21.",
  },
  {
    repository: /^quay\.io\/(?:buildah|containers|podman)\/(?:stable|testing|upstream|buildah|podman)$/,
    changes: "buildah's --cache-to and --cache-from came with 1.27 and changed with 1.29 and 1.44",
    why: "CHANGELOG of containers/buildah: v1.27.0, v1.29.0, v1.44.0.",
  },
  {
    repository: /^(?:ghcr\.io\/osscontainertools|(?:docker\.io\/)?martizih)\/kaniko$/,
    changes: "a new version may compute other cache keys, and then misses everything once",
    why: "README of osscontainertools/kaniko, feature flags: several change the cache keys and are on by default from v1.29.0.",
  },
];

/**
 * An image of a builder whose tag names no version. Docker's own regimes: builds are BuildKit's since Engine 23 (Moby's
 * release notes of v23.0.0), images are kept in containerd on fresh installs since Engine 29 (docs.docker.com/engine/storage/containerd).
 */
export const floatingBuilderImage: Check = {
  id: "floating-builder-image",
  remarks: (reading) =>
    reading.pairs.flatMap(({ base, head }) => {
      const before = jobImages(base);
      const images = new Set(jobImages(head).filter((image) => !before.includes(image) && isFloating(image)));
      return [...images].flatMap((image) => {
        const { repository } = splitReference(image.replace(VARIABLE_PREFIX, ""));
        const builder = BUILDER_IMAGES.find((each) => each.repository.test(repository));
        const place = builder === undefined ? null : placeOfImage(reading, head, image);
        if (builder === undefined || place === null) return [];
        const say = () => `${image} names no version: ${builder.changes}`;
        return [{ job: head.job, place, subject: null, say, why: builder.why }];
      });
    }),
};

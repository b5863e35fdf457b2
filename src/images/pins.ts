/**
 * Official images of builders and registry, by digest. The only place that names them.
 * Digests are those of the multi-platform indexes, as projects that pin the same tags state them; an engine that
 * pulls by digest refuses anything else.
 *
 * buildah has none: the tags of quay.io/buildah/stable are built anew while they stay the same, so that projects which
 * pin one tag name different digests (seen for v1.43.2), and no two agree on any.
 */
export const PINS = {
  docker: {
    reference: "docker.io/library/docker:29.7.2-dind",
    digest: "sha256:12e683a161823b2a839aeea999b9d960e6e1f9a97b1679ad6b441982e2d9cf07",
    version: "29.7.2",
  },
  buildkit: {
    reference: "docker.io/moby/buildkit:v0.32.2",
    digest: "sha256:28a898719c18a33f4e8000685287fa36fd0dd9560c6440227d3a732d79bb41d8",
    version: "v0.32.2",
  },
  kaniko: {
    reference: "ghcr.io/osscontainertools/kaniko:v1.28.2",
    digest: "sha256:4ea0e7301e3f6806de15150e4982c73018351e28c1dca6947bd3b4afb5ae3c60",
    version: "v1.28.2",
  },
  /** The archived original: what a template gets that names gcr.io/kaniko-project/executor. */
  "kaniko-archived": {
    reference: "gcr.io/kaniko-project/executor:v1.24.0",
    digest: "sha256:4e7a52dd1f14872430652bb3b027405b8dfd17c4538751c620ac005741ef9698",
    version: "v1.24.0",
  },
  registry: {
    reference: "docker.io/library/registry:2.8.3",
    digest: "sha256:a3d8aaa63ed8681a604f1dea0aa03f100d5895b6a58ace528858a7b332415373",
    version: "2.8.3",
  },
} as const;

export type PinName = keyof typeof PINS;

/** A reference that an engine pulls: name and digest, without the tag that some engines refuse beside a digest. */
export function pulledBy(pin: PinName): string {
  const { reference, digest } = PINS[pin];
  return `${reference.slice(0, reference.lastIndexOf(":"))}@${digest}`;
}

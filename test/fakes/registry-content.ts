import { sha256, type FakeRegistry } from "./registry.ts";

/** Media types of what is pushed. */
export const TYPES = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  cacheConfig: "application/vnd.buildkit.cacheconfig.v0",
  foreignLayer: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
  nonDistributable: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
  zstdLayer: "application/vnd.oci.image.layer.v1.tar+zstd",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  attestation: "application/vnd.in-toto+json",
  empty: "application/vnd.oci.empty.v1+json",
  schema1: "application/vnd.docker.distribution.manifest.v1+json",
  signedSchema1: "application/vnd.docker.distribution.manifest.v1+prettyjws",
} as const;

export type Described = { mediaType: string; digest: string; size: number; urls?: string[] };

/** A descriptor of content that is pushed along. */
export function pushed(
  registry: FakeRegistry,
  repository: string,
  mediaType: string,
  content: string,
): Described {
  return { mediaType, digest: registry.blob(repository, content), size: Buffer.byteLength(content) };
}

/** Pushes a manifest of any kind by its fields; returns the descriptor of it. */
export function pushManifest(
  registry: FakeRegistry,
  repository: string,
  tag: string | null,
  mediaType: string,
  fields: Record<string, unknown>,
): Described {
  const body = JSON.stringify({ schemaVersion: 2, mediaType, ...fields });
  const digest = registry.manifest(repository, tag, { body, mediaType });
  return { mediaType, digest, size: Buffer.byteLength(body) };
}

/** A manifest of schema 1 with one signature: the text as it is served, and the payload that its digest names. */
export function signSchema1(fields: Record<string, unknown>): { served: string; payload: string } {
  const payload = JSON.stringify({ schemaVersion: 1, ...fields }, null, 3);
  const head = payload.slice(0, -2);
  const format = { formatLength: Buffer.byteLength(head), formatTail: "Cn0", time: "2026-11-24T00:00:00Z" };
  const secured = Buffer.from(JSON.stringify(format)).toString("base64url");
  const signatures = JSON.stringify([{ header: { alg: "ES256" }, signature: "c2ln", protected: secured }]);
  return { served: `${head},\n   "signatures": ${signatures}\n}`, payload };
}

/** Pushes an image as builders do: layers, configuration, manifest. Layers are given by their content. */
export function pushImage(
  registry: FakeRegistry,
  repository: string,
  tag: string | null,
  layers: readonly string[],
): { digest: string; bytes: number } {
  const config = JSON.stringify({
    rootfs: { type: "layers", diff_ids: layers.map((text) => sha256(`tar ${text}`)) },
  });
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: TYPES.manifest,
    config: pushed(registry, repository, TYPES.config, config),
    layers: layers.map((layer) => pushed(registry, repository, TYPES.layer, layer)),
  });
  const digest = registry.manifest(repository, tag, { body, mediaType: TYPES.manifest });
  return { digest, bytes: Buffer.byteLength(body) };
}

/** Pushes an image behind an index, with the attestation that BuildKit adds by itself. */
export function pushAttestedImage(
  registry: FakeRegistry,
  repository: string,
  tag: string,
  layers: readonly string[],
): { index: string; image: string; attestation: string } {
  const image = pushImage(registry, repository, null, layers);
  const attested = JSON.stringify({
    schemaVersion: 2,
    mediaType: TYPES.manifest,
    config: pushed(registry, repository, TYPES.config, '{"architecture":"unknown"}'),
    layers: [
      pushed(registry, repository, TYPES.attestation, '{"_type":"https://in-toto.io/Statement/v0.1"}'),
    ],
  });
  const attestation = registry.manifest(repository, null, { body: attested, mediaType: TYPES.manifest });
  const body = {
    schemaVersion: 2,
    mediaType: TYPES.index,
    manifests: [
      { mediaType: TYPES.manifest, digest: image.digest, size: image.bytes },
      { mediaType: TYPES.manifest, digest: attestation, size: attested.length },
    ],
  };
  const index = registry.manifest(repository, tag, { body, mediaType: TYPES.index });
  return { index, image: image.digest, attestation };
}

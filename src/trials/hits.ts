import type { Manifest, Snapshot } from "../domain/registry.ts";

/** What an image's configuration tells of its layers: digests of their unpacked content, in order. */
export type ImageLayers = { diffIds: string[]; manifest: Manifest };

/** The manifest that is the image behind a tag; an index's attestations are not. */
export function imageManifest(snapshot: Snapshot, repository: string, tag: string): Manifest | null {
  const found = snapshot.repositories.find((candidate) => candidate.name === repository);
  const digest = found?.tags[tag];
  if (found === undefined || digest === undefined) return null;
  const top = found.manifests[digest];
  if (top === undefined) return null;
  const candidates = [top, ...top.children.map((child) => found.manifests[child])];
  return candidates.find((manifest) => manifest !== undefined && isImage(manifest)) ?? null;
}

function isImage(manifest: Manifest): boolean {
  return manifest.layers.length > 0 && !manifest.layers.some((layer) => layer.mediaType.includes("in-toto"));
}

/**
 * Layers of an image that its own instructions made, told apart by digest: hits were in the registry before the run,
 * misses were not. Layers of the base image, the first `baseDiffIds` that agree, count as neither.
 */
export function countHits(
  image: ImageLayers,
  baseDiffIds: readonly string[],
  before: ReadonlySet<string>,
): { hits: number; misses: number } {
  const { diffIds, manifest } = image;
  const isBase = baseDiffIds.length > 0 && baseDiffIds.every((digest, index) => digest === diffIds[index]);
  const own = manifest.layers.slice(isBase ? baseDiffIds.length : 0);
  const hits = own.filter((layer) => before.has(layer.digest)).length;
  return { hits, misses: own.length - hits };
}

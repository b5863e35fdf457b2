import type { Holding, RoleBytes, Snapshot } from "../domain/registry.ts";
import { blobsOf, lastOf, layersOf, layersOfNamespaces, reachedByTags } from "./ledgers.ts";

type Repository = Snapshot["repositories"][number];

/** Superseded layers that are named one by one, the largest first. */
const NAMED_LAYERS = 10;
/** Tags that are named for one layer. */
const NAMED_TAGS = 5;

/** Where an image is: the repository's path without the registry's host, and the tag. */
export type ImagePlace = { repository: string; tag: string };

/**
 * What a registry holds after a run, by role: `image` is what the image's own tags reach, `cache` all else that is
 * charged, `unreferenced` what waits for garbage collection. `history` is the registry after each run of the trial, in
 * order; its last member is charged. Superseded are layers of earlier images that the image no longer has and that some
 * tag still reaches.
 */
export function holdingOf(history: readonly Snapshot[], images: readonly ImagePlace[]): Holding {
  const now = lastOf(history);
  const current = imageBlobs(now, images);
  const charged = new Map(now.repositories.flatMap((repository) => [...blobsOf(repository)]));
  const earlier = new Map(history.slice(0, -1).flatMap((snapshot) => [...imageLayers(snapshot, images)]));
  const present = imageLayers(now, images);
  const superseded = [...earlier]
    .filter(([digest]) => !present.has(digest) && charged.has(digest))
    .toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return {
    perRepository: rolesPerRepository(now, images),
    namespace: rolesOfNamespaces(now, current),
    stored: rolesOnDisk(now, current, charged),
    tags: now.repositories.reduce((count, { tags }) => count + Object.keys(tags).length, 0),
    blobs: charged.size,
    supersededBytes: superseded.reduce((sum, [, bytes]) => sum + bytes, 0),
    supersededLayers: superseded.length,
    superseded: superseded.slice(0, NAMED_LAYERS).map(([digest, bytes]) => ({
      digest,
      bytes,
      ...keepers(now, digest),
    })),
  };
}

/** Manifests that the given tags of a repository reach. */
function manifestsOf(repository: Repository, tags: readonly string[]): Set<string> {
  const chosen = Object.entries(repository.tags).filter(([tag]) => tags.includes(tag));
  return reachedByTags({ ...repository, tags: Object.fromEntries(chosen) });
}

function tagsIn(repository: Repository, images: readonly ImagePlace[]): string[] {
  return images.filter((image) => image.repository === repository.name).map(({ tag }) => tag);
}

/** Manifests, configs and layers of the images. */
function imageBlobs({ repositories }: Snapshot, images: readonly ImagePlace[]): Map<string, number> {
  return new Map(
    repositories.flatMap((repository) => [
      ...blobsOf(repository, manifestsOf(repository, tagsIn(repository, images))),
    ]),
  );
}

/** Layers of the images alone. */
function imageLayers({ repositories }: Snapshot, images: readonly ImagePlace[]): Map<string, number> {
  return new Map(
    repositories.flatMap((repository) => [
      ...layersOf(repository, manifestsOf(repository, tagsIn(repository, images))),
    ]),
  );
}

function rolesPerRepository(snapshot: Snapshot, images: readonly ImagePlace[]): RoleBytes {
  const roles: RoleBytes = { image: 0, cache: 0, unreferenced: 0 };
  for (const repository of snapshot.repositories) {
    const own = imageBlobs({ ...snapshot, repositories: [repository] }, images);
    for (const [digest, bytes] of blobsOf(repository)) roles[own.has(digest) ? "image" : "cache"] += bytes;
  }
  return roles;
}

/** As GitLab counts: layers that tags reach, once in each root namespace. */
function rolesOfNamespaces(snapshot: Snapshot, current: ReadonlyMap<string, number>): RoleBytes {
  const roles: RoleBytes = { image: 0, cache: 0, unreferenced: 0 };
  for (const layers of layersOfNamespaces(snapshot))
    for (const [digest, bytes] of layers) roles[current.has(digest) ? "image" : "cache"] += bytes;
  return roles;
}

function rolesOnDisk(
  { stored }: Snapshot,
  current: ReadonlyMap<string, number>,
  charged: ReadonlyMap<string, number>,
): RoleBytes | "unknown" {
  if (stored === null) return "unknown";
  const roles: RoleBytes = { image: 0, cache: 0, unreferenced: 0 };
  for (const [digest, bytes] of Object.entries(stored)) {
    const role = current.has(digest) ? "image" : charged.has(digest) ? "cache" : "unreferenced";
    roles[role] += bytes;
  }
  return roles;
}

/** Tags through which a layer is still reached, as `repository:tag`. */
function keepers(snapshot: Snapshot, layer: string): { keptBy: string[]; keptByCount: number } {
  const tags = snapshot.repositories.flatMap((repository) =>
    Object.keys(repository.tags)
      .filter((tag) =>
        [...manifestsOf(repository, [tag])].some((digest) =>
          repository.manifests[digest]?.layers.some((each) => each.digest === layer),
        ),
      )
      .map((tag) => `${repository.name}:${tag}`),
  );
  return { keptBy: tags.toSorted().slice(0, NAMED_TAGS), keptByCount: tags.length };
}

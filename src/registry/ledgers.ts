import type { Ledgers, RepositoryUse, Snapshot } from "../domain/registry.ts";

type Repository = Snapshot["repositories"][number];

const sum = (sizes: Iterable<number>): number => {
  let total = 0;
  for (const size of sizes) total += size;
  return total;
};

/** Digest to bytes of manifests, configs and layers that the tags of a repository reach. Foreign layers are stored elsewhere. */
export function blobsOf(repository: Repository): Map<string, number> {
  const blobs = new Map<string, number>();
  for (const manifest of Object.values(repository.manifests)) {
    blobs.set(manifest.digest, manifest.bytes);
    if (manifest.config !== null) blobs.set(manifest.config.digest, manifest.config.bytes);
    for (const layer of manifest.layers) if (!layer.foreign) blobs.set(layer.digest, layer.bytes);
  }
  return blobs;
}

/** Each blob once in each repository, in bytes: what a reader gets who adds repositories up. */
export function chargePerRepository(snapshot: Snapshot): number {
  return sum(snapshot.repositories.map((repository) => sum(blobsOf(repository).values())));
}

/**
 * Each distinct layer once per root namespace over manifests that tags reach, in bytes; no manifests, no configs.
 * Source: GitLab's reduce_container_registry_storage.md, and the usage query of gitlab-org/container-registry.
 */
export function chargeNamespace(snapshot: Snapshot): number {
  const namespaces = new Map<string, Map<string, number>>();
  for (const repository of snapshot.repositories) {
    const root = repository.name.split("/")[0] ?? repository.name;
    const layers = namespaces.get(root) ?? new Map<string, number>();
    namespaces.set(root, layers);
    for (const manifest of Object.values(repository.manifests)) {
      for (const layer of manifest.layers) if (!layer.foreign) layers.set(layer.digest, layer.bytes);
    }
  }
  return sum([...namespaces.values()].map((layers) => sum(layers.values())));
}

/** Every blob file until garbage collection, in bytes: `blobs/sha256/xx/<hex>/data` of CNCF Distribution. */
export function chargeStored(snapshot: Snapshot): number | "unknown" {
  return snapshot.stored === null ? "unknown" : sum(Object.values(snapshot.stored));
}

export function chargeAll(snapshot: Snapshot): Ledgers {
  return {
    perRepository: chargePerRepository(snapshot),
    namespace: chargeNamespace(snapshot),
    stored: chargeStored(snapshot),
  };
}

/** Repositories with their tags and bytes; roles by the names that the recipe keeps images and cache under. */
export function useOf(
  snapshot: Snapshot,
  images: readonly string[],
  caches: readonly string[],
): RepositoryUse[] {
  return snapshot.repositories
    .map((repository) => ({
      name: repository.name,
      role: roleOf(images.includes(repository.name), caches.includes(repository.name)),
      tags: Object.keys(repository.tags).length,
      bytes: sum(blobsOf(repository).values()),
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function roleOf(image: boolean, cache: boolean): RepositoryUse["role"] {
  if (image && cache) return "image and cache";
  return cache ? "cache" : "image";
}

import type { Ledgers, RepositoryUse, Snapshot } from "../domain/registry.ts";

type Repository = Snapshot["repositories"][number];

const sum = (sizes: Iterable<number>): number => {
  let total = 0;
  for (const size of sizes) total += size;
  return total;
};

/** Digests of manifests that a repository's tags reach, by the children of indexes. Subjects and referrers are no children. */
export function reachedByTags({ tags, manifests }: Pick<Repository, "tags" | "manifests">): Set<string> {
  const reached = new Set<string>();
  const open = Object.values(tags);
  for (let digest = open.pop(); digest !== undefined; digest = open.pop()) {
    const manifest = manifests[digest];
    if (manifest === undefined || reached.has(digest)) continue;
    reached.add(digest);
    open.push(...manifest.children);
  }
  return reached;
}

/**
 * Digest to bytes of manifests, configs and layers of a repository: what tags reach, and what refers to it without a tag
 * (`untagged`), or of the chosen manifests alone. Foreign layers are stored elsewhere.
 */
export function blobsOf(
  repository: Repository,
  chosen: Iterable<string> = Object.keys(repository.manifests),
): Map<string, number> {
  const blobs = new Map<string, number>();
  for (const digest of chosen) {
    const manifest = repository.manifests[digest];
    if (manifest === undefined) continue;
    blobs.set(digest, manifest.bytes);
    if (manifest.config !== null) blobs.set(manifest.config.digest, manifest.config.bytes);
    for (const layer of manifest.layers) if (!layer.foreign) blobs.set(layer.digest, layer.bytes);
  }
  return blobs;
}

/** Digest to bytes of the layers of some manifests; foreign ones are stored elsewhere. */
export function layersOf(repository: Repository, chosen: Iterable<string>): Map<string, number> {
  const layers = new Map<string, number>();
  for (const digest of chosen) {
    for (const layer of repository.manifests[digest]?.layers ?? [])
      if (!layer.foreign) layers.set(layer.digest, layer.bytes);
  }
  return layers;
}

/** Layers that tags reach, by root namespace: those that GitLab charges. */
export function layersOfNamespaces({ repositories }: Snapshot): Map<string, number>[] {
  const namespaces = new Map<string, Map<string, number>>();
  for (const repository of repositories) {
    const root = repository.name.split("/")[0] ?? repository.name;
    const layers = namespaces.get(root) ?? new Map<string, number>();
    namespaces.set(root, layers);
    for (const [digest, bytes] of layersOf(repository, reachedByTags(repository))) layers.set(digest, bytes);
  }
  return [...namespaces.values()];
}

/** The registry as it is now, of its states in order; an empty one before the first. */
export function lastOf(history: readonly Snapshot[]): Snapshot {
  return history.at(-1) ?? { repositories: [], stored: null, faults: [] };
}

/** Each blob once in each repository, in bytes: what a reader gets who adds repositories up. */
export function chargePerRepository(snapshot: Snapshot): number {
  return sum(snapshot.repositories.map((repository) => sum(blobsOf(repository).values())));
}

/**
 * Each distinct layer once per root namespace over manifests that tags reach, in bytes; no manifests, no configs.
 * Sources: GitLab's reduce_container_registry_storage.md; gitlab-org/container-registry,
 * registry/datastore/repository.go (topLevelSizeWithDescendants: tagged manifests, then `manifest_references` down, then
 * distinct `layers`) and registry/handlers/manifests.go (what becomes a row of `layers`). By kind:
 * - OCI and Docker schema 2 images, BuildKit caches with image-manifest=true, artifacts: each entry of `layers`, whatever
 *   its type (zstd and in-toto too), once by digest, with the size of the blob; the config never.
 * - Index, manifest list: nothing of its own; its children as they are, unknown/unknown attestations too.
 * - Index of blobs (BuildKit cache with image-manifest=false): stored as if it were an image manifest
 *   (dbPutBuildkitIndex): the cache configuration is its config, every other entry a layer.
 * - Foreign and non-distributable layers: no rows, so 0 (`DistributableLayers`). GitLab tells them by type; whether one of
 *   another type with `urls` has a row cannot be known here and is taken as stored elsewhere.
 * - Referrers without a tag: 0, for `subject` is no manifest reference. Under a tag `sha256-<hex>` they are children.
 * - Schema 1, and an index that mixes blobs and manifests: GitLab refuses them, so no rule is known; their layers are
 *   charged, the reading that never says too little.
 */
export function chargeNamespace(snapshot: Snapshot): number {
  return sum(layersOfNamespaces(snapshot).map((layers) => sum(layers.values())));
}

/** Every blob file until garbage collection, in bytes: `blobs/sha256/xx/<hex>/data` of CNCF Distribution. */
export function chargeStored(snapshot: Snapshot): number | "unknown" {
  return snapshot.stored === null ? "unknown" : sum(Object.values(snapshot.stored));
}

/**
 * Blobs of the registry that GitLab's online garbage collection keeps at the last instant, in bytes: what tags reach, and
 * what was reached less than `graceHours` before. `history` is the registry at growing `atHours`; what was neither is
 * gone. Source: GitLab's container registry garbage collection (online GC, 24 hours by default), and
 * gitlab-org/container-registry, docs/spec/gitlab/online-garbage-collection.md.
 */
export function chargeAfterGrace(
  history: readonly { snapshot: Snapshot; atHours: number }[],
  graceHours = 24,
): number {
  const now = history.at(-1)?.atHours ?? 0;
  const kept = new Map<string, number>();
  for (const [index, { snapshot }] of history.entries()) {
    // A state lasts until the next one: what it reached was let go then.
    const letGoAt = history[index + 1]?.atHours ?? now;
    if (index < history.length - 1 && now - letGoAt >= graceHours) continue;
    for (const repository of snapshot.repositories)
      for (const [digest, bytes] of blobsOf(repository)) kept.set(digest, bytes);
  }
  return sum(kept.values());
}

/**
 * Each blob of every version of a package once, in bytes: GHCR keeps the versions that an overwritten tag leaves until
 * somebody deletes them. A version that came and went within one run is not seen. Source: GitHub's "About billing for
 * GitHub Packages" and "Deleting and restoring a package"; how layers that versions share are billed is not documented,
 * and counting them once is what a registry stores.
 */
export function chargeGhcr(history: readonly Snapshot[]): number {
  const packages = new Map<string, Map<string, number>>();
  for (const snapshot of history) {
    for (const repository of snapshot.repositories) {
      const blobs = packages.get(repository.name) ?? new Map<string, number>();
      packages.set(repository.name, blobs);
      for (const [digest, bytes] of blobsOf(repository)) blobs.set(digest, bytes);
    }
  }
  return sum([...packages.values()].map((blobs) => sum(blobs.values())));
}

/** The ledgers that one instant tells. */
export function chargeAll(snapshot: Snapshot): Omit<Ledgers, "ghcr"> {
  return {
    perRepository: chargePerRepository(snapshot),
    namespace: chargeNamespace(snapshot),
    stored: chargeStored(snapshot),
  };
}

/** All ledgers at the last of the given instants; `history` is the registry after each run, in order. */
export function chargeHistory(history: readonly Snapshot[]): Ledgers {
  return { ...chargeAll(lastOf(history)), ghcr: chargeGhcr(history) };
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

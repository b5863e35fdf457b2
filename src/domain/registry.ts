/** A descriptor as it stands in a manifest. `foreign` layers are not stored by the registry. */
export type Descriptor = { digest: string; bytes: number; mediaType: string; foreign: boolean };

/** One manifest of a repository, by digest. `children` are manifests of an index. */
export type Manifest = {
  digest: string;
  bytes: number;
  mediaType: string;
  config: Descriptor | null;
  layers: Descriptor[];
  children: string[];
};

/** What a registry held at one instant. `name` is the repository's path without the registry's host. */
export type Snapshot = {
  repositories: { name: string; tags: Record<string, string>; manifests: Record<string, Manifest> }[];
  /** Blob files on the registry's disk, digest to bytes; null where the disk cannot be seen. */
  stored: Record<string, number> | null;
};

/** Bytes by three ways of charging one registry. `stored` is "unknown" where the disk cannot be seen. */
export type Ledgers = { perRepository: number; namespace: number; stored: number | "unknown" };

export type RepositoryUse = {
  name: string;
  /** What the recipe keeps here: an image, its cache, or both in one repository. */
  role: "image" | "cache" | "image and cache";
  /** Number of tags. */
  tags: number;
  /** Manifests, configs and layers reachable from tags, each digest once, in bytes. */
  bytes: number;
};

/** Bytes that crossed the link, counted at the registry. */
export type Traffic = { pulledBytes: number; pushedBytes: number };

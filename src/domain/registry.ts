/** A descriptor as it stands in a manifest. `foreign` layers are not stored by the registry. */
export type Descriptor = { digest: string; bytes: number; mediaType: string; foreign: boolean };

/**
 * One manifest of a repository, by digest. `children` are manifests of an index. A BuildKit cache of the older kind, an
 * index of blobs, has its cache configuration as `config` and the other blobs as `layers`; so has an artifact its blobs.
 */
export type Manifest = {
  digest: string;
  bytes: number;
  mediaType: string;
  config: Descriptor | null;
  layers: Descriptor[];
  children: string[];
};

/**
 * Something that a registry names and does not hold as named. `digest` is what is meant, `namedBy` the tag or the digest
 * of the manifest that names it; `said` is one sentence with figures, for a report.
 */
export type RegistryFault = {
  kind: "manifest-missing" | "blob-missing" | "size-differs" | "type-unknown";
  repository: string;
  namedBy: string;
  digest: string;
  said: string;
};

/**
 * What a registry held at one instant. `name` is the repository's path without the registry's host. The roots of a
 * repository are the values of `tags`; `untagged` are manifests that no tag reaches: only the registry's list of
 * referrers, or the subject of another manifest, leads to them. Sizes are those of the blobs, where they can be asked for.
 */
export type Snapshot = {
  repositories: {
    name: string;
    tags: Record<string, string>;
    manifests: Record<string, Manifest>;
    untagged: string[];
  }[];
  /** Blob files on the registry's disk, digest to bytes; null where the disk cannot be seen. */
  stored: Record<string, number> | null;
  /** Nothing here is in the ledgers by what was claimed: missing content counts 0, other sizes by the blob. */
  faults: RegistryFault[];
};

/** Bytes by four ways of charging one registry. `stored` is "unknown" where the disk cannot be seen. */
export type Ledgers = {
  perRepository: number;
  namespace: number;
  stored: number | "unknown";
  ghcr: number;
};

/** Bytes that the image's own tags reach, all else that is charged, and what waits for garbage collection. */
export type RoleBytes = { image: number; cache: number; unreferenced: number };

/** What a registry holds after a run, by role and ledger. */
export type Holding = {
  perRepository: RoleBytes;
  namespace: RoleBytes;
  stored: RoleBytes | "unknown";
  tags: number;
  /** Distinct blobs that tags reach, referrers with them. */
  blobs: number;
  /** Layers of earlier images that the image no longer has and that some tag still reaches. */
  supersededBytes: number;
  supersededLayers: number;
  /** The largest of them, with tags that keep them alive: some of `keptByCount`. */
  superseded: { digest: string; bytes: number; keptBy: string[]; keptByCount: number }[];
};

export type RepositoryUse = {
  name: string;
  /** What the recipe keeps here: an image, its cache, or both in one repository. */
  role: "image" | "cache" | "image and cache";
  /** Number of tags. */
  tags: number;
  /** Manifests, configs and layers reachable from tags and as referrers, each digest once, in bytes. */
  bytes: number;
};

/**
 * Bytes that crossed the link, counted at the registry. `serverErrors`: how many requests it answered with an error of
 * its own (5xx), and what it said of the first of them; clients that hung up in the middle are none.
 */
export type Traffic = {
  pulledBytes: number;
  pushedBytes: number;
  /** Tags that were written, in order; one that was written twice is there twice. */
  writtenTags: TagName[];
  /** Tags that were there and were read, in order. */
  readTags: TagName[];
  serverErrors: number;
  firstServerError?: string;
};

/** A tag by its repository's path without the registry's host. */
export type TagName = { repository: string; tag: string };

/** The ledgers that a cleanup policy, which deletes tags, can change. */
export type CleanedLedgers = Omit<Ledgers, "ghcr">;

/** One cleanup policy on what a trial left, and what the next build still finds. */
export type CleanupOutcome = {
  /** Newest tags of each repository that are kept; of the others those are deleted that are older than so many days. */
  keepTags: number;
  olderThanDays: number;
  tagsBefore: number;
  deletedTags: number;
  /** Bytes when garbage collection has followed. */
  ledgers: CleanedLedgers;
  /** Tags that the last run read or wrote, which the next one wants again, and how many of them are deleted. */
  neededTags: number;
  neededDeleted: number;
};

/** What a user of the trial's registry asked for and was not given; `action` is `pull`, `push` or `delete`. */
export type Denial = { user: "upstream" | "contributor" | "anonymous"; repository: string; action: string };

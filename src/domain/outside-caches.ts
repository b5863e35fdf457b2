import type { CacheId } from "./recipe.ts";

/** A cache that lies in no registry: where it is, and what is known of its limits. */
export type OutsideCache = { where: string; limits: string };

/**
 * Caches of BuildKit that only their own service or runner has. Limits of the Actions cache: GitHub's documentation,
 * dependency caching, usage limits and eviction policy; BuildKit's README, GitHub Actions cache, for scopes.
 */
export const outsideCaches = {
  gha: {
    where: "GitHub's Actions cache",
    limits:
      "10 GB for all caches of a repository, least recently used entries go first, entries go after 7 days without use, and a branch reads its own entries and those of the default branch",
  },
  s3: { where: "a bucket of S3", limits: "nothing of it is deleted unless the bucket has a rule for that" },
  azblob: {
    where: "a container of Azure Blob Storage",
    limits: "nothing of it is deleted unless the storage account has a rule for that",
  },
} as const satisfies Partial<Record<CacheId, OutsideCache>>;

/** The type of a cache that lies outside of a registry; null for any other. */
export function outsideCache(type: string): keyof typeof outsideCaches | null {
  return type === "gha" || type === "s3" || type === "azblob" ? type : null;
}

/** Why such a cache is not measured, with its limits. */
export function notMeasured(id: keyof typeof outsideCaches): string {
  const { where, limits } = outsideCaches[id];
  return `${where} cannot be had here, so this cache is not measured: ${limits}`;
}

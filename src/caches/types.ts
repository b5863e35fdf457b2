import type { BuilderId, CacheId } from "../domain/recipe.ts";

/**
 * What a cache strategy leaves behind, and where. Each builder decides what each kind is with it: a new member makes
 * the compiler list the builders that do not know it yet.
 */
export type CacheEntry =
  | { kind: "nothing" }
  /** Records in the image's own configuration: the image is its own cache. */
  | { kind: "in the image" }
  /** One manifest under one tag, overwritten by each export. `max` holds layers of build stages too. */
  | { kind: "one manifest"; mode: "min" | "max" }
  /** One tag for each instruction, never overwritten. */
  | { kind: "a tag per instruction" }
  /** Not in a registry: a fresh runner has it only where the CI system carries it over. */
  | { kind: "outside the registry"; where: string };

/** How a build reuses earlier work, as data. */
export type CacheStrategy = {
  id: CacheId;
  /** In a sentence: `no cache`, `inline cache`. */
  title: string;
  entry: CacheEntry;
};

/** Where a strategy that Tare proposes keeps its cache. References are written as templates write them. */
export type CachePlace = {
  /** Repository beside the image's (`X-cache`), or the image's own. */
  repository: "beside the image" | "the image's own";
  /** Further references that the build may read from, tried before its own. */
  moreSources: string[];
};

/** A change of flags that is a trial of its own. */
export type Variant = {
  /** As it is asked for behind the strategy: `kaniko/layers+redo`. */
  id: string;
  title: string;
  /** Strategies that it can be tried with. */
  appliesTo: (builder: BuilderId, cache: CacheId) => boolean;
};

import type { Recipe } from "../domain/recipe.ts";
import { CACHE_TO, flagPattern, placeInCommand } from "./places.ts";
import { flagValue } from "./recipe-flags.ts";
import type { Check } from "./types.ts";

type Effect = { what: string; pattern: RegExp; text: string; why: string };

/**
 * Compression that parts image and cache, or does not reach the cache. kaniko: cache entries are written as asked
 * (pkg/executor/push.go), the layers of an image as its base's media types allow (pkg/executor/build.go). BuildKit: blobs that exist are exported as they are
 * unless `force-compression=true` (README of moby/buildkit, Registry cache).
 */
export const zstd: Check = {
  id: "zstd",
  remarks: (reading) =>
    reading.pairs.flatMap(({ base, head }) => {
      const effect = effectOf(head);
      if (effect === null || (base !== null && effectOf(base)?.text === effect.text)) return [];
      const place = placeInCommand(reading, head, effect.what, effect.pattern);
      return place === null
        ? []
        : [{ job: head.job, place, subject: null, say: () => effect.text, why: effect.why }];
    }),
};

function effectOf(recipe: Recipe): Effect | null {
  if (recipe.strategy === "kaniko/layers" && flagValue(recipe, "compression") === "zstd") return KANIKO;
  const exportsCache = /^(?:docker|buildkit)\/registry-/.test(recipe.strategy) && recipe.images.length > 0;
  const options = recipe.cacheToOptions.find((each) => each["compression"] === "zstd");
  const image = recipe.flags.some((flag) => flag.startsWith("--output=") && flag.includes("compression"));
  if (!exportsCache || options === undefined || image) return null;
  return options["force-compression"] === "true" ? FORCED : IGNORED;
}

const KANIKO: Effect = {
  what: "--compression",
  pattern: flagPattern("compression"),
  text: "--compression=zstd parts image and cache where the base image has Docker's media types: the cache is zstd, the image gzip, and they share no layer; on an OCI base they do",
  why: "kaniko, pkg/executor/push.go compresses cache entries as asked, pkg/executor/build.go the image's layers as its base's media types allow: Docker's have no zstd.",
};

const FORCED: Effect = {
  what: "force-compression",
  pattern: CACHE_TO,
  text: "force-compression=true makes the cache zstd while the image is gzip: the two share no layer and are stored twice",
  why: "README of moby/buildkit, Registry cache: force-compression applies the compression to all layers; an image's own compression is an option of --output.",
};

const IGNORED: Effect = {
  what: "compression=zstd",
  pattern: CACHE_TO,
  text: "compression=zstd does not reach the layers that the image has as gzip: without force-compression=true the cache takes those blobs as they are",
  why: "README of moby/buildkit, Registry cache: layers that exist keep their compression unless force-compression=true.",
};

import type { BuilderId, CacheId } from "../domain/recipe.ts";
import type { Variant } from "./types.ts";

const isKaniko = (builder: BuilderId) => builder === "kaniko";
const inRegistry = (_: BuilderId, cache: CacheId) =>
  cache === "registry-min" || cache === "registry-max" || cache === "layers";

/** Every variant that Tare can try. What each builder does with one stands in the builder. */
export const variants: readonly Variant[] = [
  { id: "uncompressed", title: "layers kept uncompressed in memory", appliesTo: isKaniko },
  { id: "redo", title: "files compared by time, size and owner", appliesTo: isKaniko },
  {
    id: "copy-layers",
    title: "COPY is cached too",
    appliesTo: (builder, cache) => builder === "kaniko" && cache === "layers",
  },
  { id: "reproducible", title: "layers without times", appliesTo: isKaniko },
  {
    id: "zstd",
    title: "layers compressed with zstd",
    appliesTo: (builder) => builder === "kaniko" || builder === "buildkit",
  },
  { id: "own-repository", title: "cache in the image's own repository", appliesTo: inRegistry },
  {
    id: "two-sources",
    title: "a first cache source that is not there",
    appliesTo: (builder, cache) => builder !== "kaniko" && (cache === "inline" || inRegistry(builder, cache)),
  },
];

/** The variant of this id; null where there is none. */
export function variantOf(id: string): Variant | null {
  return variants.find((variant) => variant.id === id) ?? null;
}

import { caches } from "../caches/index.ts";
import type { CacheEntry } from "../caches/types.ts";
import { Problem } from "../domain/problem.ts";
import { outsideCache, outsideCaches } from "../domain/outside-caches.ts";
import { CACHES, type CacheId, type Recipe } from "../domain/recipe.ts";
import { refusal } from "./flags.ts";

/** Options of a registry export that BuildKit knows (README of moby/buildkit, "Registry cache"). */
const KNOWN = new Set([
  "mode",
  "ignore-error",
  "image-manifest",
  "oci-mediatypes",
  "compression",
  "compression-level",
  "force-compression",
]);
/** The trial's registries are known to the daemon. */
const OWN = new Set(["registry.insecure"]);

/**
 * What BuildKit is told of cache exports, as `--cache-to` and `--export-cache` take it: one text for each target of the
 * run. Problem flag-refused for an option that is not known, strategy-unsupported for a cache outside the registry.
 */
export function cacheExports(
  recipe: Recipe,
  cacheTo: readonly string[],
  images: readonly string[],
): string[] {
  const cache = CACHES.find((id) => recipe.strategy.endsWith(`/${id}`)) ?? "none";
  const { entry } = caches[cache];
  refuseOutside(recipe, cache, entry);
  if (entry.kind === "in the image") return ["type=inline"];
  if (entry.kind !== "one manifest") return [];
  return cacheTo.map((reference, index) => {
    const options = recipe.cacheToOptions[index] ?? {};
    for (const name of Object.keys(options)) {
      if (KNOWN.has(name) || OWN.has(name)) continue;
      throw refusal(recipe, `the option ${name} of the cache ${reference}`, "Tare does not know it");
    }
    // One manifest under the image's own tag would replace the image: BuildKit's other cache there is the inline one.
    if (images.includes(reference)) return "type=inline";
    const mode = options["mode"] ?? entry.mode;
    const more = Object.entries(options).filter(([name]) => KNOWN.has(name) && name !== "mode");
    const words = [["mode", mode], ...more].map(([name, value]) => `${name}=${value}`);
    return ["type=registry", `ref=${reference}`, ...words].join(",");
  });
}

/** A build without the cache that its template writes would be another strategy. */
function refuseOutside({ file, line, job }: Recipe, cache: CacheId, entry: CacheEntry): void {
  if (entry.kind !== "outside the registry") return;
  const outside = outsideCache(cache);
  const limits = outside === null ? "" : `: it is not measured (${outsideCaches[outside].limits})`;
  throw new Problem(
    "strategy-unsupported",
    `${file}:${line} (job ${job}): its cache is kept in ${entry.where}, which a trial does not have${limits}.`,
    "Leave this image out with --images.",
  );
}

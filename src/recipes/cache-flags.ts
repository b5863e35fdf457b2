import { notMeasured, outsideCache } from "../domain/outside-caches.ts";
import type { CacheId, Recipe } from "../domain/recipe.ts";
import { setCache, unresolve } from "./recipe-draft.ts";
import { reasons, render } from "./value.ts";
import type { Value } from "./value.ts";

/** `type=registry,ref=X` as a map; a bare reference has no `type`. Fields may be quoted as in CSV. */
export function optionsOf(value: Value): ReadonlyMap<string, string> {
  const text = render(value);
  if (!/(?:^|,)"?type=/.test(text)) return new Map([["ref", text]]);
  return new Map(
    splitFields(text).map((option): [string, string] => {
      const equals = option.indexOf("=");
      return equals === -1 ? [option, ""] : [option.slice(0, equals).trim(), option.slice(equals + 1)];
    }),
  );
}

/** Fields between commas; a quoted field may hold commas. */
function splitFields(text: string): string[] {
  const fields: string[] = [];
  let field = "";
  let quoted = false;
  for (const character of text) {
    if (character === '"') quoted = !quoted;
    else if (character === "," && !quoted) {
      fields.push(field);
      field = "";
    } else field += character;
  }
  return [...fields, field];
}

/** Takes in `--cache-from` or `--import-cache`: a list of references, or one source with options. */
export function addCacheSources(recipe: Recipe, values: readonly Value[]): void {
  for (const value of values) {
    const options = optionsOf(value);
    const text = render(value);
    if (text === "") continue;
    for (const why of reasons(value)) unresolve(recipe, "cache-from", why);
    const reference = options.get("ref");
    if (!options.has("type")) recipe.cacheFrom.push(...text.split(",").filter((each) => each !== ""));
    else if (options.get("type") === "registry" && reference !== undefined) recipe.cacheFrom.push(reference);
    else {
      const outside = outsideCache(options.get("type") ?? "");
      const why =
        outside === null ? "is not a reference of a registry" : `is not read here: ${notMeasured(outside)}`;
      unresolve(recipe, "cache-from", `${text} ${why}`);
    }
  }
}

/** Takes in `--cache-to` or `--export-cache` and sets the strategy; false where there is none. */
export function addCacheTargets(recipe: Recipe, values: readonly Value[]): boolean {
  const caches = values.filter((value) => value.length > 0).map((value) => addTarget(recipe, value));
  const kinds = new Set(caches.filter((cache) => cache !== null));
  const [first] = kinds;
  if (first !== undefined) setCache(recipe, first);
  if (kinds.size > 1) {
    unresolve(recipe, "strategy", `the build exports several caches: ${[...kinds].join(", ")}`);
  }
  return caches.length > 0;
}

/** The strategy of one cache target; null where it is none that Tare knows. */
function addTarget(recipe: Recipe, value: Value): CacheId | null {
  for (const why of reasons(value)) unresolve(recipe, "cache-to", why);
  const options = optionsOf(value);
  if (!options.has("type") && value[0]?.kind === "unknown") {
    unresolve(recipe, "strategy", `what ${render(value)} exports is not known`);
    return null;
  }
  const type = options.get("type") ?? "registry";
  if (type === "inline" || type === "local") return type;
  const outside = outsideCache(type);
  if (outside !== null) {
    unresolve(recipe, "cache-to", notMeasured(outside));
    return outside;
  }
  if (type === "registry") return addRegistry(recipe, options);
  const why = `a cache of type ${type} is not in the registry: it is a strategy that Tare does not know`;
  unresolve(recipe, "strategy", why);
  return null;
}

function addRegistry(recipe: Recipe, options: ReadonlyMap<string, string>): CacheId | null {
  const reference = options.get("ref");
  if (reference === undefined || reference === "") {
    unresolve(recipe, "cache-to", "type=registry names no reference");
    return null;
  }
  recipe.cacheTo.push(reference);
  const rest = [...options].filter(([name]) => name !== "type" && name !== "ref");
  recipe.cacheToOptions.push(Object.fromEntries(rest));
  const mode = options.get("mode") ?? "min";
  if (mode === "min" || mode === "max") return `registry-${mode}`;
  unresolve(recipe, "strategy", `the cache mode ${mode} is not known`);
  return null;
}

/** What `--output` does with the image. */
export type Output = {
  pushes: boolean;
  /** Whether the image ends up in the engine. */
  loads: boolean;
  /** Names that replace those of `--tag`. */
  names: string[];
  type: string;
};

/** Reads one `--output`. */
export function outputOf(value: Value): Output {
  const options = optionsOf(value);
  const type = options.get("type") ?? "local";
  const push = options.get("push");
  const names = (options.get("name") ?? "").split(",").filter((name) => name !== "");
  return {
    type,
    pushes: type === "registry" || (push !== undefined && /^(?:true|1|)$/.test(push)),
    loads: type === "docker" && !options.has("dest"),
    names,
  };
}

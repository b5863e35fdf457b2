import type { ReadingOfChange } from "./bot.ts";
import { refuseUnrunnable } from "./builders/index.ts";
import type { Change, Tree } from "./domain/change.ts";
import type { JobFile } from "./domain/job.ts";
import { Problem } from "./domain/problem.ts";
import type { Recipe } from "./domain/recipe.ts";
import { contextFiles } from "./git/context-files.ts";
import type { Repository } from "./git/repository.ts";
import { createLoadHistory, type LoadHistory } from "./load-history.ts";
import type { TreeReader } from "./git/tree-reader.ts";
import type { ImageTrial } from "./trials/conduct.ts";
import { allBases, loadImageSource, type EditChoice, type ImageSource } from "./trials/image-source.ts";
import type { ImagePair, NotBuilt } from "./trials/plan.ts";
import {
  inProject,
  projectDirectoryOf,
  sameReference,
  trialReference,
  type PipelineContext,
} from "./trials/references.ts";
import { adaptRecipe, type WantedStrategy } from "./trials/strategies.ts";
import { labelOf } from "./domain/comparison.ts";

const MAX_CONTEXT_BYTES = 512 * 1024 * 1024;

/** Images of the templates that start from each other; GitLab's own pipelines seldom have more than two steps. */
const LONGEST_CHAIN = 5;

export type LoadOptions = {
  repository: Repository;
  change: Change;
  reading: ReadingOfChange;
  edits: readonly EditChoice[];
  context: PipelineContext;
  strategies: readonly WantedStrategy[];
  /** Real edits that are replayed at most; 0 for synthetic ones. */
  replay: number;
  obstacle(base: string): string | null;
};

export type Loaded = { trial: ImageTrial; refused: NotBuilt[]; notes: string[] };

/** Loads an image with both its sides and the other strategies; those that cannot be tried with it are named. */
export type LoadImage = (pair: ImagePair) => Promise<Loaded>;

/** Problems: what `loadImageSource` and the builders refuse, `dockerfile-missing`, `nothing-to-try` for a circle of images. */
export function createLoadImage(options: LoadOptions): LoadImage {
  const contexts = createReadContexts(options.repository, projectDirectoryOf(options.context));
  const history = createLoadHistory({
    repository: options.repository,
    change: options.change,
    most: options.replay,
    obstacle: (base) => (isOwn(base, options) ? null : options.obstacle(base)),
    contextOf: contexts,
  });
  const load = async (pair: ImagePair, past: LoadHistory): Promise<Loaded> => {
    const loading: Loading = { ...options, past, contexts };
    const current = await loadSide(loading, pair.current, "base", []);
    const proposed = await loadSide(loading, pair.proposed, "head", []);
    const notes = [...new Set([...current.notes, ...proposed.notes])];
    const { others, refused } = await loadOthers(loading, pair);
    const real = proposed.source.edits.some(({ synthetic }) => !synthetic);
    const synthetic = real ? async () => (await load(pair, noHistory)).trial : null;
    const trial = { pair, current: current.source, proposed: proposed.source, others, synthetic };
    return { trial, refused, notes };
  };
  return (pair) => load(pair, history);
}

/** How one image is loaded: the options, with what is read of earlier versions and of build contexts. */
type Loading = LoadOptions & { past: LoadHistory; contexts: ReadContexts };

const noHistory: LoadHistory = async () => ({ versions: [], ownName: "", notes: [] });

/** Whether another recipe of the same templates builds this base image. */
function isOwn(base: string, { reading, context }: LoadOptions): boolean {
  return [...reading.base.recipes, ...reading.head.recipes].some((recipe) =>
    recipe.images.some((image) => sameReference(image, base, context)),
  );
}

async function loadOthers(
  options: Loading,
  pair: ImagePair,
): Promise<{ others: ImageTrial["others"]; refused: NotBuilt[] }> {
  const others: ImageTrial["others"] = [];
  const refused: NotBuilt[] = [];
  for (const wanted of options.strategies) {
    const strategy = `${wanted.builder}/${wanted.cache}` as const;
    const own = [pair.current, pair.proposed].some((recipe) => recipe.strategy === strategy);
    // The change's own two are tried already.
    if (own && wanted.variant === null) continue;
    const adapted = adaptRecipe(neutralOf(pair), wanted);
    if (typeof adapted === "string") {
      const label = labelOf({ strategy, variant: wanted.variant });
      refused.push({ what: `${pair.image} with ${label}`, why: adapted });
    } else {
      const twin = [pair.proposed, pair.current].find((recipe) => recipe.strategy === strategy);
      const recipe = twin === undefined ? adapted : variantOfOwn(twin, adapted, wanted.variant);
      const { source } = await loadSide(options, recipe, "head", []);
      others.push({ variant: wanted.variant, source });
    }
  }
  return { others, refused };
}

/** Variants that are about the place of the cache. */
const PLACES: ReadonlySet<string | null> = new Set(["own-repository", "two-sources"]);

/** A variant of a strategy that the change itself names: the template's own flags and cache, and what the variant changes. */
function variantOfOwn(own: Recipe, adapted: Recipe, variant: string | null): Recipe {
  const named = new Set(adapted.flags.map((flag) => flag.split("=", 1)[0]));
  const flags = [...own.flags.filter((flag) => !named.has(flag.split("=", 1)[0])), ...adapted.flags];
  if (PLACES.has(variant)) return { ...adapted, flags };
  const cacheToOptions = own.cacheToOptions.map((given, index) => ({
    ...given,
    ...adapted.cacheToOptions[index],
  }));
  return { ...adapted, flags, cacheFrom: own.cacheFrom, cacheTo: own.cacheTo, cacheToOptions };
}

/** kaniko needs no context where nothing is copied; other builders want the one that the other side names. */
function neutralOf({ current, proposed }: ImagePair): Recipe {
  return { ...proposed, context: proposed.context ?? current.context };
}

async function loadSide(
  options: Loading,
  recipe: Recipe,
  which: "base" | "head",
  chain: readonly string[],
): Promise<{ source: ImageSource; notes: string[] }> {
  const { change, reading, context, past, contexts } = options;
  const reader = reading.readers[which];
  refuseSide(recipe, reader, context);
  const own = recipe.dockerfile === null ? null : reader.read(recipe.dockerfile);
  const { versions, ownName, notes } = await past(recipe, own ?? "");
  const source = await loadImageSource(recipe, chain.length === 0 ? options.edits : [], {
    read: (path) => reader.read(path),
    readContext: (path) => contexts(change[which], path),
    versions,
    ownName,
  });
  return { source: { ...source, ...(await chainOf(options, source, which, chain)) }, notes };
}

/** Images of the same tree that this one starts from, with all that they start from, in the order of building. */
async function chainOf(
  options: Loading,
  source: ImageSource,
  which: "base" | "head",
  chain: readonly string[],
): Promise<Pick<ImageSource, "ownBases" | "startsFrom">> {
  const recipes = options.reading[which].recipes;
  const ownBases: string[] = [];
  const startsFrom: ImageSource[] = [];
  for (const base of allBases(source)) {
    const parent = recipes.find((recipe) =>
      recipe.images.some((image) => sameReference(image, base, options.context)),
    );
    if (parent === undefined || parent.dockerfile === source.dockerfile) continue;
    const deeper = [...chain, source.dockerfile];
    if (deeper.includes(parent.dockerfile ?? "") || deeper.length > LONGEST_CHAIN) {
      throw new Problem(
        "nothing-to-try",
        `${source.dockerfile} starts from an image that starts from it: ${deeper.join(", ")}.`,
        "Mend the FROM lines, or leave this image out with --images.",
      );
    }
    const { source: loaded } = await loadSide({ ...options, past: noHistory }, parent, which, deeper);
    ownBases.push(base);
    startsFrom.push(...loaded.startsFrom, loaded);
  }
  return { ownBases, startsFrom };
}

/** Flags, references and Dockerfiles that no run could be made of. */
function refuseSide(recipe: Recipe, reader: TreeReader, context: PipelineContext): void {
  refuseUnrunnable(recipe);
  for (const reference of [...recipe.images, ...recipe.cacheFrom, ...recipe.cacheTo]) {
    trialReference(reference, context, "registry.invalid", recipe);
  }
  const path = recipe.dockerfile;
  if (path === null || reader.read(path) !== null) return;
  throw new Problem(
    "dockerfile-missing",
    `${recipe.file}:${recipe.line} (job ${recipe.job}) builds ${path}, which cannot be read: ${reader.whyNot(path) ?? "unknown"}.`,
    "Look at the path in the template, or leave this image out with --images.",
  );
}

type ReadContexts = (tree: Tree, path: string) => Promise<JobFile[]>;

/** Reads build contexts, each once: both sides, all strategies and often all images have the same. */
function createReadContexts(repository: Repository, directory: string): ReadContexts {
  const read = new Map<string, Promise<JobFile[]>>();
  return (tree, path) => {
    const key = `${tree.tree} ${path}`;
    const found =
      read.get(key) ??
      contextFiles(repository, tree, path, { into: inProject(directory, path), maxBytes: MAX_CONTEXT_BYTES });
    read.set(key, found);
    return found;
  };
}

import type { Change } from "../domain/change.ts";
import type { Recipe, RecipeComparison } from "../domain/recipe.ts";
import type { Diff } from "./diff.ts";

export type Side = "base" | "head";

/** What findings are made of: a change, the recipes of both its trees, and their files. */
export type FindingInput = {
  change: Change;
  base: readonly Recipe[];
  head: readonly Recipe[];
  /** Recipes that differ: those of `base` and `head` themselves, not copies. */
  changed: RecipeComparison["changed"];
  /** Text of a file of one tree; null where there is none. Paths are git's. */
  read(side: Side, path: string): string | null;
};

/** A recipe of the head that the change touches; `base` is null where it is new. */
export type Pair = { base: Recipe | null; head: Recipe };

/** What every check is given. */
export type Reading = {
  /** Recipes that differ. */
  pairs: readonly Pair[];
  /** Recipes of the head that the change leaves as they are. */
  unchanged: readonly Recipe[];
  base: readonly Recipe[];
  head: readonly Recipe[];
  diff: Diff;
  read(side: Side, path: string): string | null;
};

/** A line of the diff. `elsewhere` says where what is meant stands, where that is another line. */
export type Place = { file: string; line: number; side: Side; elsewhere: string | null };

/** What a check says of one recipe. Equal remarks of many jobs become one finding. */
export type Remark = {
  job: string;
  place: Place;
  /** What the sentence is about where that differs from job to job: a line of a Dockerfile, a reference. */
  subject: string | null;
  /** The sentence with all subjects, without its period. */
  say: (subjects: string) => string;
  why: string;
};

/** One rule. `id` is that of its findings. */
export type Check = { id: string; remarks(reading: Reading): Remark[] };

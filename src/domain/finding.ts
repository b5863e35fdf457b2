/** A line of a change's diff; its number on the side where it is not is null. */
export type DiffLine = {
  mark: "added" | "removed" | "kept";
  base: number | null;
  head: number | null;
  text: string;
};

/** The lines of the diff around one of its lines, which is the place of findings. */
export type DiffExcerpt = { file: string; line: number; side: "base" | "head"; lines: DiffLine[] };

/** Something about a change that can be told without a build, tied to a line of its diff. */
export type Finding = {
  /** The rule that found it, for example `fork-cache`. */
  id: string;
  /** Path and 1-based line: of the head for an added line, of the base for a removed one. */
  file: string;
  line: number;
  side: "base" | "head";
  /** One sentence for whoever reads that line. */
  text: string;
  /** The reason, with the program's file or documentation that it is taken from. */
  why: string;
};
